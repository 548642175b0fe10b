"""The notation of drawings: what a line paints, and what is no line."""

import numpy as np
import pytest

from vlseg_cli.synthetic.drawing.canvas import Brush, DrawingCanvas, Pose
from vlseg_cli.synthetic.drawing.constructions.parts import NotationError, read_parts
from vlseg_cli.synthetic.rng import DrawingRng

MAIN = (200, 40, 40)


def _painted(text: str, numbers: tuple[float, ...] = (0.5,)) -> np.ndarray:
    """Pixels (100, 100, 3) of a drawing that fills them."""
    canvas = DrawingCanvas(100, 100)
    brush = Brush(canvas, 1, Pose(0, 0, 100, 100), MAIN, DrawingRng(numbers))
    read_parts(text).paint(brush)
    return canvas.pixels()


def _share(pixels: np.ndarray, rgb: tuple[int, int, int] = MAIN) -> float:
    return float((np.abs(pixels.astype(int) - rgb).max(-1) < 3).mean())


@pytest.mark.parametrize(
    ("line", "share"),
    [
        ("rect main .1,.2 .6,.8", 0.3),
        ("poly main 0,0 1,0 0,1", 0.5),
        ("oval main .5,.5 .4,.25", np.pi * 0.1),
        ("disc main .5,.5 .3", np.pi * 0.09),
        ("ring main .5,.5 .3,.3 .1", np.pi * 0.06),
        ("bar main .1 0,.5 1,.5", 0.1),
        ("rect main 0,0 .1,1 *3:.2,0", 0.3),
        ("rect main 0,0 .2,1 mirror", 0.4),
        ("grid main 0,0 1,1 2 2 .25", 0.25),
        ("rect white 0,0 1,1\nrect main 0,0 .5,1  # half", 0.5),
        ("tone = main\nrect tone 0,0 .5,1", 0.5),
    ],
)
def test_a_part_covers_its_share_of_the_box(line: str, share: float) -> None:
    assert _share(_painted(line)) == pytest.approx(share, abs=0.03)


def test_smooth_polygons_are_larger_than_their_corners() -> None:
    corners = ".2,.2 .8,.2 .8,.8 .2,.8"
    assert _share(_painted(f"blob main {corners}")) > _share(_painted(f"poly main {corners}"))


def test_chance_branch_and_choice_depend_on_the_random_numbers() -> None:
    assert _share(_painted("rect main 0,0 1,1 ?.3", (0.2,))) == 1
    assert _share(_painted("rect main 0,0 1,1 ?.3", (0.4,))) == 0
    either = "a: rect main 0,0 1,1\nb: rect black 0,0 1,1"
    assert [_share(_painted(either, (number,))) for number in (0.1, 0.9)] == [1, 0]
    assert _share(_painted("rect gold|main 0,0 1,1", (0.9,))) == 1


@pytest.mark.parametrize(
    "line",
    [
        "square main 0,0 1,1",
        "rect main 0,0",
        "oval main .5,.5 .1",
        "poly main 0,0 1,1",
        "bar main x",
    ],
)
def test_a_line_that_is_no_part_is_quoted(line: str) -> None:
    with pytest.raises(NotationError, match=line.split()[0]):
        read_parts(line)
