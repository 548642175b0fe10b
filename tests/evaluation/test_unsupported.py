"""Unsupported tasks get empty predictions, in their order, and one note."""

import pytest
from jobs.stub import StubModel

from vlseg_cli.evaluation.unsupported import UnsupportedTaskAdapter
from vlseg_cli.schema import Expression, Frame, PromptRequest, Question, Task, UsageError
from vlseg_cli.synthetic.draw import draw_scene


class ReferOnly(StubModel):
    """Segments images, and generates no text."""

    tasks = frozenset((Task.REFER,))
    session = None  # type: ignore[assignment]


@pytest.fixture
def frames() -> list[Frame]:
    return [Frame(draw_scene(seed, 64).pixels, f"{seed}.png") for seed in (1, 2)]


def test_predictions_keep_their_order(frames: list[Frame]) -> None:
    notes: list[str] = []
    model = UnsupportedTaskAdapter(ReferOnly(), notes.append)
    requests = [
        PromptRequest(1, Task.CHAT, Question("what is it?")),
        PromptRequest(0, Task.REFER, Expression("it")),
        PromptRequest(0, Task.CHAT, Question("where?")),
    ]
    empty, found, again = model.predict(model.encode(frames), requests)
    assert (empty.source, empty.text, empty.segments) == ("2.png", "", ())
    assert found.segments and found.prompt is requests[1].prompt
    assert (again.source, again.task) == ("1.png", Task.CHAT)
    assert notes == ["The model stub does not support chat: its predictions are empty."]


def test_a_model_of_images_refuses_video() -> None:
    with pytest.raises(UsageError, match="takes images only"):
        UnsupportedTaskAdapter(ReferOnly(), print).session([])
