"""What a model cannot be asked it answers with nothing, in its place, and it is told once."""

import pytest
from jobs.stub import StubModel

from vlseg_cli.evaluation.unsupported import UnsupportedTaskAdapter
from vlseg_cli.schema import Expression, Frame, PromptRequest, Question, Task, UsageError
from vlseg_cli.synthetic.draw import draw_scene


class Mute(StubModel):
    """Segments pictures, and does not talk."""

    tasks = frozenset((Task.REFER,))
    session = None  # type: ignore[assignment]


@pytest.fixture
def frames() -> list[Frame]:
    return [Frame(draw_scene(seed, 64).pixels, f"{seed}.png") for seed in (1, 2)]


def test_answers_stay_in_their_places(frames: list[Frame]) -> None:
    said: list[str] = []
    model = UnsupportedTaskAdapter(Mute(), said.append)
    requests = [
        PromptRequest(1, Task.CHAT, Question("what is it?")),
        PromptRequest(0, Task.REFER, Expression("it")),
        PromptRequest(0, Task.CHAT, Question("where?")),
    ]
    silent, found, again = model.predict(model.encode(frames), requests)
    assert (silent.source, silent.text, silent.segments) == ("2.png", "", ())
    assert found.segments and found.prompt is requests[1].prompt
    assert (again.source, again.task) == ("1.png", Task.CHAT)
    assert said == ["The model stub has no chat: it answers that by silence."]


def test_a_model_of_pictures_watches_no_video() -> None:
    with pytest.raises(UsageError, match="answers pictures only"):
        UnsupportedTaskAdapter(Mute(), print).session([])
