"""The data sets by name: usual folder, splits, reader, and the writer of a toy version.

A line of ``DATASETS`` is all that connects a name to its code: a new data set needs a reader and a
line. Readers take more options (prompt names, polygons, …) than the defaults used here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from vlseg_cli.datasets.ade20k import ade20k_instances, ade20k_panoptic, ade20k_semantic
from vlseg_cli.datasets.base import ClipDataset, Dataset
from vlseg_cli.datasets.cityscapes import cityscapes_instances, cityscapes_panoptic
from vlseg_cli.datasets.coco_instances import coco_instances, lvis_instances
from vlseg_cli.datasets.coco_interactive import COCOInteractiveDataset
from vlseg_cli.datasets.coco_panoptic import coco_panoptic
from vlseg_cli.datasets.davis import DAVISDataset, RefDAVISDataset
from vlseg_cli.datasets.ego_exo import EgoExoDataset
from vlseg_cli.datasets.gqa import GQADataset
from vlseg_cli.datasets.llmseg40k import LLMSeg40KDataset
from vlseg_cli.datasets.mevis import MeViSDataset
from vlseg_cli.datasets.mmbench import MMBenchDataset
from vlseg_cli.datasets.mme import MMEDataset
from vlseg_cli.datasets.pascal import pascal_context, pascal_voc
from vlseg_cli.datasets.pope import POPEDataset
from vlseg_cli.datasets.reasonseg import ReasonSegDataset
from vlseg_cli.datasets.refcoco import RefCOCODataset, RefCOCOName
from vlseg_cli.datasets.revos import ReVOSDataset
from vlseg_cli.datasets.scienceqa import ScienceQADataset
from vlseg_cli.datasets.toy.coco import write_coco, write_lvis
from vlseg_cli.datasets.toy.open_vocabulary import (
    write_ade20k,
    write_cityscapes,
    write_pascal_context,
    write_pascal_voc,
)
from vlseg_cli.datasets.toy.questions import (
    write_gqa,
    write_mmbench,
    write_mme,
    write_pope,
    write_prepared_vqa,
    write_scienceqa,
    write_vqa,
)
from vlseg_cli.datasets.toy.reasonseg import write_llmseg40k, write_reasonseg
from vlseg_cli.datasets.toy.refcoco import write_refcoco
from vlseg_cli.datasets.toy.video_expressions import (
    write_mevis,
    write_ref_davis,
    write_ref_youtube_vos,
    write_revos,
)
from vlseg_cli.datasets.toy.video_objects import (
    write_davis,
    write_ego_exo,
    write_youtube_vis,
    write_youtube_vos,
)
from vlseg_cli.datasets.vqa import VQADataset, VQAName
from vlseg_cli.datasets.youtube_vis import YouTubeVISDataset
from vlseg_cli.datasets.youtube_vos import RefYouTubeVOSDataset, YouTubeVOSDataset
from vlseg_cli.schema.errors import UsageError, nearest_or_all


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """One data set. folder: its usual place below --data. splits: the first is for evaluation.

    read: opens a split, given the folder's path. write_toy: writes a toy version of the first split
    into the folder, given its path and ``seeds``.
    """

    folder: str
    splits: tuple[str, ...]
    read: Callable[[Path, str], Dataset | ClipDataset]
    write_toy: Callable[..., object]


def _refcoco(name: RefCOCOName, splits: tuple[str, ...]) -> DatasetEntry:
    def read(root: Path, split: str) -> Dataset:
        return RefCOCODataset(root, name, split)

    return DatasetEntry("refer_seg", splits, read, partial(write_refcoco, name=name))


def _vqa(name: VQAName, splits: tuple[str, ...], write: Callable[..., object]) -> DatasetEntry:
    def read(root: Path, split: str) -> Dataset:
        return VQADataset(root, name, split)

    return DatasetEntry(name, splits, read, partial(write, name=name, split=splits[0]))


_VAL = ("val", "train")
_UNC = ("val", "testA", "testB", "train")
_ADE20K, _YOUTUBE = "ADEChallengeData2016", ("valid", "train", "test")

DATASETS: dict[str, DatasetEntry] = {
    # names of closed class lists
    "coco-panoptic": DatasetEntry(
        "coco", _VAL, lambda root, split: coco_panoptic(root, split=split), write_coco
    ),
    "coco-instances": DatasetEntry(
        "coco", _VAL, lambda root, split: coco_instances(root, split=split), write_coco
    ),
    "lvis": DatasetEntry(
        "lvis",
        _VAL,
        lambda root, split: lvis_instances(root, split, root.parent / "coco"),
        lambda root, seeds: write_lvis(root.parent, seeds),
    ),
    "ade20k-semantic": DatasetEntry(
        _ADE20K, _VAL, lambda root, split: ade20k_semantic(root, "plain", split), write_ade20k
    ),
    "ade20k-panoptic": DatasetEntry(
        _ADE20K, _VAL, lambda root, split: ade20k_panoptic(root, "plain", split), write_ade20k
    ),
    "ade20k-instances": DatasetEntry(
        _ADE20K, _VAL, lambda root, split: ade20k_instances(root, "plain", split), write_ade20k
    ),
    "cityscapes-panoptic": DatasetEntry(
        "cityscapes",
        _VAL,
        lambda root, split: cityscapes_panoptic(root, "plain", split),
        write_cityscapes,
    ),
    "cityscapes-instances": DatasetEntry(
        "cityscapes",
        _VAL,
        lambda root, split: cityscapes_instances(root, "plain", split),
        write_cityscapes,
    ),
    "pascal-voc": DatasetEntry(
        "VOCdevkit/VOC2012",
        _VAL,
        lambda root, split: pascal_voc(root, "plain", split),
        write_pascal_voc,
    ),
    "pascal-context-59": DatasetEntry(
        "pascal_ctx_d2",
        _VAL,
        lambda root, split: pascal_context(root, "plain", split, 59),
        write_pascal_context,
    ),
    "pascal-context-459": DatasetEntry(
        "pascal_ctx_d2",
        _VAL,
        lambda root, split: pascal_context(root, "plain", split, 459),
        write_pascal_context,
    ),
    # regions, referring expressions, reasoning questions
    "coco-interactive": DatasetEntry(
        "coco",
        ("val",),
        lambda root, _: COCOInteractiveDataset(root, "point"),
        write_coco,
    ),
    "refcoco": _refcoco("refcoco", _UNC),
    "refcoco+": _refcoco("refcoco+", _UNC),
    "refcocog": _refcoco("refcocog", ("val", "test", "train")),
    "grefcoco": _refcoco("grefcoco", _UNC),
    "reasonseg": DatasetEntry(
        "reason_seg",
        ("val", "test", "train"),
        ReasonSegDataset,
        partial(write_reasonseg, split="val"),
    ),
    "llmseg40k": DatasetEntry(
        "LLMSeg40K",
        ("validation", "test", "train"),
        LLMSeg40KDataset,
        partial(write_llmseg40k, split="validation"),
    ),
    # videos
    "davis-2017": DatasetEntry("DAVIS", _VAL, DAVISDataset, partial(write_davis, split="val")),
    "ref-davis-2017": DatasetEntry(
        "DAVIS", _VAL, RefDAVISDataset, partial(write_ref_davis, split="val")
    ),
    "youtube-vos": DatasetEntry(
        "youtube-vos", _YOUTUBE, YouTubeVOSDataset, partial(write_youtube_vos, split="valid")
    ),
    "ref-youtube-vos": DatasetEntry(
        "ref-youtube-vos",
        _YOUTUBE,
        RefYouTubeVOSDataset,
        partial(write_ref_youtube_vos, split="valid"),
    ),
    "youtube-vis": DatasetEntry(
        "ytvis_2019", _YOUTUBE, YouTubeVISDataset, partial(write_youtube_vis, split="valid")
    ),
    "mevis": DatasetEntry(
        "mevis", ("valid_u", "valid", "train"), MeViSDataset, partial(write_mevis, split="valid_u")
    ),
    "revos": DatasetEntry(
        "ReVOS", ("valid", "train"), ReVOSDataset, partial(write_revos, split="valid")
    ),
    "ego-exo4d": DatasetEntry(
        "ego-exo4d/val", ("val",), lambda root, _: EgoExoDataset(root), write_ego_exo
    ),
    # questions answered by text
    "vqav2": _vqa("vqav2", ("val", "testdev", "train"), write_vqa),
    "okvqa": _vqa("okvqa", _VAL, write_vqa),
    "textvqa": _vqa("textvqa", _VAL, write_prepared_vqa),
    "vizwiz": _vqa("vizwiz", ("val", "test", "train"), write_prepared_vqa),
    "gqa": DatasetEntry("gqa", ("testdev_balanced", "val_balanced"), GQADataset, write_gqa),
    "pope": DatasetEntry("pope", ("all",), lambda root, _: POPEDataset(root), write_pope),
    "mme": DatasetEntry("mme", ("all",), lambda root, _: MMEDataset(root), write_mme),
    "mmbench": DatasetEntry(
        "mmbench",
        ("dev_en", "test_en", "dev_cn", "test_cn"),
        lambda root, split: MMBenchDataset(
            root / f"mmbench_{split}_20231003.tsv", language="cn" if "cn" in split else "en"
        ),
        write_mmbench,
    ),
    "scienceqa": DatasetEntry(
        "scienceqa", ("test", "val", "train"), ScienceQADataset, write_scienceqa
    ),
}


def open_dataset(name: str, data: Path, split: str | None = None) -> Dataset | ClipDataset:
    """Open a split (the first if None) of a data set in its usual folder below ``data``.

    Raises UsageError for an unknown name or split, NoInputError if files are missing, InputError if
    they are damaged.
    """
    if name not in DATASETS:
        raise UsageError(f"there is no data set {name!r}{nearest_or_all(name, DATASETS)}")
    entry = DATASETS[name]
    split = split or entry.splits[0]
    if split not in entry.splits:
        raise UsageError(f"{name} has no split {split!r}{nearest_or_all(split, entry.splits)}")
    return entry.read(data / entry.folder, split)
