"""Files that mean harm: each is refused in one sentence, and not a line of any of them is run."""

import io
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.read.checkpoint import read_checkpoint

CANARY = "the-canary-sings"  # a file that appears in the working directory if anything is run


class Runs:
    """Pickles as a call."""

    def __init__(self, call: Callable[..., object], *arguments: object) -> None:
        self.call, self.arguments = call, arguments

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call, self.arguments


class State:
    """Pickles as an object that takes a state."""

    def __init__(self, state: object) -> None:
        self.state = state

    def __reduce__(self) -> tuple[object, ...]:
        return dict, (), self.state


HARM = f"touch {CANARY}"


def text(word: str) -> bytes:
    return b"\x8c" + bytes([len(word)]) + word.encode()


def calls(function: bytes, argument: bytes) -> bytes:
    return b"\x80\x04" + function + argument + b"\x85R."


TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n"
HALF = b"ctorch\nHalfStorage\n"
NP_DTYPE = b"cnumpy\ndtype\n"
FLOATS = NP_DTYPE + b"\x8c\x02f4\x85R"
NP_ARRAY = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\nK\x00\x85C\x01btR"


def stored(identity: bytes, rest: bytes = b"K\x00K\x01\x85K\x01\x85") -> bytes:
    """{'w': a tensor whose storage is described by ``identity``}."""
    return b"\x80\x02}" + text("w") + TENSOR + b"(" + identity + b"Q" + rest + b"tRs."


HUGE, STRIDES = b"\x8a\x05\xff\xff\xff\xff\x01", b"(" + b"K\x01" * 7 + b"t"


def array(state: bytes) -> bytes:
    """{'w': an array that is given this state}."""
    return b"\x80\x02}" + text("w") + NP_ARRAY + state + b"s."


def identity(key: bytes = text("0"), numel: bytes = b"K\x01", kind: bytes = HALF) -> bytes:
    return b"(" + text("storage") + kind + key + text("cpu") + numel + b"t"


