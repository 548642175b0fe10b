"""The data sources of a stage: an endless stream of batches in one order, startable anywhere.

Step s of a stage takes samples s * B to (s + 1) * B in whatever process they are computed: the
samples of a step depend neither on the number of processes nor of workers, and resuming needs the
step number only.
"""

import signal
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset, Sampler

from vlseg_cli.models.training import Batch, Trainable
from vlseg_cli.schema import Sample
from vlseg_cli.schema.sample import ClipFrames, FactSample, TextSample
from vlseg_cli.synthetic.clip_samples import synthetic_clip_frames
from vlseg_cli.synthetic.fact_samples import synthetic_fact_sample
from vlseg_cli.synthetic.samples import SampleMix, synthetic_sample
from vlseg_cli.synthetic.text_samples import text_sample
from vlseg_cli.training.mixture import MixedDataset
from vlseg_cli.training.recipe import HELD_OUT, Recipe, StageTable


@dataclass(frozen=True, slots=True)
class SceneDataset(Dataset[Sample]):
    """Synthetic scenes with queries; entry n is the n-th of the run.

    scenes: how many different ones there are, 0 for as many as there are seeds."""

    hand: str
    first_seed: int
    size: int
    mix: SampleMix
    scenes: int = 0

    def __getitem__(self, index: int) -> Sample:
        """The same index, the same sample, in any process."""
        if self.scenes:
            index %= self.scenes
        seed = scene_seed(self.first_seed, index)
        return synthetic_sample(seed, self.size, self.mix, self.hand)


@dataclass(frozen=True, slots=True)
class ClipFramesDataset(Dataset[ClipFrames]):
    """A few frames of synthetic clips with queries; entry n is the n-th of the run."""

    hand: str
    first_seed: int
    size: int
    mix: SampleMix
    clip_frames: int

    def __getitem__(self, index: int) -> ClipFrames:
        """The same index, the same frames, in any process."""
        return synthetic_clip_frames(
            scene_seed(self.first_seed, index), self.size, self.mix, self.clip_frames, self.hand
        )


@dataclass(frozen=True, slots=True)
class TextDataset(Dataset[TextSample]):
    """Sentences without images in the language of a hand; entry n is the n-th of the run."""

    hand: str
    seed: int

    def __getitem__(self, index: int) -> TextSample:
        """The same index, the same sentence, in any process."""
        return text_sample(np.random.default_rng((self.seed, index)), self.hand)


@dataclass(frozen=True, slots=True)
class FactDataset(Dataset[FactSample]):
    """Facts of synthetic scenes without images; entry n is the n-th of the run."""

    hand: str
    first_seed: int
    mix: SampleMix

    def __getitem__(self, index: int) -> FactSample:
        """The same index, the same facts, in any process."""
        return synthetic_fact_sample(scene_seed(self.first_seed, index), self.mix, self.hand)


@dataclass(frozen=True, slots=True)
class ProcessIndex:
    """A process among the ``count`` of a run."""

    index: int = 0
    count: int = 1


@dataclass(frozen=True, slots=True)
class ShardedOrder(Sampler[list[int]]):
    """Sample numbers of a process's passes, without end.

    start: number of the next sample of the run. batch_size: over all processes and passes.
    """

    start: int
    batch_size: int
    accumulate: int = 1
    process: ProcessIndex = ProcessIndex()

    def __iter__(self) -> Iterator[list[int]]:
        """Lists of batch_size / (number of processes * accumulate) numbers."""
        size = self.batch_size // (self.process.count * self.accumulate)
        step = self.start
        while True:
            for number in range(self.accumulate):
                first = step + (number * self.process.count + self.process.index) * size
                yield list(range(first, first + size))
            step += self.batch_size


def scene_seed(first: int, sample: int) -> int:
    """The seed of sample number ``sample``, counted from ``first``; after the last seed that is not
    held out comes 0."""
    return (first + sample) % HELD_OUT


def samples_before(recipe: Recipe, index: int, steps: list[int]) -> int:
    """How many samples like those of stage ``index`` a run has used after ``steps`` per stage."""
    is_text = recipe.stage[index].data == "text"
    return sum(
        stage.batch_size * done
        for stage, done in zip(recipe.stage, steps, strict=True)
        if (stage.data == "text") == is_text  # all kinds of scenes are numbered together
    )


def dataset_of(recipe: Recipe, stage: StageTable) -> Dataset[Any]:
    """The numbered samples that a stage draws from."""
    hand, first = recipe.data.hand, recipe.data.first_seed
    if stage.data == "text":
        return TextDataset(recipe.data.hand, recipe.seed)
    if stage.data == "facts":
        return FactDataset(hand, first, stage.mixture)
    if stage.data == "clips":
        return ClipFramesDataset(hand, first, stage.size, stage.mixture, stage.clip_frames)
    no_prompts = SampleMix(sentences=0, questions=0, regions=0)
    mix = no_prompts if stage.data == "dense" else stage.mixture
    scenes = SceneDataset(hand, first, stage.size, mix, recipe.data.scenes)
    return MixedDataset(recipe, stage.source, scenes) if stage.source else scenes


def collator_of(stage: StageTable, model: Trainable) -> Callable[[Sequence[Any]], Batch]:
    """The function that collates the batches of a stage."""
    if stage.data == "text":
        return model.text_collator()
    if stage.data == "dense":
        return model.dense_collator(stage.size)
    if stage.data == "facts":
        return model.fact_collator()
    if stage.data == "clips":
        return model.clip_collator(stage.size)
    return model.collator(stage.size)


def batches_of(
    recipe: Recipe, stage: StageTable, model: Trainable, start: int, process: ProcessIndex
) -> Iterator[Batch]:
    """Batches for the passes of one process, from sample ``start`` of the run, without end."""
    loader: DataLoader[Any] = DataLoader(
        dataset_of(recipe, stage),
        batch_sampler=ShardedOrder(start, stage.batch_size, stage.accumulate, process),
        collate_fn=collator_of(stage, model),
        num_workers=recipe.data.workers,
        # Its own generator, so that starting workers does not change the run's random numbers.
        generator=torch.Generator(),
    )
    batches = iter(loader)
    if recipe.data.workers and threading.current_thread() is threading.main_thread():
        # torch's handler raises the loss of a worker wherever the main thread is, also amid a step
        # of the optimizer; without it, the next batch raises it within seconds.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    return batches
