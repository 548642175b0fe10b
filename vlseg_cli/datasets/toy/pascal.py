"""Pascal VOC's and Pascal Context's folders from drawn scenes."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from vlseg_cli.datasets.class_names import class_table
from vlseg_cli.datasets.toy.scenes import class_map, toy_scene, write_jpeg, write_png
from vlseg_cli.outputs.colors import DAVIS
from vlseg_cli.outputs.folder import OutputFolder

_VOID_8, _VOID_16 = 255, 65535


def write_pascal_voc(root: Path, seeds: range, size: int = 192) -> None:
    """Write VOC2012's val split below root; size: longest side, px. Raises OutputError."""
    folder, table, names = OutputFolder(root), class_table("pascal-voc-20"), []
    for seed in seeds:
        scene = toy_scene(seed, size)
        names.append(f"2012_{seed:06d}")
        write_jpeg(folder, scene, "JPEGImages", f"{names[-1]}.jpg")
        numbers = class_map(scene, table, _VOID_8 - 1) + 1
        picture = Image.fromarray(numbers.astype(np.uint8))
        picture.putpalette(DAVIS)
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        folder.write(buffer.getvalue(), "SegmentationClass", f"{names[-1]}.png")
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
        buffer = io.BytesIO()
        Image.fromarray(class_map(scene, many, _VOID_16).astype(np.uint16)).save(buffer, "TIFF")
        folder.write(buffer.getvalue(), "annotations_ctx459", "validation", f"{name}.tif")
