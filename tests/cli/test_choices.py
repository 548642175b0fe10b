"""The shared options are in the help of every command that answers, each in its panel."""

import pytest

from vlseg_cli.cli.choices import Choices
from vlseg_cli.schema import Clip, UsageError

PANELS = {
    "Model": ["--model", "--device", "--dtype", "--threshold"],
    "Video": ["--stride", "--max-frames", "--start", "--end"],
    "Batch": ["--batch-size", "--shard", "--overwrite", "--fail-fast", "--null", "-0"],
    "Output": ["--out", "--save", "--json", "--quiet", "--progress"],
}


@pytest.mark.parametrize("name", ["segment", "refer", "reason", "detect"])
def test_the_help_has_them_in_panels(vlseg, name: str) -> None:
    said = vlseg(name, "--help").out
    for panel, options in PANELS.items():
        part = said[said.index(f"─ {panel} ─") :].split("╰")[0]
        for option in options:
            assert f" {option} " in part
    assert "Images, videos, folders, patterns, lists (.txt), - for stdin" in said


def test_a_clip_is_a_part_of_a_video() -> None:
    assert Choices().clip == Clip()
    assert Choices(stride=2, start=1.5, end=3, max_frames=9).clip == Clip(2, 1.5, 3, 9)
    for start, end in [(3.0, 3.0), (5.0, 2.0), (None, 0.0)]:
        with pytest.raises(UsageError, match="--end"):
            _ = Choices(start=start, end=end).clip
