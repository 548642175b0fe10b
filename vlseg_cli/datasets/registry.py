"""The data sets by name: usual folder, splits, reader, and the writer of a toy version.

A line of ``DATASETS`` is all that connects a name to its code: a new data set needs a reader and a
line. Readers take more options (prompt names, polygons, …) than the defaults used here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from vlseg_cli.datasets.ade20k_pascal import (
    ade20k_instances,
    ade20k_panoptic,
    ade20k_semantic,
    pascal_context,
    pascal_voc,
)
from vlseg_cli.datasets.base import ClipDataset, Dataset
from vlseg_cli.datasets.cityscapes import cityscapes_instances, cityscapes_panoptic
from vlseg_cli.datasets.coco_instances import coco_instances, lvis_instances
from vlseg_cli.datasets.coco_interactive import COCOInteractiveDataset
from vlseg_cli.datasets.coco_panoptic import coco_panoptic
from vlseg_cli.datasets.davis import DAVISDataset, RefDAVISDataset
from vlseg_cli.datasets.ego_exo import EgoExoDataset
from vlseg_cli.datasets.mmbench import MMBenchDataset
from vlseg_cli.datasets.questions import GQADataset, MMEDataset, POPEDataset, ScienceQADataset
from vlseg_cli.datasets.reasonseg import LLMSeg40KDataset, ReasonSegDataset
from vlseg_cli.datasets.refcoco import RefCOCODataset, RefCOCOName
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
from vlseg_cli.datasets.video_expressions import MeViSDataset, RefYouTubeVOSDataset, ReVOSDataset
from vlseg_cli.datasets.vqa import VQADataset, VQAName
from vlseg_cli.datasets.youtube_vis import YouTubeVISDataset
from vlseg_cli.datasets.youtube_vos import YouTubeVOSDataset
from vlseg_cli.schema.errors import UsageError, nearest_or_all


@dataclass(frozen=True, slots=True)
class DatasetEntry:
    """One data set, for training and evaluation.

    folders: below --data that may hold it, official first; '.' is --data itself. splits: the first
    is for evaluation. read: opens a split, given the folder's path, ``split=`` and options of the
    reader. write: writes a toy version into the folder, given its path, ``seeds=`` and, if
    by_split, ``split=``.
    """

    folders: tuple[str, ...]
    splits: tuple[str, ...]
    read: Callable[..., Any]
    write: Callable[..., object]
    by_split: bool = True

    def write_toy(self, root: Path, seeds: range, split: str | None = None) -> None:
        """Write a toy version of a split (the first if None), or of all, into ``root``."""
        if self.by_split:
            self.write(root, seeds=seeds, split=split or self.splits[0])
        else:
            self.write(root, seeds=seeds)


_VAL = ("val", "train")
_UNC = ("val", "testA", "testB", "train")
_YOUTUBE = ("valid", "train", "test")
_OLD_MMBENCH = ("MMBench_DEV_EN_legacy.tsv", "mmbench_dev_20230712.tsv")  # the same questions


def _named(
    read: Callable[..., Any], write: Callable[..., object], *folders: str, **options: Any
) -> DatasetEntry:
    """A closed class list; ``naming=`` of the reader is 'plain' unless given."""
    read = partial(read, naming="plain", **options)
    return DatasetEntry((*folders, "."), _VAL, read, write, by_split=False)


def _refcoco(name: RefCOCOName, splits: tuple[str, ...]) -> DatasetEntry:
    read, write = partial(RefCOCODataset, name=name), partial(write_refcoco, name=name)
    return DatasetEntry(("refer_seg", "refseg", "."), splits, read, write, by_split=False)


def _text(
    name: str, splits: tuple[str, ...], read: Callable[..., Any], write: Callable[..., object]
) -> DatasetEntry:
    return DatasetEntry((name, f"data/{name}", "."), splits, read, write, splits != ("all",))


def _vqa(name: VQAName, splits: tuple[str, ...], write: Callable[..., object]) -> DatasetEntry:
    return _text(name, splits, partial(VQADataset, name=name), partial(write, name=name))


def _unsplit(read: Callable[..., Any]) -> Callable[..., Any]:
    def read_all(root: Path, *, split: str, **options: Any) -> Any:
        del split  # there is one
        return read(root, **options)

    return read_all


def _mmbench(root: Path, split: str) -> MMBenchDataset:
    if split != "dev":
        path = root / f"mmbench_{split}_20231003.tsv"
        return MMBenchDataset(path, language="cn" if "cn" in split else "en")
    paths = [root / name for name in _OLD_MMBENCH]
    return MMBenchDataset(next((path for path in paths if path.is_file()), paths[0]))


def _write_mmbench(root: Path, seeds: range, split: str) -> None:
    date = "20230712" if split == "dev" else "20231003"
    write_mmbench(root, seeds, f"mmbench_{split}_{date}")


_ADE20K = "ADEChallengeData2016", "ade20k"

DATASETS: dict[str, DatasetEntry] = {
    # names of closed class lists
    "coco-panoptic": _named(coco_panoptic, write_coco, "coco"),
    "coco-instances": _named(coco_instances, write_coco, "coco"),
    "lvis": DatasetEntry(
        ("lvis",),
        _VAL,
        lambda root, split: lvis_instances(root, split, root.parent / "coco"),
        lambda root, seeds: write_lvis(root.parent, seeds),
        by_split=False,
    ),
    "ade20k-semantic": _named(ade20k_semantic, write_ade20k, *_ADE20K),
    "ade20k-panoptic": _named(ade20k_panoptic, write_ade20k, *_ADE20K),
    "ade20k-instances": _named(ade20k_instances, write_ade20k, *_ADE20K),
    "cityscapes-panoptic": _named(cityscapes_panoptic, write_cityscapes, "cityscapes"),
    "cityscapes-instances": _named(cityscapes_instances, write_cityscapes, "cityscapes"),
    "pascal-voc": _named(pascal_voc, write_pascal_voc, "VOCdevkit/VOC2012", "VOC2012"),
    "pascal-context-59": _named(pascal_context, write_pascal_context, "pascal_ctx_d2", classes=59),
    "pascal-context-459": _named(
        pascal_context, write_pascal_context, "pascal_ctx_d2", classes=459
    ),
    # regions, referring expressions, reasoning questions
    "coco-interactive": DatasetEntry(
        ("coco", "."),
        ("val",),
        _unsplit(partial(COCOInteractiveDataset, kind="point")),
        write_coco,
        by_split=False,
    ),
    "refcoco": _refcoco("refcoco", _UNC),
    "refcoco+": _refcoco("refcoco+", _UNC),
    "refcocog": _refcoco("refcocog", ("val", "test", "train")),
    "grefcoco": _refcoco("grefcoco", _UNC),
    "reasonseg": DatasetEntry(
        ("reason_seg", "."), ("val", "test", "train"), ReasonSegDataset, write_reasonseg
    ),
    "llmseg40k": DatasetEntry(
        ("LLMSeg40K", "llmseg40k", "."),
        ("validation", "test", "train"),
        LLMSeg40KDataset,
        write_llmseg40k,
    ),
    # videos
    "davis-2017": DatasetEntry(("DAVIS", "."), _VAL, DAVISDataset, write_davis),
    "ref-davis-2017": DatasetEntry(("DAVIS", "."), _VAL, RefDAVISDataset, write_ref_davis),
    "youtube-vos": DatasetEntry(
        ("youtube-vos", "ytvos", "."), _YOUTUBE, YouTubeVOSDataset, write_youtube_vos
    ),
    "ref-youtube-vos": DatasetEntry(
        ("ref-youtube-vos", "."), _YOUTUBE, RefYouTubeVOSDataset, write_ref_youtube_vos
    ),
    "youtube-vis": DatasetEntry(
        ("ytvis_2019", "."), _YOUTUBE, YouTubeVISDataset, write_youtube_vis
    ),
    "mevis": DatasetEntry(
        ("mevis", "MeViS", "."), ("valid_u", "valid", "train"), MeViSDataset, write_mevis
    ),
    "revos": DatasetEntry(("ReVOS", "revos", "."), ("valid", "train"), ReVOSDataset, write_revos),
    "ego-exo4d": DatasetEntry(
        ("ego-exo4d/val", "val", "."),
        ("val",),
        _unsplit(EgoExoDataset),
        write_ego_exo,
        by_split=False,
    ),
    # questions answered by text
    "vqav2": _vqa("vqav2", ("val", "testdev", "train"), write_vqa),
    "okvqa": _vqa("okvqa", _VAL, write_vqa),
    "textvqa": _vqa("textvqa", _VAL, write_prepared_vqa),
    "vizwiz": _vqa("vizwiz", ("val", "test", "train"), write_prepared_vqa),
    "gqa": _text("gqa", ("testdev_balanced", "val_balanced"), GQADataset, write_gqa),
    "pope": _text("pope", ("all",), _unsplit(POPEDataset), write_pope),
    "mme": _text("mme", ("all",), _unsplit(MMEDataset), write_mme),
    "mmbench": _text(
        "mmbench", ("dev_en", "test_en", "dev_cn", "test_cn", "dev"), _mmbench, _write_mmbench
    ),
    "scienceqa": _text("scienceqa", ("test", "val", "train"), ScienceQADataset, write_scienceqa),
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
    opened: Dataset | ClipDataset = entry.read(data / entry.folders[0], split=split)
    return opened
