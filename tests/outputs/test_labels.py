"""Labels are placed at their segment, inside the image, without overlap."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import ImageFont

from vlseg_cli.outputs.labels import Label, draw_labels, innermost_point, shortened

FONT = ImageFont.load_default(16)


@settings(max_examples=60, deadline=None)
@given(arrays.arrays(bool, st.tuples(st.integers(1, 300), st.integers(1, 300))), st.data())
def test_the_innermost_point_lies_on_the_mask(mask: np.ndarray, data: st.DataObject) -> None:
    mask[data.draw(st.integers(0, mask.shape[0] - 1)), :] = True
    x, y = innermost_point(mask)
    assert mask[y, x]


def test_innermost_point_of_a_ring_and_of_a_box() -> None:
    y, x = np.mgrid[:201, :201] - 100
    ring = (x**2 + y**2 < 95**2) & (x**2 + y**2 > 40**2)
    x0, y0 = innermost_point(ring)
    assert ring[y0, x0]
    assert 55 < np.hypot(x0 - 100, y0 - 100) < 80
    box = np.zeros((90, 90), bool)
    box[20:61, 30:71] = True
    assert innermost_point(box) == (50, 40)


@given(st.text(max_size=80), st.integers(20, 300))
def test_shortened_text_fits_on_one_line(text: str, width: int) -> None:
    short = shortened(text, FONT, width)
    assert "\n" not in short
    assert FONT.getlength(short) <= max(width, FONT.getlength("…"))


def test_short_text_is_unchanged() -> None:
    assert shortened("a  red\ncup", FONT, 500) == "a red cup"


def plates(pixels: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    """Rows and columns of a label background of this color."""
    return np.argwhere((pixels == color).all(-1))


def test_a_label_is_inside_a_large_segment_and_above_a_small_one() -> None:
    image = np.zeros((300, 400, 3), np.uint8)
    large = Label("sky", 0.9, (200, 0, 0), (0, 100, 400, 200), (200, 200))
    small = Label("cup", 0.9, (0, 200, 0), (50, 60, 12, 12), (56, 66))
    draw_labels(image, [large, small])
    assert np.abs(plates(image, (200, 0, 0)).mean(0) - (200, 200)).max() < 12
    assert plates(image, (0, 200, 0))[:, 0].max() < 60


def test_labels_at_the_same_position_do_not_overlap() -> None:
    image = np.zeros((200, 300, 3), np.uint8)
    colors = [(200, 0, 0), (0, 200, 0), (0, 0, 200)]
    draw_labels(image, [Label("a", 1.0, c, (100, 90, 9, 9), (104, 94)) for c in colors])
    for color in colors:
        assert len(plates(image, color)) > 200


def test_non_ascii_characters_are_drawn() -> None:
    images = []
    for text in ["ж", "щ"]:
        image = np.zeros((80, 200, 3), np.uint8)
        draw_labels(image, [Label(text, 1.0, (200, 0, 0), (0, 0, 200, 80), (100, 40))])
        images.append(image)
    assert not np.array_equal(*images)


def test_only_the_label_background_changes_pixels() -> None:
    image = np.full((200, 300, 3), 40, np.uint8)
    draw_labels(image, [Label("cup", 0.5, (200, 0, 0), (100, 90, 60, 60), (130, 120))])
    rows, columns = np.nonzero((image != 40).any(-1))
    assert np.ptp(rows) < 20 and np.ptp(columns) < 80