PICKLES: dict[str, bytes] = {
    **{f"system {p}": pickle.dumps({"w": Runs(os.system, HARM)}, p) for p in range(6)},
    "eval": pickle.dumps(Runs(eval, f"open({CANARY!r}, 'w')")),
    "exec": pickle.dumps({"model": {"w": Runs(exec, f"open({CANARY!r}, 'w')")}}),
    "nested": pickle.dumps({"a": [{"b": ({"c": [Runs(os.system, HARM)]},)}]}),
    "in a key": pickle.dumps({(1, (2, Runs(os.system, HARM))): 3}),
    "in a set": pickle.dumps([{1, 2}, {Runs(os.system, HARM)}]),
    "as state": pickle.dumps(State({"w": Runs(os.system, HARM)})),
    "open": pickle.dumps(Runs(open, CANARY, "w")),
    "getattr": pickle.dumps(Runs(getattr, {}, "clear")),
    "import": pickle.dumps(Runs(__import__, "os")),
    "torch.load": calls(b"ctorch\nload\n", text(CANARY)),
    "torch.hub": calls(b"ctorch.hub\nload\n", text(CANARY)),
    "numpy.load": calls(b"cnumpy\nload\n", text(CANARY)),
    "dotted name": calls(b"ccollections\nOrderedDict.__class__\n", text("x")),
    "dotted stack name": calls(text("torch") + text("nn.os.system") + b"\x93", text(HARM)),
    "other spelling": calls(b"cos\n system\n", text(HARM)),
    "stack global of number": b"\x80\x04K\x01K\x02\x93.",
    "stack global of nothing": b"\x80\x04\x93.",
    "memoised names": calls(b"\x8c\x02os\x94\x8c\x06system\x94h\x00h\x01\x93", text(HARM)),
    "runpy": calls(b"crunpy\nrun_path\n", text(CANARY)),
    "builtins": calls(b"c__builtin__\napply\n", text(HARM)),
    "codecs": calls(b"c_codecs\ndecode\n", text(HARM)),
    "inst": b"(S'" + HARM.encode() + b"'\nios\nsystem\n.",
    "obj": b"\x80\x02(cos\nsystem\nU" + bytes([len(HARM)]) + HARM.encode() + b"o.",
    "obj of text": b"\x80\x02(" + text("x") + text(HARM) + b"o.",
    "new object": b"\x80\x02ccollections\nOrderedDict\n)\x81.",
    "new object with names": b"\x80\x04ccollections\nOrderedDict\n)}\x92.",
    "extension 1": b"\x80\x02\x82\x01.",
    "extension 2": b"\x80\x02\x83\x01\x00.",
    "extension 4": b"\x80\x02\x84\x01\x00\x00\x00.",
    "text persistent id": b"Pwhatever\n.",
    "build on a function": b"\x80\x02ccollections\nOrderedDict\n}" + text("x") + b"Nsb.",
    "build on text": b"\x80\x02" + text("x") + b"}b.",
    "reduce of text": b"\x80\x02" + text("x") + b")R.",
    "reduce of a number": b"\x80\x02K\x01)R.",
    "reduce without list": b"\x80\x02ccollections\nOrderedDict\nK\x01R.",
    "reduce with too much": b"\x80\x02ccollections\nOrderedDict\nK\x01K\x02K\x03\x87R.",
    "call of a storage": b"\x80\x02" + HALF + b")R.",
    "huge text": b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"x.",
    "huge bytes": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"x.",
    "huge bytearray": b"\x80\x05\x96" + struct.pack("<Q", 1 << 63) + b"x.",
    "huge number": b"\x80\x02\x8b" + struct.pack("<i", 1 << 20) + b"\xff" * (1 << 20) + b".",
    "negative size": b"\x80\x02\x8b" + struct.pack("<i", -5) + b".",
    "huge decimal": b"L" + b"9" * 100_000 + b"L\n.",
    "memo of nothing": b"\x80\x02p0\n.",
    "memo far away": b"\x80\x02}r\xff\xff\xff\xffj\xfe\xff\xff\xff.",
    "pop of nothing": b"\x80\x020.",
    "mark of nothing": b"\x80\x02t.",
    "tuple of nothing": b"\x80\x02\x87.",
    "two results": b"\x80\x02}}.",
    "no result": b"\x80\x02.",
    "no end": b"\x80\x02}",
    "wrong opcode": b"\x80\x02\xff.",
    "future protocol": b"\x80\x7f}.",
    "out of band": b"\x80\x05\x97.",
    "append to a table": b"\x80\x02}K\x01a.",
    "item into a list": b"\x80\x02]K\x01K\x02s.",
    "odd items": b"\x80\x02}(K\x01u.",
    "key of tuples": b"\x80\x02}" + b"N" + b"2\x86" * 60 + b"Ns.",
    "key of tuples by memo": b"\x80\x02}" + b"N" + b"q\x00h\x00\x86" * 60 + b"Ns.",
    "key of tuples in a table": b"\x80\x02(" + b"N" + b"q\x00h\x00\x86" * 60 + b"Nd.",
    "entry of tuples": b"\x80\x04\x8f(" + b"N" + b"q\x00h\x00\x86" * 60 + b"\x90.",
    "pair of tuples": b"\x80\x02ccollections\nOrderedDict\n]"
    + b"N"
    + b"q\x00h\x00\x86" * 60
    + b"N\x86a\x85R.",
    "set of tuples": b"\x80\x02c__builtin__\nset\n]" + b"N" + b"q\x00h\x00\x86" * 60 + b"a\x85R.",
    "bytearray of 2 GB": b"\x80\x02c__builtin__\nbytearray\nJ\x00\x00\x00\x7f\x85R.",
    "tensor of 8 GB": b"\x80\x02}" + text("w") + b"ctorch\nFloatTensor\nJ\x00\x00\x00\x7f\x85Rs.",
    "huge frame": b"\x80\x04\x95" + struct.pack("<Q", 1 << 62) + b"}.",
    "shared tuples": b"\x80\x02" + text("w") + b"2\x86" * 5000 + b"\x85.",
    "deep lists": b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
    "deep marks": b"\x80\x02" + b"(" * 100_000 + b"t" * 100_000 + b".",
    "itself": b"\x80\x02]q\x00h\x00a.",
}
TENSORS: dict[str, bytes] = {
    "no storage": stored(b"}"),
    "storage of text": stored(text("storage")),
    "storage without key": stored(identity(key=b"N")),
    "storage of a function": stored(identity(kind=TENSOR)),
    "storage too large": stored(identity(numel=b"J\xff\xff\xff\x7f")),
    "storage of negative size": stored(identity(numel=b"J\xff\xff\xff\xff")),
    "storage elsewhere": stored(identity(key=text("../../etc/passwd"))),
    "tensor beyond its storage": stored(identity(), b"K\x00K\x09\x85K\x01\x85"),
    "tensor before its storage": stored(identity(), b"J\xff\xff\xff\xffK\x01\x85K\x01\x85"),
    "tensor behind its storage": stored(identity(), b"K\x05K\x01\x85K\x01\x85"),
    "tensor of stride 0": stored(identity(), b"K\x00J\xff\xff\xff\x7f\x85K\x00\x85"),
    "tensor of negative stride": stored(identity(), b"K\x00K\x01\x85J\xff\xff\xff\xff\x85"),
    "tensor of negative size": stored(identity(), b"K\x00J\xff\xff\xff\xff\x85K\x01\x85"),
    "empty tensor of many sizes": stored(identity(), b"K\x00(K\x00" + HUGE * 6 + b"t" + STRIDES),
    "tensor of text": stored(identity(), b"K\x00" + text("x") + b"\x85K\x01\x85"),
    "tensor of other axes": stored(identity(), b"K\x00K\x01K\x01\x86K\x01\x85"),
    "tensor of 99 axes": stored(
        identity(), b"K\x00(" + b"K\x01" * 99 + b"t(" + b"K\x01" * 99 + b"t"
    ),
    "parameter of text": calls(b"ctorch._utils\n_rebuild_parameter\n", text("x")),
}
ARRAYS: dict[str, bytes] = {
    "array of objects": pickle.dumps({"w": np.array([{}], dtype=object)}, 2),
    "array of harm": pickle.dumps({"w": np.array([Runs(os.system, HARM)], dtype=object)}, 4),
    "array of records": pickle.dumps({"w": np.zeros(2, [("a", "f4"), ("b", "i4")])}),
    "array of text": pickle.dumps({"w": np.array(["x"])}),
    "array of big-endians": pickle.dumps({"w": np.zeros(2, ">f4")}),
    "array of dates": pickle.dumps({"w": np.zeros(2, "datetime64[s]")}),
    "array of complex numbers": pickle.dumps({"w": np.zeros(2, "c8")}),
    "array without state": array(b""),
    "array too large": array(b"(K\x01J\xff\xff\xff\x7f\x85" + FLOATS + b"\x89C\x04abcdtb"),
    "array of negative size": array(b"(K\x01J\xff\xff\xff\xff\x85" + FLOATS + b"\x89C\x00tb"),
    "array with odd state": array(b"K\x01b"),
    "dtype of numbers": calls(NP_DTYPE, b"K\x01"),
    "dtype with metadata": b"\x80\x02" + FLOATS + b"(K\x03" + text("<") + b"}NNK\x01K\x01K\x00tb.",
    "call of ndarray": b"\x80\x02cnumpy\nndarray\nK\x05\x85R.",
}


