"""Merged folders equal the folder of a single process; other jobs are not merged."""

from pathlib import Path

import pytest
from jobs.media_files import tree, write_photos
from jobs.stub import run_stub

from vlseg_cli.jobs import merge_jobs
from vlseg_cli.schema import UsageError


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_photos(tmp_path_factory.mktemp("photos"), 16)


@pytest.mark.parametrize("shards", [2, 3])
def test_shards_in_folders_of_their_own_are_merged(
    shards: int, photos: Path, tmp_path: Path
) -> None:
    roots = [tmp_path / f"shard-{index}" for index in range(shards)]
    for index, root in enumerate(roots):
        assert not run_stub(root, [photos], shard=f"{index}/{shards}").finished
    with pytest.raises(UsageError, match="not done"):
        merge_jobs(roots[:-1], tmp_path / "out")
    assert merge_jobs(roots, tmp_path / "merged") == 16
    run_stub(tmp_path / "alone", [photos])
    assert tree(tmp_path / "merged") == tree(tmp_path / "alone")


def test_jobs_of_different_prompts_are_not_merged(photos: Path, tmp_path: Path) -> None:
    for text in ("a", "b"):
        run_stub(tmp_path / text, [photos], texts=(text,))
    with pytest.raises(UsageError, match="different jobs"):
        merge_jobs([tmp_path / "a", tmp_path / "b"], tmp_path / "merged")


def test_a_merge_is_repeated_without_effect_and_mixes_with_nothing(
    photos: Path, tmp_path: Path
) -> None:
    roots, out = [tmp_path / "shard-0", tmp_path / "shard-1"], tmp_path / "merged"
    for index, root in enumerate(roots):
        run_stub(root, [photos], shard=f"{index}/2")
    merge_jobs(roots, out)
    before = tree(out)
    assert merge_jobs(roots, out) == 16
    assert tree(out) == before
    with pytest.raises(UsageError, match="is one of the jobs to merge"):
        merge_jobs(roots, roots[0])
    run_stub(tmp_path / "other", [write_photos(tmp_path / "few", 1)])
    with pytest.raises(UsageError, match="holds another job already"):
        merge_jobs(roots, tmp_path / "other")
    foreign = tmp_path / "foreign" / next(name for name in before if name.startswith("overlay/"))
    foreign.parent.mkdir(parents=True)
    foreign.write_bytes(b"mine")
    with pytest.raises(UsageError, match="files that this job did not write"):
        merge_jobs(roots, tmp_path / "foreign")
    assert [foreign] == [path for path in (tmp_path / "foreign").rglob("*") if path.is_file()]


def test_damaged_records_of_a_shard_are_not_merged(photos: Path, tmp_path: Path) -> None:
    roots = [tmp_path / "shard-0", tmp_path / "shard-1"]
    for index, root in enumerate(roots):
        run_stub(root, [photos], shard=f"{index}/2")
    next((roots[1] / ".vlseg" / "records").rglob("*.jsonl")).write_bytes(b"")
    with pytest.raises(UsageError, match="1 inputs are not done in any of the jobs"):
        merge_jobs(roots, tmp_path / "merged")
