"""Which model is asked, by --model, --device, --dtype and --proposals; it is loaded from here."""

from dataclasses import dataclass, field

from vlseg_cli.cli.console import Console
from vlseg_cli.models.precision import FULL, Dtype
from vlseg_cli.models.proposals.options import ProposalOptions
from vlseg_cli.models.segmenter import Segmenter

_EMBEDDED = (
    "Model: the embedded default, which knows drawn scenes, not photographs"
    " (--model takes another)."
)


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """name: of a model or its folder, None for the embedded one. device: None for the best."""

    name: str | None = None
    device: str | None = None
    dtype: Dtype = FULL
    proposals: ProposalOptions = field(default_factory=ProposalOptions)

    def load(self, console: Console) -> Segmenter:
        """Load it, and say so when it is the embedded one.

        Raises WeightsError if its weights are missing or do not fit.
        """
        if self.name is None:
            console.note(_EMBEDDED)
        from vlseg_cli.models.registry import load_model  # brings torch

        return load_model(self.name, self.device, self.proposals, self.dtype)

    def options(self) -> dict[str, object]:
        """What of it changes results, by the names of the command line; the model apart."""
        return {
            "dtype": self.dtype,
            "proposals": self.proposals.source,
            "proposals_engine": self.proposals.engine,
        }
