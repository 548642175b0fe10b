"""From what a user named to a proposer: a model of ours, a folder of SAM's, a folder of masks."""

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

    'embedded' or a PSALM gives its class-free masks, a SAM everything it sees, a folder of masks
    what lies there. engine: what runs a SAM, see ``ProposalOptions``. Raises UsageError for
    anything else, WeightsError for weights that are missing or damaged.
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
    """Raise UsageError if an engine was named for what is no SAM."""
    if engine != TORCH:
        raise UsageError(
            f"--proposals-engine {engine} runs a SAM, and {source} is none: leave it out"
        )


def _psalm(directory: Path, source: str, device: str) -> PSALMSegmenter:
    """The PSALM that a folder holds. Raises UsageError if it holds another model."""
    system = PSALMSystem()
    if not system.is_official(directory) and load_settings(directory)["architecture"] != "psalm":
        raise UsageError(f"{source} proposes no masks: name a PSALM, a SAM, or a folder of masks")
    return system.segmenter(open_folder(system, directory), source, device)
