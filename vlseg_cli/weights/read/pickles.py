"""Pickles that hold plain containers and what an allow-list names, and nothing else.

``pickle`` runs whatever a file asks for. The reader here takes those opcodes of the standard
library's Python unpickler that only hold data, one by one; it imports nothing and calls nothing but
functions of ours. All else is refused in a sentence.

torch's own reader was tried in its place: ``torch.load(weights_only=True, mmap=True)``, torch 2.13.
It runs nothing, but tests/weights/read/test_malicious.py does not hold: it hangs, out of reach of
signals, on a key of shared nested tuples; it allocates as many bytes as a file states
(``bytearray``); it returns tensors that no file holds (``torch.FloatTensor(n)``, device meta),
tensors of 99 axes, of stride 0, of storages or archive entries whose stated size is wrong. It also
reads no pickle protocol above 2, and copies files older than torch 1.6 into memory. A bare
``pickle.Unpickler`` with ``find_class`` hangs on the same keys, and allocates gigabytes for a large
memo index.
"""

import pickle
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from vlseg_cli.schema import WeightsError

# What files call it by -> what it means here; a name on this list is never imported.
Allowed = Mapping[tuple[str, str], object]


class PickleStream(Protocol):
    """An open file, BytesIO or mmap."""

    def read(self, size: int, /) -> bytes: ...
    def readline(self) -> bytes: ...


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function of ours that stands for one a file may call."""

    call: Callable[..., object]


class StandIn:
    """An object of ours that takes its state in a second step."""

    def build(self, state: object) -> None:
        """Take the state, or raise RefusedError."""
        raise NotImplementedError


class RefusedError(Exception):
    """Why reading of a pickle stops; becomes a WeightsError that names the file."""


_DAMAGE = (
    *(pickle.UnpicklingError, EOFError, ValueError, IndexError, TypeError, KeyError),
    *(struct.error, OverflowError),
)
_KEYS = (str, int, float, bytes, type(None))  # hashing these costs no more than their size
_INHERITED = (
    *("PROTO", "FRAME", "STOP", "MARK", "POP", "POP_MARK", "NONE", "NEWTRUE", "NEWFALSE"),
    *("BININT", "BININT1", "BININT2", "INT", "LONG1", "FLOAT", "BINFLOAT"),
    *("STRING", "BINSTRING", "SHORT_BINSTRING", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8"),
    *("UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("EMPTY_LIST", "EMPTY_TUPLE", "EMPTY_DICT", "EMPTY_SET"),
    *("LIST", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
    *("PUT", "BINPUT", "LONG_BINPUT", "GET", "BINGET", "LONG_BINGET", "MEMOIZE"),
    *("GLOBAL", "STACK_GLOBAL"),
)


def read_pickle(
    stream: PickleStream,
    where: str,
    allowed: Allowed,
    persistent: Callable[[object], object] | None = None,
) -> object:
    """The object that the next pickle in ``stream`` describes; the stream then stands behind it.

    allowed: what its globals mean. persistent: what its persistent ids mean. where: for messages.
    Raises WeightsError for what is damaged or not allowed.
    """
    try:
        return _DataUnpickler(stream, allowed, persistent).load()
    except RefusedError as error:
        raise WeightsError(f"{where} is refused: {error}") from error
    except _DAMAGE as error:
        raise WeightsError(f"{where} is damaged: its pickle breaks off or is malformed") from error


class _Opcodes(dict[int, Callable[[Any], None]]):
    """The methods of opcodes; one without is refused."""

    def __missing__(self, opcode: int) -> Callable[[Any], None]:
        raise RefusedError(
            f"it uses the pickle instruction {chr(opcode)!r}, which weights never need"
        )


class _DataUnpickler(pickle._Unpickler):
    """Inherits the opcodes that hold data, and replaces those that call, fill or hash."""

    stack: list[Any]
    read: Callable[[int], bytes]
    pop_mark: Callable[[], list[Any]]

    def __init__(
        self,
        stream: PickleStream,
        allowed: Allowed,
        persistent: Callable[[object], object] | None,
    ) -> None:
        super().__init__(stream, encoding="latin1")
        self._allowed, self._persistent = allowed, persistent

    def find_class(self, module: str, name: str) -> object:
        """What a global means here; nothing is imported."""
        if (module, name) not in self._allowed:
            asked = f"{module}.{name}"[:80]
            raise RefusedError(f"it asks for {asked!r}, which is no part of any weights")
        return self._allowed[module, name]

    def _reduce(self) -> None:
        arguments, function = self.stack.pop(), self.stack[-1]
        if not (isinstance(function, Function) and isinstance(arguments, tuple)):
            raise RefusedError("it calls something that is no function")
        self.stack[-1] = function.call(*arguments)

    def _build(self) -> None:
        """Containers carry notes (``_metadata``) that weights do not need."""
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, StandIn):
            target.build(state)
        elif type(target) is not dict:
            raise RefusedError("it changes the inner state of an object")

    def _persistent_id(self) -> None:
        if self._persistent is None:
            raise RefusedError("it refers to something outside of itself")
        self.stack[-1] = self._persistent(self.stack[-1])

    def _bytearray(self) -> None:
        """The standard one allocates what the file states before it reads."""
        (size,) = struct.unpack("<Q", self.read(8))
        self.stack.append(bytearray(self.read(size)))

    def _dict(self) -> None:
        entries = self.pop_mark()
        self.stack.append({})
        self._put(entries)

    def _setitem(self) -> None:
        self._put([self.stack.pop(-2), self.stack.pop()])

    def _setitems(self) -> None:
        self._put(self.pop_mark())

    def _append(self) -> None:
        self._extend([self.stack.pop()])

    def _appends(self) -> None:
        self._extend(self.pop_mark())

    def _additems(self) -> None:
        entries = self.pop_mark()
        self._filled(set).update(map(_hashable, entries))

    def _put(self, entries: list[Any]) -> None:
        table = self._filled(dict)
        for key, value in zip(entries[::2], entries[1::2], strict=True):
            table[_hashable(key)] = value

    def _extend(self, entries: list[Any]) -> None:
        self._filled(list).extend(entries)

    def _filled(self, kind: type[Any]) -> Any:
        if type(self.stack[-1]) is not kind:
            raise RefusedError(f"it fills something that is no {kind.__name__}")
        return self.stack[-1]

    dispatch = _Opcodes(
        {
            getattr(pickle, o)[0]: pickle._Unpickler.dispatch[getattr(pickle, o)[0]]
            for o in _INHERITED
        }
        | {
            pickle.REDUCE[0]: _reduce,
            pickle.BUILD[0]: _build,
            pickle.BINPERSID[0]: _persistent_id,
            pickle.BYTEARRAY8[0]: _bytearray,
            pickle.DICT[0]: _dict,
            pickle.SETITEM[0]: _setitem,
            pickle.SETITEMS[0]: _setitems,
            pickle.APPEND[0]: _append,
            pickle.APPENDS[0]: _appends,
            pickle.ADDITEMS[0]: _additems,
        }
    )


def _hashable(key: object) -> Any:
    if not isinstance(key, _KEYS):
        raise RefusedError("it has a key that is neither text nor number")
    return key


def ordered_dict(pairs: Sequence[Sequence[Any]] = ()) -> dict[Any, Any]:
    """What collections.OrderedDict stands for: a plain one, which keeps its order, too."""
    return {_hashable(key): value for key, value in pairs}


def plain_set(entries: Sequence[Any] = ()) -> set[Any]:
    """What a set is rebuilt from."""
    return {_hashable(entry) for entry in entries}
