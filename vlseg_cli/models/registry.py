"""From a name to a model: the one place that knows which systems there are."""

import os
from collections.abc import Mapping
from pathlib import Path

import torch

from vlseg_cli.models.precision import FULL, Dtype
from vlseg_cli.models.proposals.options import TORCH, Choosing, ProposalOptions
from vlseg_cli.models.segmenter import Segmenter
from vlseg_cli.models.system import System, open_folder
from vlseg_cli.models.systems.hrseg import HRSegSystem
from vlseg_cli.models.systems.hyperseg import HyperSegSystem
from vlseg_cli.models.systems.mvp_lm import MVPLMSystem
from vlseg_cli.models.systems.psalm import PSALMSystem
from vlseg_cli.models.systems.self1e import SELF1ESystem
from vlseg_cli.schema import UsageError, WeightsError
from vlseg_cli.weights.catalogue import catalogue, find_entry
from vlseg_cli.weights.folder import load_settings
from vlseg_cli.weights.resolve import EMBEDDED, model_folder

# By the names that weights.toml, config.json and recipes use.
SYSTEMS: Mapping[str, System] = {
    "psalm": PSALMSystem(),
    "mvp-lm": MVPLMSystem(),
    "hyperseg": HyperSegSystem(),
    "self1e": SELF1ESystem(),
    "hrseg": HRSegSystem(),
}


def load_model(
    name: str | None = None,
    device: str | None = None,
    proposals: ProposalOptions | None = None,
    dtype: Dtype = FULL,
) -> Segmenter:
    """A trained model, ready to use.

    name: of weights.toml, or a model folder in our layout or its authors', or None or 'embedded'
    for the one that comes with vlseg. device: as torch names it, None for a GPU if there is one.
    proposals: for models that choose among proposed masks, who proposes. dtype: what its language
    model is held in; see ``models/precision.py``.
    Raises WeightsError or UsageError in one sentence.
    """
    if name in catalogue():
        require_model(str(name))
    directory = model_folder(name)
    label = "embedded" if directory == EMBEDDED else str(name)
    system = SYSTEMS[system_of(directory)]
    segmenter = system.segmenter(open_folder(system, directory, dtype), label, _device(device))
    if proposals is not None:
        _choose(segmenter, proposals)
    return segmenter


def _choose(segmenter: Segmenter, proposals: ProposalOptions) -> None:
    """Raise UsageError if proposals were named for a model that draws its own masks."""
    if isinstance(segmenter, Choosing):
        segmenter.choose_proposals(proposals)
    elif proposals.source is not None or proposals.engine != TORCH:
        option = "--proposals-engine" if proposals.source is None else "--proposals"
        raise UsageError(
            f"{option} is for models that choose among proposed masks; {segmenter.name} draws "
            "its own: leave it out"
        )


def system_of(directory: Path) -> str:
    """Which of ``SYSTEMS`` a model folder is of, by its files alone.

    Raises WeightsError if it is of none.
    """
    if official := official_system(directory):
        return official
    architecture = str(load_settings(directory)["architecture"])
    if architecture not in SYSTEMS:
        raise WeightsError(
            f"{directory} holds a {architecture!r}; this version reads {', '.join(SYSTEMS)}"
        )
    return architecture


def require_model(name: str) -> None:
    """Raise WeightsError if an entry of weights.toml is a base, which answers nothing by itself."""
    if find_entry(name).role == "base":
        raise WeightsError(f"{name} is no model that answers by itself: others are built from it")


def official_system(directory: Path) -> str | None:
    """Which of ``SYSTEMS`` has authors whose layout a folder is in, None for other folders."""
    return next((name for name, one in SYSTEMS.items() if one.is_official(directory)), None)


def _device(wanted: str | None) -> str:
    if wanted is None:
        local = os.environ.get("LOCAL_RANK", "0")  # set by torchrun: a device for each process
        return f"cuda:{local}" if torch.cuda.is_available() else "cpu"
    try:
        torch.zeros(1, device=wanted).cpu()
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UsageError(f"--device {wanted}: {reason}; try cpu or cuda") from error
    return wanted
