"""The overlay has the size of the image and draws every segment at its position."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.colors import color_of
from vlseg_cli.outputs.overlay import OverlaySink, draw_overlay
from vlseg_cli.schema import (
    Categories,
    Frame,
    Item,
    Prediction,
    Question,
    Record,
    Task,
    segment_from_mask,
)


def big_frame() -> Frame:
    """A plain dark image of 400 x 300."""
    return Frame(np.full((300, 400, 3), 40, np.uint8), "dark.png")


def prediction(frame: Frame, *masks: np.ndarray) -> Prediction:
    """The prediction of one question with these masks."""
    segments = tuple(segment_from_mask(mask, 0.5, "it") for mask in masks)
    size = (frame.source, 0, frame.height, frame.width)
    return Prediction(*size, Task.REASON, Question("what?"), segments)


def test_the_mask_is_tinted_and_other_pixels_are_unchanged() -> None:
    frame = big_frame()
    mask = np.zeros((300, 400), bool)
    mask[100:200, 100:300] = True
    pixels = draw_overlay(frame, [prediction(frame, mask)])
    assert pixels.shape == frame.pixels.shape
    expected = 0.55 * 40 + 0.45 * np.array(color_of(0))
    assert np.abs(pixels[190, 290].astype(int) - expected).max() <= 1
    assert tuple(pixels[100, 150]) == color_of(0)  # the outline
    outside = ~mask
    outside[99:201, 99:301] = False  # one pixel of contrast around the outline
    assert (pixels[outside] == 40).all()


def test_the_color_of_a_track_does_not_depend_on_its_index() -> None:
    frame = big_frame()
    left, right = np.zeros((2, 300, 400), bool)
    left[100:200, 10:100], right[100:200, 300:390] = True, True
    one = prediction(frame, left, right)
    for numbers in ((1, 2), (2, 1)):
        segments = tuple(
            dataclasses.replace(segment, track_id=number)
            for segment, number in zip(one.segments, numbers, strict=True)
        )
        pixels = draw_overlay(frame, [dataclasses.replace(one, segments=segments)])
        assert tuple(pixels[100, 50]) == color_of(numbers[0] - 1)
        assert tuple(pixels[100, 350]) == color_of(numbers[1] - 1)


def test_the_input_frame_is_not_modified() -> None:
    frame = big_frame()
    draw_overlay(frame, [prediction(frame, np.ones((300, 400), bool))])
    assert (frame.pixels == 40).all()


def test_a_small_segment_stays_visible_on_a_large_one() -> None:
    frame = big_frame()
    small = np.zeros((300, 400), bool)
    small[250:280, 20:50] = True
    for masks in ([small, ~small], [~small, small], [small, np.ones_like(small)]):
        pixels = draw_overlay(frame, [prediction(frame, *masks)])
        assert np.abs(pixels[265, 35].astype(int) - pixels[290, 35]).max() > 20


def test_semantic_colors_follow_the_category() -> None:
    frame = big_frame()
    left = np.zeros((300, 400), bool)
    left[:, :200] = True
    names = Categories(("cup", "dog", "sky"))
    made = prediction(frame, left)
    segment = dataclasses.replace(made.segments[0], category_id=2)
    made = dataclasses.replace(made, task=Task.SEMANTIC, prompt=names, segments=(segment,))
    assert tuple(draw_overlay(frame, [made])[290, 199]) == color_of(2)


def test_detections_are_drawn_as_boxes() -> None:
    frame = big_frame()
    y, x = np.mgrid[:300, :400]
    made = prediction(frame, abs(x - 200) + abs(y - 150) <= 100)  # a diamond
    pixels = draw_overlay(frame, [dataclasses.replace(made, task=Task.DETECT)])
    for corner in [(50, 100), (50, 300), (250, 100), (250, 300)]:
        assert tuple(pixels[corner]) == color_of(0)
    assert (pixels[200, 200] == 40).all()


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1), (7, 9), (64, 64)])
def test_tiny_images_can_be_drawn(size: tuple[int, int]) -> None:
    frame = Frame(np.zeros((*size, 3), np.uint8), "tiny.png")
    for mask in (np.ones(size, bool), np.zeros(size, bool)):
        assert draw_overlay(frame, [prediction(frame, mask)]).shape == (*size, 3)


def test_a_frame_without_segments_is_not_copied() -> None:
    frame = big_frame()
    assert draw_overlay(frame, [prediction(frame)]) is frame.pixels


def test_records_are_drawn_like_predictions(
    frame: Frame,
    reason: Prediction,
    panoptic: Prediction,
    reason_record: Record,
    panoptic_record: Record,
) -> None:
    drawn = draw_overlay(frame, [reason, panoptic])
    assert np.array_equal(drawn, draw_overlay(frame, [reason_record, panoptic_record]))
    assert not np.array_equal(drawn, frame.pixels)


def test_the_sink_writes_a_png_per_image_and_a_folder_per_video(
    folder: OutputFolder, frame: Frame, item: Item, reason_record: Record
) -> None:
    sink = OverlaySink(folder)
    sink.write(frame, item, 0, [reason_record])
    sink.end_chunk(item, 0)
    video = dataclasses.replace(item, name="film", is_video=True)
    sink.write(dataclasses.replace(frame, index=12, time=0.5), video, 0, [])
    sink.end_chunk(video, 0)
    with Image.open(folder.root / "overlay" / "kitchen.png") as image:
        assert (image.mode, image.size) == ("RGB", (80, 60))
        assert np.array_equal(np.asarray(image), draw_overlay(frame, [reason_record]))
    with Image.open(folder.root / "overlay" / "film" / "000012.png") as image:
        assert np.array_equal(np.asarray(image), frame.pixels)


def test_an_abandoned_chunk_leaves_no_image(
    folder: OutputFolder, frame: Frame, item: Item, reason_record: Record
) -> None:
    sink = OverlaySink(folder)
    video = dataclasses.replace(item, name="film", is_video=True)
    for index in range(4):
        sink.write(dataclasses.replace(frame, index=index), video, index // 2, [reason_record])
        if index == 1:
            sink.end_chunk(video, 0)
    sink.abandon()
    written = sorted(path.name for path in (folder.root / "overlay" / "film").iterdir())
    assert written == ["000000.png", "000001.png"]


def test_a_predicted_box_is_drawn_at_its_position() -> None:
    """It may lie beside its mask, end between pixels and have no mask at all."""
    frame = big_frame()
    mask = np.zeros((300, 400), bool)
    mask[120:180, 150:200] = True
    made = prediction(frame, mask, np.zeros_like(mask))
    boxes = [(100.2, 90.4, 120.0, 80.0), (300.0, 20.0, 50.0, 60.0)]
    segments = [
        dataclasses.replace(segment, bbox=bbox)
        for segment, bbox in zip(made.segments, boxes, strict=True)
    ]
    drawn = dataclasses.replace(made, task=Task.GROUND, segments=tuple(segments))
    pixels = draw_overlay(frame, [drawn])
    assert tuple(pixels[160, 100]) in (color_of(0), color_of(1))
    assert tuple(pixels[60, 300]) in (color_of(0), color_of(1))
    assert (pixels[:15] == 40).all() and (pixels[175:] == 40).all()
