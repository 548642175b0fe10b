"""Pictures with a map of class numbers each: ADE20K, Pascal Context, Pascal VOC, COCO's semantics.

The maps are PNG or TIFF files with one channel; a palette is never looked at. Which number is
which class depends on the set, and is the caller's to say.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.media.image import open_image, read_image
from vlseg_cli.schema import Categories, InputError, NoInputError, Query, Sample, Task


class LabelMapDataset:
    """A sample per picture: one semantic query with a mask for each class that occurs.

    pairs: pictures and their maps. categories: what is asked. values: the number of each category
    in the maps; pixels with any other are ignored. Raises NoInputError if there is no picture.
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
        """Path of a picture."""
        return str(self._pairs[number][0])

    def __getitem__(self, number: int) -> Sample:
        """Read one picture and its map. Raises InputError if a file is damaged."""
        picture, labels = self._pairs[number]
        frame = read_image(picture)
        numbers = read_labels(labels)
        if numbers.shape != frame.pixels.shape[:2]:
            raise InputError(f"{labels} is of another size than {picture}: fetch both again.")
        present = np.flatnonzero(np.isin(self._values, np.unique(numbers)))
        masks = numbers == self._values[present, None, None]
        query = Query(Task.SEMANTIC, self.categories, masks, present, ignore=~masks.any(0))
        return Sample(frame, (query,))


def read_labels(path: Path) -> NDArray[np.int32]:
    """Numbers (H, W) of a map, a palette's index or a grey value of 8 or 16 bits.

    Raises InputError if the file is missing, damaged or in color.
    """
    numbers = np.asarray(open_image(path)).astype(np.int32)
    if numbers.ndim != 2:
        raise InputError(f"{path} is no map of numbers: it has colors.")
    return numbers


def paired(pictures: Path, maps: Path, picture: str, ending: str) -> list[tuple[Path, Path]]:
    """Every map of a folder with the picture of its name; both by the endings of their names.

    Raises NoInputError if one of the folders is missing or there is no map.
    """
    for folder in (pictures, maps):
        if not folder.is_dir():
            raise NoInputError(f"There is no folder {folder}: the data set is incomplete.")
    found = sorted(maps.glob(f"*{ending}"))
    if not found:
        raise NoInputError(f"{maps} has no *{ending}: the data set is incomplete.")
    return [(pictures / f"{path.name.removesuffix(ending)}{picture}", path) for path in found]
