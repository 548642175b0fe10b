"""Images with semantic label maps: ADE20K, Pascal Context, Pascal VOC.

The maps are PNG or TIFF files with one channel; a palette is ignored. The values of the classes
depend on the data set and are given by the caller.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.media.image import open_image, read_image
from vlseg_cli.schema import Categories, InputError, NoInputError, Query, Sample, Task


class LabelMapDataset:
    """A sample per image: one semantic query with a mask for each class present.

    pairs: images and their maps. categories: the prompt. values: the value of each category in the
    maps; pixels with any other value are ignored.
    """

    def __init__(
        self,
        pairs: Sequence[tuple[Path, Path]],
        categories: Categories,
        values: Sequence[int],
    ) -> None:
        self.categories = categories
        self._pairs, self._values = pairs, np.array(values)

    def __len__(self) -> int:
        return len(self._pairs)

    def source(self, number: int) -> str:
        """Path of an image."""
        return str(self._pairs[number][0])

    def __getitem__(self, number: int) -> Sample:
        """Read an image and its map. Raises InputError if a file is damaged."""
        image, label_map = self._pairs[number]
        frame, values = read_image(image), read_label_map(label_map)
        if values.shape != frame.pixels.shape[:2]:
            raise InputError(f"{label_map} differs in size from {image}: fetch both again.")
        present = np.flatnonzero(np.isin(self._values, np.unique(values)))
        masks = values == self._values[present, None, None]
        query = Query(Task.SEMANTIC, self.categories, masks, present, ignore=~masks.any(0))
        return Sample(frame, (query,))


def read_label_map(path: Path) -> NDArray[np.int32]:
    """Values (H, W) of a map: palette indices or gray values of 8 or 16 bits.

    Raises InputError if the file is missing, damaged or in color.
    """
    numbers = np.asarray(open_image(path)).astype(np.int32)
    if numbers.ndim != 2:
        raise InputError(f"{path} is not a label map: it has color channels.")
    return numbers


def paired(images: Path, maps: Path, image_suffix: str, suffix: str) -> list[tuple[Path, Path]]:
    """Every map of a folder with the image of the same stem.

    Raises NoInputError if a folder is missing or has no map.
    """
    for folder in (images, maps):
        if not folder.is_dir():
            raise NoInputError(f"There is no folder {folder}: the data set is incomplete.")
    found = sorted(maps.glob(f"*{suffix}"))
    if not found:
        raise NoInputError(f"{maps} has no *{suffix}: the data set is incomplete.")
    return [(images / f"{path.name.removesuffix(suffix)}{image_suffix}", path) for path in found]
