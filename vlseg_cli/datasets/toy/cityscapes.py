"""Cityscapes' folders from drawn scenes: instanceIds maps, panoptic maps and their file."""

from pathlib import Path

import numpy as np

from vlseg_cli.datasets.class_names import class_table
from vlseg_cli.datasets.toy.scenes import (
    categories,
    members,
    panoptic_record,
    write_json,
    write_png,
)
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.synthetic.draw import draw_scene

_CITY = "frankfurt"


def write_cityscapes(root: Path, seeds: range, size: int = 192) -> None:
    """Write the val split below root; size: longest side, px. Raises OutputError."""
    folder, table = OutputFolder(root), class_table("cityscapes")
    images, annotations = [], []
    for seed in seeds:
        scene = draw_scene(seed, size, scene_type="street")
        name = f"{_CITY}_000000_{seed:06d}"
        picture = f"{name}_leftImg8bit.png"
        write_png(folder, scene.pixels, "leftImg8bit", "val", _CITY, picture)
        found = members(scene, table)
        height, width = scene.ids.shape
        ids = np.zeros((height, width), np.uint16)
        for number, member in enumerate(found):
            label = table.ids[member.place]
            ids[member.mask] = label * 1000 + number if table.things[member.place] else label
        write_png(folder, ids, "gtFine", "val", _CITY, f"{name}_gtFine_instanceIds.png")
        panoptic = f"{name}_gtFine_panoptic.png"
        record, colors = panoptic_record(found, table, name, panoptic)
        write_png(folder, colors, "gtFine", "cityscapes_panoptic_val", panoptic)
        annotations.append(record)
        images.append({"id": name, "file_name": picture, "height": height, "width": width})
    data = {"images": images, "annotations": annotations, "categories": categories(table)}
    write_json(folder, data, "gtFine", "cityscapes_panoptic_val.json")
