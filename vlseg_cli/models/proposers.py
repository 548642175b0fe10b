"""Opens a proposer by name: a PSALM, a SAM or a folder of masks."""

from pathlib import Path

from vlseg_cli.models.proposals.base import TORCH, Proposer
from vlseg_cli.models.proposals.conversion import is_official_sam, load_official_sam
from vlseg_cli.models.proposals.mask_folder import MaskFolder
from vlseg_cli.models.proposals.sam import open_sam_proposer
from vlseg_cli.models.psalm.proposer import PSALMProposer
from vlseg_cli.models.psalm.segmenter import PSALMSegmenter
from vlseg_cli.models.psalm.system import PSALMSystem
from vlseg_cli.models.system import open_folder
from vlseg_cli.schema import UsageError
from vlseg_cli.weights.catalog import catalog
from vlseg_cli.weights.folder import CONFIG, load_settings
from vlseg_cli.weights.resolve import model_digest, model_folder


def open_proposer(source: str, device: str, engine: str = TORCH) -> Proposer:
    """A proposer by name or folder.

    'embedded' or a PSALM proposes its class-agnostic masks, a SAM those of a grid of points, a
    folder its files. engine: see ``ProposalOptions``. Raises UsageError for other models,
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
            source, digest, engine, device, lambda: load_official_sam(directory, device)
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
