"""The data sets of a stage, drawn by weight: ``[[stage.source]]``.

Draw n depends on the recipe's seed and n alone, so a step has the same samples in any number of
processes and workers, and after resuming.
"""

import sys
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import Dataset

from vlseg_cli.datasets.registry import DATASETS, open_dataset
from vlseg_cli.schema import InputError, NoInputError, RecipeError, Sample, Task
from vlseg_cli.schema.errors import nearest_or_all
from vlseg_cli.training.recipe import SYNTHETIC, Recipe, SourceTable

_STREAM = 11  # of a seed's random numbers
_TRIES = 100  # damaged samples in a row, after which the last one is an error


class MixedDataset(Dataset[Sample]):
    """Samples of several data sets; entry n is draw n of the run.

    scenes: the synthetic scenes, for a source 'synthetic'. Raises as ``open_source``.
    """

    def __init__(
        self, recipe: Recipe, sources: Sequence[SourceTable], scenes: Dataset[Any]
    ) -> None:
        root = recipe.data.root
        self._sets = [
            None if one.dataset == SYNTHETIC else open_source(one.dataset, one.split, root)
            for one in sources
        ]
        weights = np.array([one.weight for one in sources])
        self._shares = weights / weights.sum()
        self._seed, self._scenes = recipe.seed, scenes
        self._named: set[str] = set()

    def __getitem__(self, index: int) -> Sample:
        """The same index, the same sample, in any process. A damaged one is named and skipped."""
        failure: InputError | None = None
        for number, sample in islice(self.draws(index), _TRIES):
            dataset = self._sets[number]
            try:
                found: Sample = self._scenes[index] if dataset is None else dataset[sample]
                return found
            except InputError as error:
                failure = error
                if str(error) not in self._named:
                    self._named.add(str(error))
                    print(f"skipped: {error}", file=sys.stderr)
        raise InputError(f"{_TRIES} samples in a row are damaged, the last: {failure}") from failure

    def draws(self, index: int) -> Iterator[tuple[int, int]]:
        """Indices of a source and of a sample of it, without end; later ones replace damaged."""
        rng = np.random.default_rng((self._seed, _STREAM, index))
        while True:
            number = int(rng.choice(len(self._sets), p=self._shares))
            dataset = self._sets[number]
            yield number, 0 if dataset is None else int(rng.integers(len(dataset)))


@cache
def open_source(name: str, split: str, root: str) -> Any:
    """A split of a data set below ``--data``, whose samples are images with masks.

    Raises RecipeError for an unknown name or a set that is not learned yet, NoInputError with what
    is expected where if it is missing.
    """
    known = [*DATASETS, SYNTHETIC]
    if name not in DATASETS:
        raise RecipeError(f"there is no data set {name!r}{nearest_or_all(name, known)}")
    if not root:
        raise NoInputError(
            f"The recipe draws from {name}: give --data DIR, the folder that holds"
            f" {DATASETS[name].folders[0]}/."
        )
    dataset = open_dataset(name, Path(root), split)
    first: Any = dataset[0]
    if not isinstance(first, Sample) or any(one.task is Task.CHAT for one in first.queries):
        raise RecipeError(f"{name} has no images with masks: no recipe learns from it yet")
    return dataset


def check_sources(recipe: Recipe) -> None:
    """Open the data sets of all stages, before the model is built. Raises as ``open_source``."""
    for stage in recipe.stage:
        for one in stage.source:
            if one.dataset != SYNTHETIC:
                open_source(one.dataset, one.split, recipe.data.root)
