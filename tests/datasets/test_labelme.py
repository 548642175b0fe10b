"""ReasonSeg's shapes: which of them wins a pixel, and which pixels do not count."""

from typing import Any

from vlseg_cli.datasets.labelme import shape_masks


def square(label: str, first: int, last: int) -> dict[str, Any]:
    corners = [[first, first], [last, first], [last, last], [first, last]]
    return {"label": label, "points": corners}


def test_smaller_shapes_lie_on_larger_ones_in_whatever_order_they_come() -> None:
    shapes = [square("ignore", 3, 5), square("target", 1, 8), square("target", 4, 4)]
    target, ignore = shape_masks(shapes, 10, 10)
    assert target.sum() == 64 - 9 + 1
    assert ignore.sum() == 9 - 1
    assert target[4, 4] and not (target & ignore).any()


def test_of_equal_shapes_the_first_listed_ends_on_top() -> None:
    target, ignore = shape_masks([square("target", 2, 4), square("ignore", 2, 4)], 8, 8)
    assert (target.sum(), ignore.sum()) == (9, 0)


def test_flags_are_no_masks_and_any_ignore_is_one() -> None:
    shapes = [square("Flag", 0, 9), square("Ignored area", 1, 2), square("flagpole", 5, 6)]
    target, ignore = shape_masks(shapes, 10, 10)
    assert (target.sum(), ignore.sum()) == (4, 4)


def test_hyperseg_takes_ignored_pixels_for_background() -> None:
    shapes = [square("target", 1, 4), square("ignore", 0, 9)]
    larger = shape_masks(shapes, 10, 10, ignore_is_background=True)
    assert (larger.target.sum(), larger.ignore.sum()) == (16, 0)
    shapes[1] = square("ignore", 2, 3)
    assert shape_masks(shapes, 10, 10, ignore_is_background=True).target.sum() == 12


def test_no_shapes_leave_nothing() -> None:
    target, ignore = shape_masks([], 4, 6)
    assert target.shape == (4, 6) and not target.any() and not ignore.any()
