"""What a command asks of its inputs: sentences, names, places, or the rows of a prompts file.

Each is put three ways: as the job asks it of a frame, as it stands in ``job.json``, and as the
words that a model may or may not know.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vlseg_cli.cli.job_options import JobOptions
from vlseg_cli.cli.names import prompt_for
from vlseg_cli.cli.regions import RegionPrompts, regions_on
from vlseg_cli.jobs.run import AskAbout
from vlseg_cli.models.base import Segmenter
from vlseg_cli.schema import (
    Expression,
    Frame,
    Item,
    Prompt,
    PromptRequest,
    Question,
    Task,
    UsageError,
)

MAPPED = (Task.PANOPTIC, Task.SEMANTIC)


@dataclass(frozen=True, slots=True)
class JobRequest:
    """inputs: as typed. plain: in JSON values. words: sentences or names, for their vocabulary.

    many: whether sentences may mean several segments. has_map: whether panoptic maps are made.
    through_time: whether what is asked is followed through videos.
    """

    inputs: Sequence[str]
    ask: AskAbout
    plain: dict[str, Any]
    words: Sequence[str] = ()
    many: bool = False
    has_map: bool = False
    through_time: bool = False


def text_requests(
    inputs: Sequence[str], task: Task, sentences: Sequence[str], choices: JobOptions, many: bool
) -> JobRequest:
    """Expressions (Task.REFER, GROUND) or questions (Task.REASON), all of every frame."""
    kind = Question if task is Task.REASON else Expression
    prompts = [kind(sentence) for sentence in sentences]

    def ask(_model: Segmenter, _item: Item, _frame: Frame) -> list[PromptRequest]:
        return [PromptRequest(0, task, prompt, choices.threshold, many) for prompt in prompts]

    return JobRequest(inputs, ask, {"task": task.value, "sentences": [*sentences]}, sentences, many)


def name_requests(
    inputs: Sequence[str], task: Task, names: tuple[str, ...], choices: JobOptions
) -> JobRequest:
    """Categories, all that the model was trained with if ``names`` is empty."""

    def ask(model: Segmenter, _item: Item, _frame: Frame) -> list[PromptRequest]:
        prompt = prompt_for(names, model, task)
        return [PromptRequest(0, task, prompt, choices.threshold)]

    plain = {"task": task.value, "categories": [*names]}
    return JobRequest(inputs, ask, plain, names, has_map=task in MAPPED)


def region_requests(
    inputs: Sequence[str], places: RegionPrompts, choices: JobOptions
) -> JobRequest:
    """Regions, each answered on its own. Raises InputError for a mask that cannot be read."""

    def ask(_model: Segmenter, _item: Item, frame: Frame) -> list[PromptRequest]:
        return [PromptRequest(0, Task.INTERACTIVE, regions_on(places, frame), choices.threshold)]

    return JobRequest(inputs, ask, {"regions": [place.plain() for place in places]})


def makes_maps(plain: Mapping[str, Any]) -> bool:
    """Whether a job that was asked this makes panoptic maps; of rows some may."""
    return plain.get("task") in MAPPED or "prompts" in plain


def tracking_requests(
    inputs: Sequence[str],
    sentences: Sequence[Expression | Question],
    names: tuple[str, ...] | None,
    places: RegionPrompts,
    at: int | None,
    choices: JobOptions,
    many: bool,
) -> JobRequest:
    """Everything that is to be followed at once, in this order.

    names: None for no names, () for all that the model was trained with. at: the frame of a video
    in which the places are, None for its first.
    """

    def ask(model: Segmenter, _item: Item, frame: Frame) -> list[PromptRequest]:
        first = frame.index if at is None else at
        prompts: list[tuple[Task, Prompt]] = [(_task_of(one), one) for one in sentences]
        if names is not None:
            prompts.append((Task.VIS, prompt_for(names, model, Task.VIS)))
        if places:
            prompts.append((Task.VOS, regions_on(places, frame)))
        return [
            PromptRequest(first, task, prompt, choices.threshold, many) for task, prompt in prompts
        ]

    plain = {
        "task": "track",
        "sentences": [[_task_of(one).value, one.text] for one in sentences],
        "categories": names,
        "regions": [place.plain() for place in places],
        "at": at,
    }
    words = [*(one.text for one in sentences), *(names or ())]
    return JobRequest(inputs, ask, plain, words, many, through_time=True)


def _task_of(sentence: Expression | Question) -> Task:
    return Task.REFER if isinstance(sentence, Expression) else Task.REASON


def row_requests(
    default: Task, choices: JobOptions, many: bool, beside: object, through_time: bool = False
) -> JobRequest:
    """What stands in ``--prompts FILE``.

    default: the task of rows that name none. beside: what else was given, which must be nothing.
    Raises UsageError if it is not, and as PromptFile does.
    """
    from vlseg_cli.cli.prompts_file import PromptFile
    from vlseg_cli.cli.prompts_file.row import OF_FRAMES, OF_VIDEOS

    assert choices.prompts is not None
    if beside:
        raise UsageError(
            "--prompts FILE brings its own inputs and prompts: give neither INPUT nor other"
            " prompts with it."
        )
    tasks = OF_VIDEOS if through_time else OF_FRAMES
    file = PromptFile(choices.prompts, default, choices.threshold, many, tasks)

    def ask(model: Segmenter, item: Item, frame: Frame) -> list[PromptRequest]:
        return file.requests(item.source, frame, model)

    has_map = not file.tasks.isdisjoint(MAPPED)
    plain = {"prompts": file.digest} | ({"task": "track"} if through_time else {})
    return JobRequest(file.inputs, ask, plain, file.texts, many, has_map, through_time)
