"""`vlseg world` writes the given scenes."""

import json
from pathlib import Path

import pytest

from vlseg_cli.cli.world import choose_seeds
from vlseg_cli.schema import UsageError


@pytest.mark.parametrize(
    ("scenes", "seeds", "expected"),
    [
        (None, None, range(10)),
        (3, None, range(3)),
        (None, "5:9", range(5, 9)),
        (2, "5:9", range(5, 7)),
        (4, "5:9", range(5, 9)),
    ],
)
def test_scenes_and_seeds_together(scenes, seeds, expected: range) -> None:
    assert choose_seeds(scenes, seeds) == expected


def test_more_scenes_than_seeds_is_an_error() -> None:
    with pytest.raises(UsageError, match="fewer than 5"):
        choose_seeds(5, "5:9")


def test_scenes_are_written_with_ground_truth(vlseg, tmp_path: Path) -> None:
    ran = vlseg("world", "scenes", "--scenes", 2, "--seeds", "7:20", "--size", 96)
    assert (ran.code, ran.out) == (0, "")
    assert "Drew 2 scenes into scenes" in ran.err
    assert len(list((tmp_path / "scenes" / "images").iterdir())) == 2
    assert len(json.loads((tmp_path / "scenes" / "instances.json").read_text())["images"]) == 2
