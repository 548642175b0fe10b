"""A model's digest changes with any byte of it; large files are read once as long as they stay."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from vlseg_cli.weights import digest
from vlseg_cli.weights.digest import model_digest, remember_digests
from vlseg_cli.weights.pins import digests_file, official_folder, remove

LARGE = 1 << 16


@pytest.fixture(autouse=True)
def _new_process(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Nothing is remembered, no cache is named, files need not lie still for two seconds, and small
    ones count as large."""
    monkeypatch.delenv("VLSEG_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(digest, "_SETTLED", 0)
    monkeypatch.setattr(digest, "_LARGE", LARGE - 1)
    digest._in_process.clear()
    yield
    digest._in_process.clear()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A folder with one large file, and nothing else."""
    folder = tmp_path / "model"
    folder.mkdir()
    write_large(folder / "model.safetensors", b"a")
    return folder


def write_large(file: Path, middle: bytes, size: int = LARGE) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as opened:
        opened.truncate(size)
        opened.seek(size // 2)
        opened.write(middle)


def no_reading(_path: Path) -> str:
    raise AssertionError("a remembered file was read again")


def test_the_digest_follows_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "README.md").write_bytes(b"a card")
    first = model_digest(tmp_path)
    assert len(first) == 16
    (tmp_path / "README.md").write_bytes(b"another card")
    assert model_digest(tmp_path) == first
    (tmp_path / "pytorch_model.bin").write_bytes(b"weights")
    assert model_digest(tmp_path) != first


def test_the_digest_follows_the_latest_step_of_a_training_folder(tmp_path: Path) -> None:
    steps = [tmp_path / name for name in ("step1", "step2")]
    for step in steps:
        step.mkdir()
        (step / "mp_rank_00_model_states.pt").write_text(step.name)
    digests = set()
    for named in ("step1", "step2"):
        (tmp_path / "latest").write_text(f"{named}\n")
        digests.add(model_digest(tmp_path))
    (steps[1] / "mp_rank_00_model_states.pt").write_text("others")
    assert len({*digests, model_digest(tmp_path)}) == 3


def test_every_byte_of_a_large_file_counts(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digest, "_LARGE", 256 << 20)
    digests = set()
    for middle in (b"a", b"b"):
        write_large(model / "model.safetensors", middle, 257 << 20)
        digests.add(model_digest(model))
    assert len(digests) == 2


def test_a_large_file_is_read_once(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, times = model_digest(model), (model / "model.safetensors").stat()
    with monkeypatch.context() as patched:
        patched.setattr(digest, "_sha256", no_reading)
        assert model_digest(model) == first
    with (model / "model.safetensors").open("r+b") as file:  # of the same size and time as before
        file.seek(LARGE // 2)
        file.write(b"b")
    os.utime(model / "model.safetensors", ns=(times.st_atime_ns, times.st_mtime_ns))
    assert model_digest(model) != first


def test_without_a_named_cache_nothing_is_written(model: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    model_digest(model)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_named_cache_remembers_for_later_processes(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "cache"
    monkeypatch.setenv("VLSEG_CACHE", str(cache))
    monkeypatch.setattr(digest, "_ENTRIES", 2)
    first = model_digest(model)
    for number in range(3):
        write_large(tmp_path / f"other-{number}" / "model.bin", b"a")
        model_digest(tmp_path / f"other-{number}")
    assert len(json.loads((cache / "digests.json").read_text())) == 2
    digest._in_process.clear()
    assert model_digest(model) == first
    digest._in_process.clear()
    with monkeypatch.context() as patched:
        patched.setattr(digest, "_sha256", no_reading)
        assert model_digest(model) == first
    for damage in ("", "[]", '{"a": 1}', "[" * 100_000):
        (cache / "digests.json").write_text(damage)
        digest._in_process.clear()
        assert model_digest(model) == first


def test_a_cache_that_cannot_be_written_is_no_error(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = model_digest(model)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("VLSEG_CACHE", str(tmp_path / "file"))
    digest._in_process.clear()
    assert model_digest(model) == first


def test_weights_that_vlseg_manages_are_remembered_beside_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = official_folder("psalm")
    write_large(folder / "model.safetensors", b"a")
    first = model_digest(folder)
    assert not digests_file("psalm").exists()  # a job only reads it
    remember_digests(folder)
    digest._in_process.clear()
    with monkeypatch.context() as patched:
        patched.setattr(digest, "_sha256", no_reading)
        assert model_digest(folder) == first
    write_large(folder / "model.safetensors", b"b")
    assert model_digest(folder) != first
    remove("psalm")
    assert not digests_file("psalm").exists()


def test_a_file_that_has_just_changed_is_not_remembered(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digest, "_SETTLED", 3600 * 10**9)
    model_digest(model)
    assert not digest._in_process
