"""Regions of a row: text and JSON are equivalent, anything else is refused."""

from pathlib import Path

import pytest

from vlseg_cli.cli.prompts import RegionPrompt
from vlseg_cli.cli.prompts_file.row import OF_FRAMES, read_row
from vlseg_cli.schema import Task, UsageError

HERE = Path(__file__).parent
MASK = Path(__file__).name


def read_regions(written: object) -> tuple[RegionPrompt, ...] | None:
    cells = {"input": "a.png", "regions": written}
    return read_row(cells, Task.INTERACTIVE, HERE, OF_FRAMES).regions


@pytest.mark.parametrize(
    ("as_text", "as_json", "region"),
    [
        ("point 120,80", {"point": [120, 80]}, RegionPrompt("point", ((120, 80),))),
        ("point 1,2, 3,4", {"point": [[1, 2], [3, 4]]}, RegionPrompt("point", ((1, 2), (3, 4)))),
        (
            "box 40,30,200,150",
            {"box": [40, 30, 200, 150]},
            RegionPrompt("box", ((40, 30), (200, 150))),
        ),
        (
            "scribble  10,20 60.5,40",
            {"scribble": [[10, 20], [60.5, 40]]},
            RegionPrompt("scribble", ((10, 20), (60.5, 40))),
        ),
        (f"mask {MASK}", {"mask": MASK}, RegionPrompt("mask", HERE / MASK)),
    ],
)
def test_text_and_json_are_equivalent(as_text: str, as_json: object, region: RegionPrompt) -> None:
    assert read_regions(as_text) == read_regions([as_json]) == (region,)


def test_several_regions_keep_their_order() -> None:
    regions = read_regions("box 1,2,3,4; point 5,6; scribble 1,1 2,2; point 7,8;") or ()
    assert [region.kind for region in regions] == ["box", "point", "scribble", "point"]


@pytest.mark.parametrize(
    "written",
    [
        "", "point", "point 1", "point a,b", "point 1,2,3", "box 1,2,3", "box 1,2,3,4,5,6",
        "scribble 1,2 3", "mask", "mask nowhere.png", "120,80", "point 1,nan", 5, [], [5],
        [{}], [{"point": [1, 2], "box": [1, 2, 3, 4]}], [{"point": "1,2"}], [{"point": [True, 1]}],
        [{"mask": 5}], [{"mask": "a\0b"}], [{"box": [[1, 2, 3]]}], ["point 1,2"],
    ],
)  # fmt: skip
def test_what_is_no_region(written: object) -> None:
    with pytest.raises(UsageError, match=r"is no region|no mask file"):
        read_regions(written)
