"""Loads or builds a model or a proposer by name; the only module that lists all systems."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vlseg_cli.models.base import FULL, Dtype, Segmenter
from vlseg_cli.models.checkpoint import usable_device
from vlseg_cli.models.hrseg.system import HRSegSystem
from vlseg_cli.models.hyperseg.system import HyperSegSystem
from vlseg_cli.models.mvp_lm.system import MVPLMSystem
from vlseg_cli.models.proposals.base import (
    TORCH,
    Note,
    ProposalOptions,
    Proposer,
    TakesProposals,
)
from vlseg_cli.models.proposals.conversion import is_official_sam, load_official_sam
from vlseg_cli.models.proposals.mask_folder import MaskFolder
from vlseg_cli.models.proposals.sam import open_sam_proposer
from vlseg_cli.models.psalm.proposer import PSALMProposer
from vlseg_cli.models.psalm.segmenter import PSALMSegmenter
from vlseg_cli.models.psalm.system import PSALMSystem
from vlseg_cli.models.self1e.system import SELF1ESystem
from vlseg_cli.models.system import System, open_folder
from vlseg_cli.models.training import Trainable
from vlseg_cli.schema import RecipeError, UsageError, WeightsError
from vlseg_cli.schema.sample import TrainingVocabulary
from vlseg_cli.weights.catalog import catalog, find_entry
from vlseg_cli.weights.digest import default_cache_folder, model_digest
from vlseg_cli.weights.resolve import EMBEDDED, model_folder
from vlseg_cli.weights.settings import CONFIG, load_settings

# Names as in weights.toml, config.json and recipes.
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

    name: an entry of weights.toml, a model folder in our layout or its authors', or None or
    'embedded' for the default of the package. device: a torch device, None for a GPU if available.
    proposals: source of proposals, for models that select among them. dtype: of the language model.
    Raises WeightsError or UsageError.
    """
    if name in catalog():
        require_model(str(name))
    directory = model_folder(name)
    label = "embedded" if directory == EMBEDDED else str(name)
    device, system = usable_device(device), SYSTEMS[system_of(directory)]
    segmenter = system.segmenter(open_folder(system, directory, dtype), label, device)
    _choose_proposals(segmenter, proposals)
    return segmenter


def _choose_proposals(segmenter: Segmenter, options: ProposalOptions | None) -> None:
    """Raise UsageError if proposals were given for a model that decodes its own masks."""
    if isinstance(segmenter, TakesProposals):
        default = ProposalOptions(cache=default_cache_folder())
        segmenter.choose_proposals(options or default, open_proposer)
    elif options is not None and (options.source is not None or options.engine != TORCH):
        option = "--proposals-engine" if options.source is None else "--proposals"
        raise UsageError(
            f"{option} is for models that select among proposed masks; {segmenter.name} decodes "
            "its own: leave it out"
        )


def system_of(directory: Path) -> str:
    """The key in ``SYSTEMS`` of a model folder, by its files.

    Raises WeightsError if there is none.
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
    """Raise WeightsError if an entry of weights.toml is only a base for training."""
    if find_entry(name).role == "base":
        raise WeightsError(
            f"{name} is a base for training other models: it cannot be used by itself"
        )


def official_system(directory: Path) -> str | None:
    """The key in ``SYSTEMS`` of a folder in its authors' layout, else None."""
    return next((name for name, system in SYSTEMS.items() if system.is_official(directory)), None)


def build_trainable(
    architecture: str,
    vocabulary: TrainingVocabulary,
    config: Mapping[str, Any],
    losses: Mapping[str, Any] | None = None,
) -> Trainable:
    """A model with random weights for the tokens and categories of ``vocabulary``."""
    if architecture not in SYSTEMS:
        raise RecipeError(
            f"unknown architecture {architecture!r} in [model]; known are {', '.join(SYSTEMS)}"
        )
    model = SYSTEMS[architecture].build(vocabulary, config, losses or {})
    if isinstance(model, TakesProposals):
        model.choose_proposals(ProposalOptions(cache=default_cache_folder()), open_proposer)
    return model


def open_proposer(
    source: str, device: str, engine: str = TORCH, note: Note | None = None
) -> Proposer:
    """A proposer by name or folder.

    'embedded' or a PSALM proposes its class-agnostic masks, a SAM those of a grid of points, a
    folder its files. engine, note: see ``ProposalOptions``. Raises UsageError for other models,
    WeightsError for missing or damaged weights.
    """
    folder = Path(source).expanduser()
    is_model = (folder / CONFIG).is_file() or source in ("embedded", *catalog())
    if folder.is_dir() and not is_model and not is_official_sam(folder):
        _require_torch(engine, source)
        return MaskFolder(folder)
    directory = model_folder(source)
    if is_official_sam(directory):
        digest = model_digest(directory)
        return open_sam_proposer(
            source, digest, engine, device, lambda: load_official_sam(directory, device), note
        )
    _require_torch(engine, source)
    return PSALMProposer(_psalm(directory, source, device), model_digest(directory))


def _require_torch(engine: str, source: str) -> None:
    """Raise UsageError if an engine was given for a source other than a SAM."""
    if engine != TORCH:
        raise UsageError(
            f"--proposals-engine {engine} runs a SAM, and {source} is not one: leave it out"
        )


def _psalm(directory: Path, source: str, device: str) -> PSALMSegmenter:
    """Load a PSALM. Raises UsageError if the folder has another model."""
    system = PSALMSystem()
    if not system.is_official(directory) and load_settings(directory)["architecture"] != "psalm":
        raise UsageError(f"{source} proposes no masks: name a PSALM, a SAM, or a folder of masks")
    segmenter = system.segmenter(open_folder(system, directory), source, device)
    assert isinstance(segmenter, PSALMSegmenter)
    return segmenter
