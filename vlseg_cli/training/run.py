"""A training run in memory: model, EMA, optimizer and progress."""

from dataclasses import dataclass, field
from pathlib import Path

import torch
from accelerate import Accelerator

from vlseg_cli.models.training import Trainable
from vlseg_cli.training.ema import Ema
from vlseg_cli.training.log import LossMeter
from vlseg_cli.training.optimizer import build_optimizer
from vlseg_cli.training.recipe import Recipe
from vlseg_cli.training.schedule import stage_fraction
from vlseg_cli.training.sources import ProcessIndex


@dataclass
class TrainingProgress:
    """Steps done. The position in the data and all random numbers follow from them.

    steps, seconds: of each stage. skipped: steps thrown away for a non-finite loss or
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
    """The state of a training, and the recipe it follows.

    random_parts: those that are not initialized from the recipe's weights. losses: those of the
    steps since the last row of the log.
    """

    recipe: Recipe
    out: Path
    model: Trainable
    accelerator: Accelerator
    random_parts: tuple[str, ...] = ()
    ema: Ema = field(init=False)
    optimizer: torch.optim.AdamW = field(init=False)
    progress: TrainingProgress = field(init=False)
    losses: LossMeter = field(default_factory=LossMeter)

    def __post_init__(self) -> None:
        """Begin at step 0 with the model's present weights."""
        stages = len(self.recipe.stage)
        self.model.to(self.accelerator.device)
        self.ema = Ema(self.model, self.recipe.ema.decay)
        self.optimizer = build_optimizer(self.model, self.recipe.optimizer)
        self.progress = TrainingProgress([0] * stages, [0.0] * stages)

    @property
    def process(self) -> ProcessIndex:
        """This process among all of the run."""
        return ProcessIndex(self.accelerator.process_index, self.accelerator.num_processes)

    def is_done(self, index: int) -> bool:
        """True if stage ``index`` has used up its budget."""
        progress = self.progress
        stage = self.recipe.stage[index]
        return stage_fraction(stage, progress.steps[index], progress.seconds[index]) >= 1
