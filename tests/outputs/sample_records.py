"""Records made by hand: of an image, of video frames, with random content."""

from dataclasses import replace

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from vlseg_cli.schema import Record, Segment, Task, segment_from_mask

TEXTS = st.text(max_size=12)  # any characters, also lone surrogates, as file names may have them


def record(*masks: NDArray[np.bool_], prompt: str | tuple[str, ...] = "it") -> Record:
    """Masks of one size, predicted for a sentence or for category names in their order."""
    names = () if isinstance(prompt, str) else prompt
    segments = tuple(
        segment_from_mask(mask, 0.5, names[index] if names else "it", index if names else None)
        for index, mask in enumerate(masks)
    )
    height, width = masks[0].shape
    return Record(
        input="a.png",
        name="a",
        is_video=False,
        frame=0,
        time=None,
        width=width,
        height=height,
        task=Task.INSTANCE if names else Task.REFER,
        prompt=prompt,
        stuff=(),
        text="",
        segments=segments,
    )


def in_video(one: Record, frame: int, name: str = "film") -> Record:
    """The same record for a frame of a video at 25 frames/s."""
    source = f"{name}.mp4"
    return replace(one, input=source, name=name, is_video=True, frame=frame, time=frame / 25)


def box(height: int, width: int, x: int, y: int, w: int, h: int) -> NDArray[np.bool_]:
    """A mask (height, width) with a filled box."""
    mask = np.zeros((height, width), bool)
    mask[y : y + h, x : x + w] = True
    return mask


@st.composite
def any_record(draw: st.DrawFn) -> Record:
    """Any valid record."""
    height, width = draw(st.integers(1, 9)), draw(st.integers(1, 9))
    is_video = draw(st.booleans())
    prompt = draw(st.one_of(TEXTS, st.lists(TEXTS, max_size=3).map(tuple)))
    names = len(prompt) if isinstance(prompt, tuple) else 0
    index = st.integers(0, names - 1) if names else st.nothing()
    segments = tuple(_segment(draw, height, width, index) for _ in range(draw(st.integers(0, 2))))
    return Record(
        input=draw(TEXTS),
        name=draw(st.from_regex(r"[a-z]{1,8}", fullmatch=True)),
        is_video=is_video,
        frame=draw(st.integers(0, 10**7)) if is_video else 0,
        time=draw(st.floats(0, 1e6)) if is_video else None,
        width=width,
        height=height,
        task=draw(st.sampled_from(Task)),
        prompt=prompt,
        stuff=draw(st.lists(index, max_size=2 if names else 0).map(tuple)),
        text=draw(TEXTS),
        segments=segments,
    )


def _segment(draw: st.DrawFn, height: int, width: int, index: st.SearchStrategy[int]) -> Segment:
    bits = draw(st.integers(0, 2 ** (height * width) - 1))
    cells = [bits >> position & 1 for position in range(height * width)]
    return segment_from_mask(
        np.array(cells, bool).reshape(height, width),
        round(draw(st.floats(0, 1)), 6),
        draw(TEXTS),
        draw(st.none() | index),
        draw(st.none() | st.integers(1, 99)),
    )
