"""A frame and predictions for it made by hand, for every output format."""

from pathlib import Path

import numpy as np
import pytest

from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.records import make_record
from vlseg_cli.schema import (
    Categories,
    Frame,
    Item,
    PanopticMap,
    Prediction,
    Question,
    Record,
    Task,
    segment_from_mask,
)

HEIGHT, WIDTH = 60, 80
NAMES = Categories(("cup", "sky", "table"), (False, True, False))
QUESTION = "what keeps food cold?"


@pytest.fixture
def folder(tmp_path: Path) -> OutputFolder:
    """A fresh output folder."""
    return OutputFolder(tmp_path / "out")


@pytest.fixture
def frame() -> Frame:
    """A noisy gray image."""
    rng = np.random.default_rng(1)
    return Frame(rng.integers(90, 160, (HEIGHT, WIDTH, 3), np.uint8), "rooms/kitchen.png")


@pytest.fixture
def item(frame: Frame) -> Item:
    """The image as an item of a job."""
    return Item(0, frame.source, "kitchen", is_video=False, bytes=1, modified=1)


@pytest.fixture
def panoptic(frame: Frame) -> Prediction:
    """Sky above, a table below with a cup on it; the last column is void."""
    ids = np.zeros((HEIGHT, WIDTH), np.int32)
    ids[:30, :79], ids[30:, :79], ids[25:37, 20:30] = 1, 2, 3
    segments = tuple(
        segment_from_mask(ids == number, 0.9, name, NAMES.names.index(name))
        for number, name in enumerate(["sky", "table", "cup"], start=1)
    )
    return Prediction(
        source=frame.source,
        frame=0,
        height=HEIGHT,
        width=WIDTH,
        task=Task.PANOPTIC,
        prompt=NAMES,
        segments=segments,
        panoptic=PanopticMap(ids),
    )


@pytest.fixture
def reason(frame: Frame) -> Prediction:
    """The prediction of a question: the box x 5, y 6, 30 wide, 40 high."""
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[6:46, 5:35] = True
    segment = segment_from_mask(mask, 0.875, QUESTION)
    return Prediction(
        frame.source, 0, HEIGHT, WIDTH, Task.REASON, Question(QUESTION), (segment,), "the fridge"
    )


@pytest.fixture
def panoptic_record(panoptic: Prediction, item: Item) -> Record:
    """The panoptic prediction as a record."""
    return make_record(panoptic, item, None)


@pytest.fixture
def reason_record(reason: Prediction, item: Item) -> Record:
    """The prediction of the question as a record."""
    return make_record(reason, item, None)
