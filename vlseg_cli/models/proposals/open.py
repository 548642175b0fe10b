"""From what a user named to a proposer: a model of ours, a folder of SAM's, a folder of masks."""

from pathlib import Path

from vlseg_cli.models.proposals.class_free import ClassFreeProposer
from vlseg_cli.models.proposals.everything import EverythingProposer, TorchEngine
from vlseg_cli.models.proposals.mask_folder import MaskFolder
from vlseg_cli.models.proposals.official_sam import is_official_sam, load_official_sam
from vlseg_cli.models.proposals.proposer import Proposer
from vlseg_cli.models.segmenters.psalm import PSALMSegmenter
from vlseg_cli.schema import UsageError
from vlseg_cli.weights.catalogue import catalogue
from vlseg_cli.weights.folder import CONFIG
from vlseg_cli.weights.resolve import model_digest, model_folder


def open_proposer(source: str, device: str) -> Proposer:
    """A proposer by name or folder.

    'embedded' or a PSALM gives its class-free masks, a SAM everything it sees, a folder of masks
    what lies there. Raises UsageError for anything else, WeightsError for weights that are
    missing or damaged.
    """
    folder = Path(source).expanduser()
    is_model = (folder / CONFIG).is_file() or source in ("embedded", *catalogue())
    if folder.is_dir() and not is_model and not is_official_sam(folder):
        return MaskFolder(folder)
    directory = model_folder(source)
    key = model_digest(directory)
    if is_official_sam(directory):
        return EverythingProposer(TorchEngine(load_official_sam(directory, device)), key)
    from vlseg_cli.models.registry import load_model  # which knows of this file

    segmenter = load_model(source, device)
    if not isinstance(segmenter, PSALMSegmenter):
        raise UsageError(f"{source} proposes no masks: name a PSALM, a SAM, or a folder of masks")
    return ClassFreeProposer(segmenter, key)
