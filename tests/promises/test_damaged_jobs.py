"""Damaged files of a job: a run, an export or a merge over them is right, or is one sentence.

Right is what the same command makes of the undamaged folder, byte for byte.
"""

import json
import os
import random
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import pytest
from promises.crashes import KILLED, everything_in, start, wait
from promises.masks import mutated
from promises.scenarios import run, write_inputs
from promises.test_mutants import mutate

from vlseg_cli.jobs import export_job, merge_jobs
from vlseg_cli.jobs.job import read_job
from vlseg_cli.outputs.records import read_record, record_line
from vlseg_cli.schema import OutputError, VlsegError, decode_rle

EXIT_CODES = {2, 3, 5, 74}  # usage, an input, weights, output
FORMATS = ("coco", "jsonl")


class Damage(NamedTuple):
    """prepare: the folder whose files are damaged. files: which. repeat: what is done then.

    made: what is compared, below the folder.
    """

    prepare: Callable[[Path, Path], object]
    files: tuple[str, ...]
    repeat: Callable[[Path, Path], object]
    made: str = "out"


def _small(inputs: Path, folder: Path) -> None:
    run(folder / "out", [inputs / "photos"], FORMATS)


def _grown(inputs: Path, folder: Path) -> None:
    run(folder / "out", [inputs / "photos", inputs / "more"], FORMATS)


def _killed(event: int, inputs: Path, folder: Path) -> None:
    """A grown job that was killed at an event."""
    _small(inputs, folder)
    assert wait(start(lambda at: _grown(inputs, at), folder, event)) == KILLED


def _export(_inputs: Path, folder: Path) -> None:
    export_job(folder / "out", FORMATS, folder / "made", lambda *_: None)


def _two(inputs: Path, folder: Path) -> None:
    run(folder / "out", [inputs / "photos"], FORMATS)
    run(folder / "other", [inputs / "film.mp4"], FORMATS)


def _merge(_inputs: Path, folder: Path) -> None:
    merge_jobs([folder / "out", folder / "other"], folder / "made")


FINAL = ("job.json", "journal.jsonl", "records.jsonl")
STATE = (".vlseg/items.jsonl", ".vlseg/journal/*.jsonl", ".vlseg/records/*/*.jsonl")
DAMAGES = {
    "finished": Damage(_small, FINAL, _small),
    "grown": Damage(_small, FINAL, _grown),
    "killed": Damage(partial(_killed, 40), (*FINAL, *STATE), _grown),
    "killed while finishing": Damage(partial(_killed, 50), (*FINAL, *STATE), _grown),
    "killed at the end": Damage(partial(_killed, 60), FINAL, _grown),
    "export": Damage(_small, FINAL, _export, "made"),
    "merge": Damage(_two, FINAL, _merge, "made"),
}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_inputs(tmp_path_factory.mktemp("inputs"))


@pytest.fixture(autouse=True)
def no_sync(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is read after a power failure here."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    yield


def damaged(data: bytes, moments: random.Random) -> bytes:
    """Some bytes changed, or one value of its JSON, or a line moved or lost."""
    lines = data.splitlines(keepends=True)
    choice = moments.randrange(4)
    if choice == 0 or not lines:
        return mutate(data, moments)
    if choice == 1 and len(lines) > 1:
        moments.shuffle(lines)
        return b"".join(lines[: moments.randint(1, len(lines))])
    try:
        number = moments.randrange(len(lines))
        whole = data.startswith(b"{\n")  # job.json
        value = mutated(json.loads(data if whole else lines[number]), moments)
        text = json.dumps(value, indent=1 if whole else None).encode() + b"\n"
    except ValueError:
        return mutate(data, moments)
    if whole:
        return text
    lines[number] = text
    return b"".join(lines)


def _values(lines: bytes) -> list[object]:
    return [json.loads(line) for line in lines.splitlines()]


@pytest.mark.parametrize("name", DAMAGES)
def test_a_damaged_job_ends_right_or_in_one_sentence(
    name: str,
    inputs: Path,
    tmp_path: Path,
    mutants: int,
    record_property: Callable[[str, object], None],
) -> None:
    damage, folder, begun = DAMAGES[name], tmp_path / "folder", tmp_path / "begun"
    begun.mkdir()
    damage.prepare(inputs, begun)
    shutil.copytree(begun, folder)
    damage.repeat(inputs, folder)
    expected = everything_in(folder / damage.made)
    moments, outcomes = random.Random(name), Counter[str]()
    for _ in range(mutants // len(DAMAGES)):
        shutil.rmtree(folder)
        shutil.copytree(begun, folder)
        pattern = moments.choice(damage.files)
        file = moments.choice(sorted((folder / "out").glob(pattern)))
        before = file.read_bytes()
        changed = damaged(before, moments)
        file.write_bytes(changed)
        try:
            damage.repeat(inputs, folder)
        except VlsegError as error:
            sentence = str(error)
            assert error.exit_code in EXIT_CODES, repr(error)
            assert "\n" not in sentence and len(sentence) < 600, sentence
            assert sentence.endswith("."), sentence
            outcomes["refused"] += 1
        else:
            if file.exists() and file.read_bytes() == changed:  # the same values, otherwise written
                assert read_job(folder / "out") == read_job(begun / "out")
                if pattern != "job.json":
                    assert _values(changed) == _values(before)
                file.write_bytes(before)
            assert everything_in(folder / damage.made) == expected, pattern
            outcomes["right"] += 1
    for outcome, count in outcomes.items():
        record_property(outcome, count)
    assert outcomes["refused"] > outcomes.total() / 5


def test_a_damaged_record_is_read_with_its_types_or_refused(inputs: Path, tmp_path: Path) -> None:
    """Folders of the release before state no digest of their records."""
    _small(inputs, tmp_path)
    lines = (tmp_path / "out" / "records.jsonl").read_bytes().splitlines()
    moments, outcomes = random.Random(3), Counter[str]()
    for number in range(500):
        line = json.dumps(mutated(json.loads(lines[number % len(lines)]), moments))
        try:
            record = read_record(line)
        except OutputError as error:
            assert str(error).endswith(".") and "\n" not in str(error) and len(str(error)) < 400
            outcomes["refused"] += 1
        else:
            assert json.loads(record_line(record)).keys() == json.loads(lines[0]).keys()
            for segment in record.segments:
                assert decode_rle(segment.rle).shape == (record.height, record.width)
            outcomes["read"] += 1
    assert min(outcomes["read"], outcomes["refused"]) > 25
