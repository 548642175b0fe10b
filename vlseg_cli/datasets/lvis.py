"""LVIS v1 (Gupta et al. 2019): COCO's pictures with 1,203 categories, most of them rare.

Its validation pictures lie in COCO's train2017 as well as val2017, so a picture is named by its
address. It is in no table of the five papers: PSALM trains on it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vlseg_cli.datasets.coco_instances import COCOInstances


def lvis_instances(root: Path, split: str, pictures: Path) -> COCOInstances:
    """``lvis_v1_SPLIT.json`` below root; pictures: COCO's folder.

    Categories that a picture was not searched for are not told apart from those it lacks. Raises
    NoInputError if something is missing.
    """
    return COCOInstances(root / f"lvis_v1_{split}.json", pictures, _by_address, _spaced)


def _by_address(image: Mapping[str, Any]) -> str:
    """The last two parts of the address, as 'train2017/000000000009.jpg'."""
    return "/".join(image["coco_url"].split("/")[-2:])


def _spaced(name: str) -> str:
    return name.replace("_", " ")
