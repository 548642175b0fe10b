"""A training run in memory: model, average, optimizer, and how far it is."""

from dataclasses import dataclass, field
from pathlib import Path

import torch
from accelerate import Accelerator

from vlseg_cli.models.training import Trainable
from vlseg_cli.training.ema import Ema
from vlseg_cli.training.optimizer import build_optimizer
from vlseg_cli.training.recipe import Recipe
from vlseg_cli.training.schedule import stage_fraction
from vlseg_cli.training.sources import ProcessShare


@dataclass
class TrainingProgress:
    """How far a run is. Data position and random numbers follow from the steps, see ``mixture``.

    steps, seconds: done in each stage. skipped: steps thrown away for a non-finite loss or
    gradient; skipped_in_a_row: since the last good step.
    """

    steps: list[int]
    seconds: list[float]
    skipped: int = 0
    skipped_in_a_row: int = 0

    @property
    def step(self) -> int:
        """Steps done in all stages together."""
        return sum(self.steps)


@dataclass
class TrainingRun:
    """Everything that a step changes, and what it needs to do so."""

    recipe: Recipe
    out: Path
    model: Trainable
    accelerator: Accelerator
    anew: tuple[str, ...] = ()  # parts that the weights to begin with lack
    ema: Ema = field(init=False)
    optimizer: torch.optim.AdamW = field(init=False)
    progress: TrainingProgress = field(init=False)

    def __post_init__(self) -> None:
        """Begin at step 0 with the model's present weights."""
        stages = len(self.recipe.stage)
        self.model.to(self.accelerator.device)
        self.ema = Ema(self.model, self.recipe.ema.decay)
        self.optimizer = build_optimizer(self.model, self.recipe.optimizer)
        self.progress = TrainingProgress([0] * stages, [0.0] * stages)

    @property
    def share(self) -> ProcessShare:
        """Which of all processes this one is."""
        return ProcessShare(self.accelerator.process_index, self.accelerator.num_processes)

    def is_done(self, index: int) -> bool:
        """True if stage ``index`` has used up its budget."""
        progress = self.progress
        stage = self.recipe.stage[index]
        return stage_fraction(stage, progress.steps[index], progress.seconds[index]) >= 1
