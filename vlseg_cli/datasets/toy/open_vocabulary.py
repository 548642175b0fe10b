"""Toy sets of closed class lists: ADE20K in its three forms, Cityscapes, Pascal VOC and Context."""

from pathlib import Path
from typing import Any

import numpy as np

from vlseg_cli.datasets.class_names import class_table
from vlseg_cli.datasets.toy.scenes import (
    categories,
    class_map,
    image_bytes,
    panoptic_record,
    toy_scene,
    toy_segments,
    write_jpeg,
    write_json,
    write_palette_png,
    write_png,
)
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import encode_rle
from vlseg_cli.synthetic.draw import draw_scene


def write_ade20k(root: Path, seeds: range, size: int = 192) -> None:
    """Write the validation split below root; size: longest side, px."""
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
        record, colors = panoptic_record(toy_segments(scene, table), table, name, f"{name}.png")
        write_png(folder, colors, "ade20k_panoptic_val", f"{name}.png")
        panoptic.append(record)
        for info, segment in zip(record["segments_info"], toy_segments(scene, table), strict=True):
            if table.things[segment.label]:
                shape = {"id": len(instances) + 1, "segmentation": encode_rle(segment.mask)}
                instances.append({**info, **shape, "image_id": number})
    every = categories(table)
    things = [one for one in every if one["isthing"]]
    parts = {"panoptic": (panoptic, every), "instance": (instances, things)}
    for form, (annotations, listed) in parts.items():
        data = {"images": images, "annotations": annotations, "categories": listed}
        write_json(folder, data, f"ade20k_{form}_val.json")


_CITY = "frankfurt"


def write_cityscapes(root: Path, seeds: range, size: int = 192) -> None:
    """Write the val split below root; size: longest side, px."""
    folder, table = OutputFolder(root), class_table("cityscapes")
    images, annotations = [], []
    for seed in seeds:
        scene = draw_scene(seed, size, scene_type="street")
        name = f"{_CITY}_000000_{seed:06d}"
        image = f"{name}_leftImg8bit.png"
        write_png(folder, scene.pixels, "leftImg8bit", "val", _CITY, image)
        found = toy_segments(scene, table)
        height, width = scene.ids.shape
        ids = np.zeros((height, width), np.uint16)
        for number, segment in enumerate(found):
            label = table.ids[segment.label]
            ids[segment.mask] = label * 1000 + number if table.things[segment.label] else label
        write_png(folder, ids, "gtFine", "val", _CITY, f"{name}_gtFine_instanceIds.png")
        panoptic = f"{name}_gtFine_panoptic.png"
        record, colors = panoptic_record(found, table, name, panoptic)
        write_png(folder, colors, "gtFine", "cityscapes_panoptic_val", panoptic)
        annotations.append(record)
        images.append({"id": name, "file_name": image, "height": height, "width": width})
    data = {"images": images, "annotations": annotations, "categories": categories(table)}
    write_json(folder, data, "gtFine", "cityscapes_panoptic_val.json")


_VOID_8, _VOID_16 = 255, 65535


def write_pascal_voc(root: Path, seeds: range, size: int = 192) -> None:
    """Write VOC2012's val split below root; size: longest side, px."""
    folder, table, names = OutputFolder(root), class_table("pascal-voc-20"), []
    for seed in seeds:
        scene = toy_scene(seed, size)
        names.append(f"2012_{seed:06d}")
        write_jpeg(folder, scene, "JPEGImages", f"{names[-1]}.jpg")
        numbers = class_map(scene, table, _VOID_8 - 1) + 1
        labels = numbers.astype(np.uint8)
        write_palette_png(folder, labels, "SegmentationClass", f"{names[-1]}.png")
    listed = "".join(f"{name}\n" for name in names)
    folder.write(listed.encode(), "ImageSets", "Segmentation", "val.txt")


def write_pascal_context(root: Path, seeds: range, size: int = 192) -> None:
    """Write both maps of pascal_ctx_d2's validation split; size: longest side, px."""
    folder = OutputFolder(root)
    few, many = class_table("pascal-context-59"), class_table("pascal-context-459")
    for seed in seeds:
        scene = toy_scene(seed, size)
        name = f"2008_{seed:06d}"
        write_jpeg(folder, scene, "images", "validation", f"{name}.jpg")
        numbers = class_map(scene, few, _VOID_8).astype(np.uint8)
        write_png(folder, numbers, "annotations_ctx59", "validation", f"{name}.png")
        labels = class_map(scene, many, _VOID_16).astype(np.uint16)
        folder.write(image_bytes(labels, "TIFF"), "annotations_ctx459", "validation", f"{name}.tif")
