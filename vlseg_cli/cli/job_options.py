"""Options that several commands share, as the fields of a dataclass.

Typer reads a command's options from its signature; ``expand_options`` puts the fields of a
parameter that is a dataclass into it, so that they are written once for five commands.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, fields, is_dataclass
from functools import wraps
from typing import Any

from vlseg_cli.cli import options
from vlseg_cli.cli.console import Console
from vlseg_cli.models.base import FULL, Dtype, Segmenter
from vlseg_cli.models.proposals.base import TORCH, ProposalOptions
from vlseg_cli.schema import FrameRange, UsageError


def expand_options(command: Callable[..., None]) -> Callable[..., None]:
    """Make every field of a parameter that is a dataclass a parameter of the command."""
    signature = inspect.signature(command, eval_str=True)
    groups: dict[str, Any] = {
        name: parameter.annotation
        for name, parameter in signature.parameters.items()
        if is_dataclass(parameter.annotation)
    }

    @wraps(command)
    def expanded(**values: Any) -> None:
        for name, group in groups.items():
            values[name] = group(**{field.name: values.pop(field.name) for field in fields(group)})
        command(**values)

    shown: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        if name in groups:
            shown += inspect.signature(parameter.annotation, eval_str=True).parameters.values()
        else:
            shown.append(parameter)
    keyword_only = [one.replace(kind=inspect.Parameter.KEYWORD_ONLY) for one in shown]
    expanded.__signature__ = signature.replace(parameters=keyword_only)  # type: ignore[attr-defined]
    return expanded


_EMBEDDED = (
    "Model: the embedded default, trained on synthetic scenes, not on photographs (--model takes"
    " another)."
)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """name: of a model or its folder, None for the embedded one. device: None for the best one."""

    name: str | None = None
    device: str | None = None
    dtype: Dtype = FULL
    proposals: ProposalOptions = field(default_factory=ProposalOptions)

    def load(self, console: Console) -> Segmenter:
        """Load the model, with a note when it is the embedded one.

        Raises WeightsError if its weights are missing or do not fit.
        """
        if self.name is None:
            console.note(_EMBEDDED)
        from vlseg_cli.models.registry import load_model

        return load_model(self.name, self.device, self.proposals, self.dtype)

    def options(self) -> dict[str, object]:
        """What changes results, by the names of the command line, without the model itself."""
        return {
            "dtype": self.dtype,
            "proposals": self.proposals.source,
            "proposals_engine": self.proposals.engine,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class JobOptions:
    """The shared options, as given, in the order of the help."""

    prompts: options.Prompts = None
    model: options.Model = None
    device: options.Device = None
    dtype: options.Dtype = FULL
    proposals: options.Proposals = None
    proposals_engine: options.Engine = TORCH
    cache: options.Cache = None
    threshold: options.Threshold = None
    stride: options.Stride = 1
    max_frames: options.MaxFrames = None
    start: options.Start = None
    end: options.End = None
    batch_size: options.BatchSize = None
    shard: options.Shard = None
    overwrite: options.Overwrite = False
    fail_fast: options.FailFast = False
    null: options.Null = False
    out: options.Out = None
    save: options.Save = "auto"
    as_json: options.AsJSON = False
    quiet: options.Quiet = False
    progress: options.ProgressStyle = "auto"

    @property
    def model_choice(self) -> ModelChoice:
        """The model and how to load it."""
        proposals = ProposalOptions(self.proposals, self.cache, self.proposals_engine)
        return ModelChoice(self.model, self.device, self.dtype, proposals)

    @property
    def clip(self) -> FrameRange:
        """The frames of videos to process. Raises UsageError if there can be none."""
        if self.end is not None and self.end <= (self.start or 0):
            raise UsageError("--end is not after --start: there is no frame between them.")
        return FrameRange(self.stride, self.start, self.end, self.max_frames)
