"""ADE20K's folders from drawn scenes, in all three forms."""

from pathlib import Path
from typing import Any

import numpy as np

from vlseg_cli.datasets.class_names import class_table
from vlseg_cli.datasets.toy.scenes import (
    categories,
    class_map,
    members,
    panoptic_record,
    toy_scene,
    write_jpeg,
    write_json,
    write_png,
)
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import encode_rle


def write_ade20k(root: Path, seeds: range, size: int = 192) -> None:
    """Write the validation split below root; size: longest side, px. Raises OutputError."""
    folder, table = OutputFolder(root), class_table("ade20k")
    images: list[dict[str, Any]] = []
    instances: list[dict[str, Any]] = []
    panoptic: list[dict[str, Any]] = []
    for number, seed in enumerate(seeds, start=1):
        scene = toy_scene(seed, size)
        name = f"ADE_val_{number:08d}"
        write_jpeg(folder, scene, "images", "validation", f"{name}.jpg")
        numbers = (class_map(scene, table, -1) + 1).astype(np.uint8)
        write_png(folder, numbers, "annotations", "validation", f"{name}.png")
        height, width = numbers.shape
        images.append({"id": number, "file_name": f"{name}.jpg", "height": height, "width": width})
        record, colors = panoptic_record(members(scene, table), table, name, f"{name}.png")
        write_png(folder, colors, "ade20k_panoptic_val", f"{name}.png")
        panoptic.append(record)
        for segment, member in zip(record["segments_info"], members(scene, table), strict=True):
            if table.things[member.place]:
                shape = {"id": len(instances) + 1, "segmentation": encode_rle(member.mask)}
                instances.append({**segment, **shape, "image_id": number})
    every = categories(table)
    things = [one for one in every if one["isthing"]]
    parts = {"panoptic": (panoptic, every), "instance": (instances, things)}
    for form, (annotations, listed) in parts.items():
        data = {"images": images, "annotations": annotations, "categories": listed}
        write_json(folder, data, f"ade20k_{form}_val.json")
