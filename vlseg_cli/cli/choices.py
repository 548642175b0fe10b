"""What segment, refer, reason, track, detect and plan share: their options as one dataclass."""

from dataclasses import dataclass

from vlseg_cli.cli import options
from vlseg_cli.cli.model import ModelChoice
from vlseg_cli.models.precision import FULL
from vlseg_cli.models.proposals.options import TORCH, ProposalOptions
from vlseg_cli.schema import Clip, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
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
        """Which model is asked."""
        proposals = ProposalOptions(self.proposals, self.cache, self.proposals_engine)
        return ModelChoice(self.model, self.device, self.dtype, proposals)

    @property
    def clip(self) -> Clip:
        """Which frames of videos are wanted. Raises UsageError if it can be none."""
        if self.end is not None and self.end <= (self.start or 0):
            raise UsageError("--end lies before --start: there is no frame between them.")
        return Clip(self.stride, self.start, self.end, self.max_frames)