def torch_zip(pickled: bytes, **entries: bytes) -> bytes:
    """A checkpoint as torch writes it, with this pickle in it and a storage of one half."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("archive/data.pkl", pickled)
        archive.writestr("archive/version", "3\n")
        archive.writestr("archive/byteorder", "little")
        archive.writestr("archive/data/0", b"\0\0")
        for name, data in entries.items():
            archive.writestr(name, data)
    return packed.getvalue()


def legacy(
    pickled: bytes, keys: object = ("0",), data: bytes = struct.pack("<q", 1) + b"\0\0"
) -> bytes:
    """A checkpoint as torch wrote it before 1.6."""
    system = {"protocol_version": 1001, "little_endian": True, "type_sizes": {}}
    head = [pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, system)]
    listed = list(keys) if isinstance(keys, tuple) else keys
    return b"".join(head) + pickled + pickle.dumps(listed, 2) + data


GOOD = stored(identity())


def changed(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new)


def packed() -> bytes:
    """A zip bomb: many zeros in little place."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", GOOD)
        archive.writestr("archive/data/0", bytes(1 << 24))
    return file.getvalue()


WHOLE = torch_zip(GOOD)
FILES: dict[str, bytes] = {
    "zip slip": torch_zip(GOOD, **{"../../escaped": b"x"}),
    "absolute entry": torch_zip(GOOD, **{"/etc/cron.d/x": b"x"}),
    "backslash entry": torch_zip(GOOD, **{"..\\..\\x": b"x"}),
    "zip bomb": packed(),
    "two pickles": torch_zip(GOOD, **{"other/data.pkl": b"x"}),
    "no pickle": changed(WHOLE, b"data.pkl", b"data.pxl"),
    "big-endian": changed(WHOLE, b"little", b"biggie"),
    "entry that is larger than said": changed(
        WHOLE, struct.pack("<II", 2, 2), struct.pack("<II", 2, 9)
    ),
    "entry larger than its file": changed(
        WHOLE, struct.pack("<II", 2, 2), struct.pack("<II", 1 << 30, 1 << 30)
    ),
    "entry somewhere else": changed(WHOLE, b"PK\x03\x04", b"XX\x03\x04"),
    "encrypted entry": changed(
        WHOLE, b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00"
    ),
    "archive cut short": WHOLE[: len(WHOLE) // 2],
    "archive without its end": WHOLE[:-10],
    "archive alone": b"PK\x05\x06" + bytes(18),
    "nothing": b"",
    "text": b"<html>not found</html>",
    "legacy of another magic": changed(legacy(GOOD), b"\x6c\xfc\x9c\x46", b"\x6d\xfc\x9c\x46"),
    "legacy of another version": changed(
        legacy(GOOD), struct.pack("<H", 1001), struct.pack("<H", 1002)
    ),
    "legacy cut within its numbers": legacy(GOOD)[:-1],
    "legacy cut within its pickles": legacy(GOOD)[:150],
    "legacy with a storage too many": legacy(GOOD, ("0", "1")),
    "legacy without storages": legacy(GOOD, ()),
    "legacy with odd keys": legacy(GOOD, {"0": 1}),
    "legacy of negative size": legacy(GOOD, data=struct.pack("<q", -1)),
    "legacy of huge size": legacy(GOOD, data=struct.pack("<q", 1 << 60) + b"\0\0"),
    "legacy that harms first": pickle.dumps(Runs(os.system, HARM)) + legacy(GOOD),
    "legacy that harms last": legacy(GOOD, Runs(os.system, HARM)),  # type: ignore[arg-type]
}
CASES = {
    **{f"zip: {n}": ("x.bin", torch_zip(p)) for n, p in (PICKLES | TENSORS).items()},
    **{f"legacy: {n}": ("x.pth", legacy(p)) for n, p in (PICKLES | TENSORS).items()},
    **{f"arrays: {n}": ("x.pkl", p) for n, p in (PICKLES | ARRAYS).items()},
    **{f"file: {n}": ("x.pt", data) for n, data in FILES.items()},
}


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bytes], str]:
    """Write a file, read it and return the sentence; fails if anything of it was run."""
    monkeypatch.chdir(tmp_path)

    def read(name: str, data: bytes) -> str:
        (tmp_path / name).write_bytes(data)
        with pytest.raises(WeightsError) as caught:
            read_checkpoint(tmp_path / name)
        assert [path.name for path in tmp_path.iterdir()] == [name]
        return str(caught.value)

    return read


@pytest.mark.parametrize("case", CASES)
def test_refused_in_one_sentence(refused: Callable[[str, bytes], str], case: str) -> None:
    name, data = CASES[case]
    said = refused(name, data)
    assert name in said and "\n" not in said and len(said) < 400


def test_the_containers_themselves_are_sound(tmp_path: Path) -> None:
    """Otherwise the cases above would be refused for nothing."""
    for name, data in (("x.bin", torch_zip(GOOD)), ("y.pth", legacy(GOOD))):
        (tmp_path / name).write_bytes(data)
        assert read_checkpoint(tmp_path / name)["w"].equal(torch.zeros(1, dtype=torch.half))


def test_the_harm_is_real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own pickle would run it."""
    monkeypatch.chdir(tmp_path)
    pickle.loads(PICKLES["system 2"])
    assert (tmp_path / CANARY).exists()
