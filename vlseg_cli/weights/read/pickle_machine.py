"""A pickle machine that can only build plain containers and what an allow-list names.

``pickle`` runs whatever a file asks for. This machine knows the opcodes that hold data, has no way
to import anything, and calls nothing but functions of ours; all else is refused in a sentence.
"""

import pickletools
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from vlseg_cli.schema import WeightsError

# What files call it by -> what it means here; a name on this list is never imported.
Allowed = Mapping[tuple[str, str], object]


class Stream(Protocol):
    """What pickletools reads from: an open file, BytesIO or mmap."""

    def read(self, size: int, /) -> bytes: ...
    def readline(self) -> bytes: ...
    def tell(self) -> int: ...


@dataclass(frozen=True, slots=True, eq=False)
class Function:
    """A function of ours that stands for one a file may call."""

    call: Callable[..., object]


class Buildable(Protocol):
    """An object of ours that takes its state in a second step."""

    def build(self, state: object) -> None: ...


class RefusedError(Exception):
    """Why a pickle is not read on; becomes a WeightsError that names the file."""


_KEYS = (str, int, float, bytes, type(None))  # hashing these costs no more than their size
_DATA = {
    *("BININT", "BININT1", "BININT2", "INT", "LONG1", "FLOAT", "BINFLOAT", "STRING", "BINSTRING"),
    *("SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES"),
    *("SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
}
_CONSTANTS: dict[str, object] = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_EMPTY: dict[str, Callable[[], object]] = {
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
    "EMPTY_SET": set,
}
_SHORT_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_NEWEST = 5


def read_pickle(
    stream: Stream,
    where: str,
    allowed: Allowed,
    persistent: Callable[[object], object] | None = None,
) -> object:
    """The object that the next pickle in ``stream`` describes; the stream stands behind it.

    allowed: what its globals mean. persistent: what its persistent ids mean. where: for messages.
    Raises WeightsError for whatever is damaged or not allowed.
    """
    machine = _Machine(allowed, persistent)
    try:
        for opcode, argument, _ in pickletools.genops(stream):  # type: ignore[arg-type]
            machine.step(opcode.name, argument)
        return machine.result()
    except RefusedError as error:
        raise WeightsError(f"{where} is refused: {error}") from error
    except (ValueError, IndexError, TypeError, KeyError, struct.error, OverflowError) as error:
        raise WeightsError(
            f"{where} is damaged: its pickle breaks off or makes no sense"
        ) from error


class _Machine:
    def __init__(self, allowed: Allowed, persistent: Callable[[object], object] | None) -> None:
        self._allowed, self._persistent = allowed, persistent
        self._stack: list[Any] = []
        self._marks: list[list[Any]] = []
        self._memo: dict[int, Any] = {}

    def result(self) -> object:
        """What is left when the pickle has stopped."""
        (value,) = self._stack
        return value

    def step(self, name: str, argument: Any) -> None:
        """Obey one opcode, or refuse it."""
        stack = self._stack
        if name in _DATA:
            stack.append(argument)
        elif name in _CONSTANTS:
            stack.append(_CONSTANTS[name])
        elif name in _EMPTY:
            stack.append(_EMPTY[name]())
        elif name in _SHORT_TUPLES:
            self._stack[-_SHORT_TUPLES[name] :] = [tuple(self._last(_SHORT_TUPLES[name]))]
        elif name in ("PUT", "BINPUT", "LONG_BINPUT"):
            self._memo[argument] = stack[-1]
        elif name in ("GET", "BINGET", "LONG_BINGET"):
            stack.append(self._memo[argument])
        else:
            self._build(name, argument)

    def _build(self, name: str, argument: Any) -> None:
        match name:
            case "PROTO":
                if argument > _NEWEST:
                    raise RefusedError(f"it is of pickle protocol {argument}, newer than any known")
            case "FRAME" | "STOP":
                pass
            case "MEMOIZE":
                self._memo[len(self._memo)] = self._stack[-1]
            case "MARK":
                self._marks.append(self._stack)
                self._stack = []
            case "POP":
                self._stack.pop()
            case "POP_MARK":
                self._since_mark()
            case "LIST" | "TUPLE" | "DICT":
                entries = self._since_mark()
                self._stack.append(_container(name, entries))
            case "APPEND" | "APPENDS":
                entries = [self._stack.pop()] if name == "APPEND" else self._since_mark()
                _expect(list, self._stack[-1]).extend(entries)
            case "SETITEM" | "SETITEMS":
                entries = self._pop(2) if name == "SETITEM" else self._since_mark()
                _put(_expect(dict, self._stack[-1]), entries)
            case "ADDITEMS":
                entries = self._since_mark()
                _expect(set, self._stack[-1]).update(_hashable(entry) for entry in entries)
            case _:
                self._call(name, argument)

    def _call(self, name: str, argument: Any) -> None:
        match name:
            case "GLOBAL":
                module, _, entry = argument.partition(" ")
                self._stack.append(self._global(module, entry))
            case "STACK_GLOBAL":
                module, entry = self._pop(2)
                self._stack.append(self._global(module, entry))
            case "REDUCE":
                function, arguments = self._pop(2)
                self._stack.append(_apply(function, arguments))
            case "BUILD":
                state = self._stack.pop()
                _give_state(self._stack[-1], state)
            case "BINPERSID" if self._persistent is not None:
                self._stack.append(self._persistent(self._stack.pop()))
            case _:
                raise RefusedError(
                    f"it uses the pickle instruction {name}, which weights never need"
                )

    def _global(self, module: object, name: object) -> object:
        if not (isinstance(module, str) and isinstance(name, str)):
            raise RefusedError("it asks for something whose name is no text")
        if (module, name) not in self._allowed:
            asked = f"{module}.{name}"[:80]
            raise RefusedError(f"it asks for {asked!r}, which is no part of any weights")
        return self._allowed[module, name]

    def _last(self, count: int) -> list[Any]:
        if len(self._stack) < count:
            raise IndexError(count)
        return self._stack[-count:]

    def _pop(self, count: int) -> list[Any]:
        entries = self._last(count)
        del self._stack[-count:]
        return entries

    def _since_mark(self) -> list[Any]:
        entries, self._stack = self._stack, self._marks.pop()
        return entries


def _container(kind: str, entries: list[Any]) -> object:
    if kind == "DICT":
        table: dict[Any, Any] = {}
        _put(table, entries)
        return table
    return entries if kind == "LIST" else tuple(entries)


def _put(table: dict[Any, Any], entries: Sequence[Any]) -> None:
    """Keys and values in turn."""
    for key, value in zip(entries[::2], entries[1::2], strict=True):
        table[_hashable(key)] = value


def _hashable(key: object) -> Any:
    if not isinstance(key, _KEYS):
        raise RefusedError("it has a key that is neither text nor number")
    return key


def _expect(kind: type[Any], value: object) -> Any:
    if type(value) is not kind:
        raise RefusedError(f"it fills something that is no {kind.__name__}")
    return value


def _apply(function: object, arguments: object) -> object:
    if not isinstance(function, Function):
        raise RefusedError("it calls something that is no function")
    if not isinstance(arguments, tuple):
        raise RefusedError("it calls a function without a list of arguments")
    return function.call(*arguments)


def _give_state(target: object, state: object) -> None:
    """Containers carry notes (``_metadata``) that weights do not need; our own objects take it."""
    build = getattr(target, "build", None)
    if build is not None:
        build(state)
    elif type(target) is not dict:
        raise RefusedError("it changes the inner state of an object")


def ordered_dict(pairs: Sequence[Sequence[Any]] = ()) -> dict[Any, Any]:
    """What collections.OrderedDict stands for: a plain one, which keeps its order, too."""
    return {_hashable(key): value for key, value in pairs}


def plain_set(entries: Sequence[Any] = ()) -> set[Any]:
    """What a set is rebuilt from."""
    return {_hashable(entry) for entry in entries}
