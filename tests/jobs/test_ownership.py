"""Only what a job recorded as its own is ever replaced or erased; files of others are named."""

from pathlib import Path

import pytest
from jobs.media_files import tree, write_film, write_photos
from jobs.stub import run_stub

from vlseg_cli.jobs import export_job
from vlseg_cli.jobs.job import ERASED, JOB
from vlseg_cli.outputs import FORMATS
from vlseg_cli.schema import UsageError

# In the place of every file that formats write for an image or a video, and of those for all.
IN_THE_WAY = [
    (name, path.replace("NAME", item).replace("#", "000001"))
    for name, one in FORMATS.items()
    for path in one.paths
    for item in (("000", "film") if "NAME" in path else ("",))
]


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("inputs")
    return [write_photos(folder / "photos", 2), write_film(folder / "film.mp4", 3)]


def _write(root: Path, path: str) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text("not of vlseg")


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(("name", "path"), IN_THE_WAY)
def test_a_file_of_others_in_the_place_of_a_result_is_refused(
    name: str, path: str, overwrite: bool, inputs: list[Path], tmp_path: Path
) -> None:
    _write(tmp_path / "out", path)
    with pytest.raises(UsageError, match=path) as refused:
        run_stub(tmp_path / "out", inputs, formats=(name,), overwrite=overwrite)
    assert refused.value.exit_code == 2 and "--overwrite" not in str(refused.value)
    assert [*tree(tmp_path / "out")] == [path]


@pytest.mark.parametrize("name", ["records.jsonl", "journal.jsonl", "failures.jsonl", "job.json"])
@pytest.mark.parametrize("overwrite", [False, True])
def test_so_is_one_in_the_place_of_the_jobs_own_files(
    name: str, overwrite: bool, inputs: list[Path], tmp_path: Path
) -> None:
    _write(tmp_path / "out", name)
    with pytest.raises(UsageError, match=name):
        run_stub(tmp_path / "out", inputs, overwrite=overwrite)
    assert [*tree(tmp_path / "out")] == [name]


def test_overwriting_erases_the_job_and_leaves_everything_else(
    inputs: list[Path], tmp_path: Path
) -> None:
    out, fresh, others = tmp_path / "out", tmp_path / "fresh", ("overlay/mine.png", "yolo/mine.txt")
    run_stub(out, inputs, formats=tuple(FORMATS))
    for path in others:
        _write(out, path)
    run_stub(out, inputs[:1], texts=("other",), formats=("overlay",), overwrite=True)
    run_stub(fresh, inputs[:1], texts=("other",), formats=("overlay",))
    assert {path: digest for path, digest in tree(out).items() if path not in others} == tree(fresh)
    assert all((out / path).read_text() == "not of vlseg" for path in others)


def test_a_file_of_others_in_the_place_of_the_new_job_keeps_the_old_one(
    inputs: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_stub(out, inputs, formats=("coco",))
    _write(out, "overlay/000.png")
    before = tree(out)
    with pytest.raises(UsageError, match=r"overlay/000\.png"):
        run_stub(out, inputs, texts=("other",), formats=("overlay",), overwrite=True)
    assert tree(out) == before


def test_a_grown_job_does_not_replace_what_others_put_beside_its_results(
    inputs: list[Path], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    run_stub(out, inputs[:1], formats=("overlay",))
    _write(out, "overlay/film/000000.png")
    before = tree(out)
    with pytest.raises(UsageError, match=r"overlay/film/000000\.png"):
        run_stub(out, inputs, formats=("overlay",))
    assert tree(out) == before
    assert run_stub(out, inputs[:1], formats=("overlay",)).finished


def test_an_export_replaces_only_earlier_exports_of_the_job(
    inputs: list[Path], tmp_path: Path
) -> None:
    out, made = tmp_path / "out", tmp_path / "made"
    run_stub(out, inputs, formats=("coco",))
    _write(made, "yolo/classes.txt")
    with pytest.raises(UsageError, match=r"yolo/classes\.txt"):
        export_job(out, ("yolo",), made, print)
    (made / "yolo" / "classes.txt").unlink()
    for target in (made, made, out):
        export_job(out, ("yolo", "coco"), target, print)
    run_stub(out, inputs[:1], texts=("other",), formats=("coco",), overwrite=True)
    assert not (out / "yolo").exists()


def test_a_job_that_was_being_erased_is_erased_by_the_next_run(
    inputs: list[Path], tmp_path: Path
) -> None:
    out, fresh = tmp_path / "out", tmp_path / "fresh"
    run_stub(out, inputs)
    (out / JOB).rename(out / ERASED)
    run_stub(out, inputs[:1], texts=("other",))
    run_stub(fresh, inputs[:1], texts=("other",))
    assert tree(out) == tree(fresh)
