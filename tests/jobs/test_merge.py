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
