"""Load the model of ``--model``, and say so when it is the embedded one."""

from vlseg_cli.cli.console import Console
from vlseg_cli.models.proposals.options import ProposalOptions
from vlseg_cli.models.segmenter import Segmenter

_EMBEDDED = (
    "Model: the embedded default, which knows drawn scenes, not photographs"
    " (--model takes another)."
)


def load(
    name: str | None,
    device: str | None,
    console: Console,
    proposals: ProposalOptions | None = None,
) -> Segmenter:
    """Load a model by name or folder, None for the embedded one.

    Raises WeightsError if its weights are missing or do not fit.
    """
    if name is None:
        console.note(_EMBEDDED)
    from vlseg_cli.models.registry import load_model  # brings torch

    return load_model(name, device, proposals)
