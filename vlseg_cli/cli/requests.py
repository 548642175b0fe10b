"""The requests of a command: texts, categories, regions, or the rows of a prompts file.

Each has three forms: a function that builds the requests for a frame, the JSON values of
``job.json``, and the texts whose unknown words are reported.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vlseg_cli.cli.options import JobOptions
from vlseg_cli.cli.prompts import RegionPrompts, category_prompt, regions_on
from vlseg_cli.jobs.run import BuildRequests
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
    """inputs: as typed. plain: JSON values. texts: texts or names, to report unknown words.

    many: whether a text may mean several segments. has_map: whether there are panoptic maps.
    tracking: whether objects are tracked through videos.
    """

    inputs: Sequence[str]
    requests_for: BuildRequests
    plain: dict[str, Any]
    texts: Sequence[str] = ()
    many: bool = False
    has_map: bool = False
    tracking: bool = False


def text_requests(
    inputs: Sequence[str], task: Task, texts: Sequence[str], options: JobOptions, many: bool
) -> JobRequest:
    """Expressions (Task.REFER, GROUND) or questions (Task.REASON), the same for every frame."""
    kind = Question if task is Task.REASON else Expression
    prompts = [kind(text) for text in texts]

    def build(_model: Segmenter, _item: Item, _frame: Frame) -> list[PromptRequest]:
        return [PromptRequest(0, task, prompt, options.threshold, many) for prompt in prompts]

    return JobRequest(inputs, build, {"task": task.value, "sentences": [*texts]}, texts, many)


def name_requests(
    inputs: Sequence[str], task: Task, names: tuple[str, ...], options: JobOptions
) -> JobRequest:
    """Categories; all that the model was trained with if ``names`` is empty."""

    def build(model: Segmenter, _item: Item, _frame: Frame) -> list[PromptRequest]:
        prompt = category_prompt(names, model, task)
        return [PromptRequest(0, task, prompt, options.threshold)]

    plain = {"task": task.value, "categories": [*names]}
    return JobRequest(inputs, build, plain, names, has_map=task in MAPPED)


def region_requests(
    inputs: Sequence[str], regions: RegionPrompts, options: JobOptions
) -> JobRequest:
    """Regions, one segment for each. Raises InputError for a mask that cannot be read."""

    def build(_model: Segmenter, _item: Item, frame: Frame) -> list[PromptRequest]:
        return [PromptRequest(0, Task.INTERACTIVE, regions_on(regions, frame), options.threshold)]

    return JobRequest(inputs, build, {"regions": [region.to_json() for region in regions]})


def has_maps(plain: Mapping[str, Any]) -> bool:
    """Whether a job with these requests has panoptic maps; with a prompts file it may."""
    return plain.get("task") in MAPPED or "prompts" in plain


def tracking_requests(
    inputs: Sequence[str],
    texts: Sequence[Expression | Question],
    names: tuple[str, ...] | None,
    regions: RegionPrompts,
    at: int | None,
    options: JobOptions,
    many: bool,
) -> JobRequest:
    """Everything to track at once, in this order.

    names: None for no names, () for all that the model was trained with. at: the frame of a video
    that the regions are in, None for its first.
    """

    def build(model: Segmenter, _item: Item, frame: Frame) -> list[PromptRequest]:
        first = frame.index if at is None else at
        prompts: list[tuple[Task, Prompt]] = [(_task_of(one), one) for one in texts]
        if names is not None:
            prompts.append((Task.VIS, category_prompt(names, model, Task.VIS)))
        if regions:
            prompts.append((Task.VOS, regions_on(regions, frame)))
        return [
            PromptRequest(first, task, prompt, options.threshold, many) for task, prompt in prompts
        ]

    plain = {
        "task": "track",
        "sentences": [[_task_of(one).value, one.text] for one in texts],
        "categories": names,
        "regions": [region.to_json() for region in regions],
        "at": at,
    }
    return JobRequest(
        inputs, build, plain, [*(one.text for one in texts), *(names or ())], many, tracking=True
    )


def _task_of(prompt: Expression | Question) -> Task:
    return Task.REFER if isinstance(prompt, Expression) else Task.REASON


def row_requests(
    default: Task, options: JobOptions, many: bool, others: object, tracking: bool = False
) -> JobRequest:
    """The rows of ``--prompts FILE``.

    default: the task of rows that name none. others: inputs and prompts of the command line, which
    must be empty. Raises UsageError if they are not, and as PromptFile does.
    """
    from vlseg_cli.cli.prompts_file import PromptFile
    from vlseg_cli.cli.prompts_file.row import OF_FRAMES, OF_VIDEOS

    assert options.prompts is not None
    if others:
        raise UsageError(
            "--prompts FILE contains its own inputs and prompts: give neither INPUT nor other"
            " prompts with it."
        )
    tasks = OF_VIDEOS if tracking else OF_FRAMES
    file = PromptFile(options.prompts, default, options.threshold, many, tasks)

    def build(model: Segmenter, item: Item, frame: Frame) -> list[PromptRequest]:
        return file.requests(item.source, frame, model)

    has_map = not file.tasks.isdisjoint(MAPPED)
    plain = {"prompts": file.digest} | ({"task": "track"} if tracking else {})
    return JobRequest(file.inputs, build, plain, file.texts, many, has_map, tracking)
