"""The best and the worst predictions of a run, shown in the report.

Only a handful per task is held at any time, so memory does not grow with the benchmark.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage

from vlseg_cli.outputs.colors import RGB, color_of, ink_on
from vlseg_cli.schema import (
    Categories,
    Frame,
    Prediction,
    Query,
    Region,
    Regions,
    Segment,
    Task,
    decode_rle,
)


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """One prediction with its truth and its own score in [0, 1].

    measure: what the score is: 'IoU', 'PQ', …. position: which of the query's regions it is
    about, 0 for sentences; a prompt of names is one case as a whole.
    """

    frame: Frame
    query: Query
    prediction: Prediction
    measure: str
    score: float
    position: int = 0

    @property
    def text(self) -> str:
        """The prompt in one line."""
        prompt = self.query.prompt
        if isinstance(prompt, Categories):
            return f"all {len(prompt.names)} names"
        return f"this {self.query.kind}" if isinstance(prompt, Regions) else prompt.text

    @property
    def region(self) -> Region | None:
        """The region of the prompt, if any."""
        prompt = self.query.prompt
        return prompt.regions[self.position] if isinstance(prompt, Regions) else None

    @property
    def truth(self) -> NDArray[np.bool_]:
        """The true masks, (N, H, W): all for a prompt of names, one otherwise."""
        return self.query.masks[self._slice]

    @property
    def segments(self) -> tuple[Segment, ...]:
        """The predicted segments: all for a prompt of names, at most one otherwise."""
        return self.prediction.segments[self._slice]

    @property
    def _slice(self) -> slice:
        if isinstance(self.query.prompt, Categories):
            return slice(None)
        return slice(self.position, self.position + 1)


class CaseKeeper:
    """The ``keep`` best and worst cases of each task, at most one of each per image."""

    def __init__(self, keep: int = 6) -> None:
        self._keep = keep
        self._best: dict[Task, list[Case]] = {}
        self._worst: dict[Task, list[Case]] = {}

    def add(self, cases: Iterable[Case]) -> None:
        """Take more cases; those that are neither among the best nor the worst are dropped."""
        for case in cases:
            task = case.query.task
            for shelf, sign in ((self._best, -1), (self._worst, 1)):
                row = sorted([*shelf.get(task, []), case], key=partial(_rank, sign))
                shelf[task] = list(_one_per_image(row))[: self._keep]

    def best(self, task: Task) -> list[Case]:
        """Highest score first."""
        return self._best.get(task, [])

    def worst(self, task: Task) -> list[Case]:
        """Lowest score first."""
        return self._worst.get(task, [])


def _rank(sign: int, case: Case) -> tuple[float, str]:
    """Of equal scores the same cases are kept, in any order."""
    return sign * case.score, case.frame.source


def _one_per_image(cases: Iterable[Case]) -> Iterator[Case]:
    seen: set[str] = set()
    for case in cases:
        if case.frame.source not in seen:
            seen.add(case.frame.source)
            yield case


_SIDE = 512  # px: small scenes are enlarged to about this
_FILL = 0.5  # opacity of a prediction
_LINE = 2  # px of an outline
_MIN_SCORE = 0.5  # of a predicted box that is drawn
_PROMPT: RGB = (255, 215, 0)
_WHITE: RGB = (255, 255, 255)
_BLACK: RGB = (0, 0, 0)


def draw_case(case: Case) -> Image.Image:
    """Draw prediction, truth and prompt over the image; small images are enlarged."""
    frame = case.frame
    scale = max(1, round(_SIDE / max(frame.height, frame.width)))
    size = (frame.width * scale, frame.height * scale)
    image = Image.fromarray(frame.pixels).resize(size, Image.Resampling.BICUBIC)
    if case.query.task is Task.DETECT:
        _draw_boxes(image, case, scale)
        return image
    for number, segment in enumerate(case.segments):
        area = _enlarged(decode_rle(segment.rle), scale).point(lambda value: round(_FILL * value))
        image.paste(color_of(number), mask=area)
    for mask in case.truth:
        _outline(image, mask, scale, _WHITE)
    if case.region is not None:
        _outline(image, case.region.mask, scale, _PROMPT)
    return image


def _draw_boxes(image: Image.Image, case: Case, scale: int) -> None:
    """White true boxes below, predicted boxes above."""
    pen = ImageDraw.Draw(image)
    for mask in case.truth:
        box = Image.fromarray(mask).getbbox()
        if box is not None:
            pen.rectangle([side * scale for side in box], outline=_WHITE, width=_LINE)
    confident = [segment for segment in case.segments if segment.score >= _MIN_SCORE]
    for number, segment in enumerate(confident):
        color = color_of(number)
        x, y, width, height = (side * scale for side in segment.bbox)
        pen.rectangle((x, y, x + width, y + height), outline=color, width=_LINE)
        pen.text(
            (x + 4, y + 2), segment.label, fill=ink_on(color), stroke_width=2, stroke_fill=color
        )


def _outline(image: Image.Image, mask: NDArray[np.bool_], scale: int, color: RGB) -> None:
    """A line just inside the mask's edge, with a dark one just outside so that it always shows."""
    whole = np.asarray(_enlarged(mask, scale)) > 0
    outer = ndimage.binary_dilation(whole) & ~whole
    inner = whole & ~ndimage.binary_erosion(whole, iterations=_LINE)
    image.paste(_BLACK, mask=Image.fromarray(outer))
    image.paste(color, mask=Image.fromarray(inner))


def _enlarged(mask: NDArray[np.bool_], scale: int) -> Image.Image:
    """0 or 255, ``scale`` times as large."""
    size = (mask.shape[1] * scale, mask.shape[0] * scale)
    return Image.fromarray(mask).convert("L").resize(size, Image.Resampling.NEAREST)
