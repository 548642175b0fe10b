"""The training loop: batches in, steps out, a checkpoint now and then.

Whatever all processes must decide alike (skip, stop, end of a stage) comes from one small exchange
per step, so that none waits for a partner that took another turn.
"""

import math
import time
from collections.abc import Mapping
from contextlib import nullcontext
from typing import NamedTuple

import numpy as np
import torch
from accelerate.utils import set_seed
from torch import Tensor, nn

from vlseg_cli.models.training import Batch
from vlseg_cli.schema import VlsegError
from vlseg_cli.training.autocast import autocast
from vlseg_cli.training.checkpoint import save_checkpoint
from vlseg_cli.training.export import export_model
from vlseg_cli.training.log import Meter, RunLog
from vlseg_cli.training.optimizer import choose_trained
from vlseg_cli.training.run import TrainingRun
from vlseg_cli.training.schedule import learning_rate, stage_fraction
from vlseg_cli.training.sources import batches_of, samples_before
from vlseg_cli.training.stop import StoppedError, StopRequest

_MOST_SKIPPED = 20  # non-finite steps in a row after which nothing will mend


class AgreedState(NamedTuple):
    """What one exchange settles for all processes: the highest value that any of them brought."""

    signal: int
    failed: bool
    seconds: float


class StageLoop:
    """Trains one stage of a run from wherever the run stands."""

    def __init__(self, run: TrainingRun, index: int, log: RunLog | None, stop: StopRequest) -> None:
        """log: of the process that writes; None in all others, which write nothing at all."""
        self.run, self.index, self.log, self.stop = run, index, log, stop
        self.stage = run.recipe.stage[index]
        choose_trained(run.model, self.stage)
        start = samples_before(run.recipe, index, run.progress.steps)
        self.batches = batches_of(run.recipe, self.stage, run.model, start, run.share)
        self.forward = self._parallel()
        self.meter = Meter()
        self.saved = self.noted = self.tick = time.monotonic()
        self.noted_step = run.progress.step

    def train(self) -> None:
        """Step until the budget is used up, then leave a checkpoint.

        Raises StoppedError after a signal, VlsegError if the losses stay non-finite.
        """
        while not self.run.is_done(self.index):
            signal, norm = self._step()
            self._note(norm)
            if signal:
                self._save()
                raise StoppedError(signal, self.run.progress.step)
            if time.monotonic() - self.saved > 60 * self.run.recipe.checkpoint.minutes:
                self._save()
        self._save()

    def _parallel(self) -> nn.Module:
        """The model, under DDP if there are several processes.

        It is wrapped anew for each stage: DDP only averages what could learn when it was made.
        """
        self.run.accelerator.free_memory()
        wrapped: nn.Module = self.run.accelerator.prepare_model(self.run.model)
        return wrapped

    def _step(self) -> tuple[int, float]:
        """One optimizer step; the number of a signal that came, and the norm of the gradients."""
        run, progress = self.run, self.run.progress
        # Random numbers depend on the step alone, so a resume needs no generator's state.
        sequence = np.random.SeedSequence((run.recipe.seed, progress.step, run.share.rank))
        set_seed(int(sequence.generate_state(1)[0]))
        passes = [self._backward(number) for number in range(self.stage.accumulate)]
        norm = float(nn.utils.clip_grad_norm_(run.model.parameters(), run.recipe.optimizer.clip))
        finite = math.isfinite(norm) and all(math.isfinite(p["loss"].item()) for p in passes)
        agreed = self._agree(failed=not finite)
        if agreed.failed:
            self._skip()
        else:
            self._apply()
            for losses in passes:
                self.meter.add(losses)
        run.optimizer.zero_grad(set_to_none=True)
        progress.steps[self.index] += 1
        progress.seconds[self.index] = agreed.seconds
        return agreed.signal, norm

    def _backward(self, number: int) -> Mapping[str, Tensor]:
        """Add the gradients of one pass; its losses, with their sum as 'loss'."""
        run = self.run
        batch: Batch = next(self.batches).to(run.accelerator.device)
        is_last = number + 1 == self.stage.accumulate
        with nullcontext() if is_last else run.accelerator.no_sync(self.forward):
            with autocast(run.recipe.precision, run.accelerator.device):
                losses: Mapping[str, Tensor] = self.forward(batch)
            total = torch.stack([loss.float() for loss in losses.values()]).sum()
            torch.autograd.backward(total / self.stage.accumulate)
        return {"loss": total.detach(), **losses}

    def _agree(self, failed: bool) -> AgreedState:
        """Exchange what only one process may know: a signal, a failure, the slowest clock."""
        now = time.monotonic()
        seconds = self.run.progress.seconds[self.index] + now - self.tick
        self.tick = now
        if self.run.share.processes == 1:
            return AgreedState(self.stop.number, failed, seconds)
        values = torch.tensor(
            [self.stop.number, failed, seconds], device=self.run.accelerator.device
        )
        torch.distributed.all_reduce(values, torch.distributed.ReduceOp.MAX)
        signal, any_failed, slowest = values.tolist()
        return AgreedState(int(signal), bool(any_failed), slowest)

    def _apply(self) -> None:
        run = self.run
        recipe, progress = run.recipe, run.progress
        rate = learning_rate(
            recipe.stage, self.index, progress.steps, progress.seconds, recipe.optimizer.final_lr
        )
        for group in run.optimizer.param_groups:
            group["lr"] = rate
        run.optimizer.step()
        run.ema.update(run.model)
        progress.skipped_in_a_row = 0

    def _skip(self) -> None:
        """Throw a non-finite step away; too many in a row end the run."""
        progress = self.run.progress
        self.run.ema.heal(self.run.model)
        progress.skipped += 1
        progress.skipped_in_a_row += 1
        if progress.skipped_in_a_row >= _MOST_SKIPPED:
            raise VlsegError(
                f"{_MOST_SKIPPED} steps in a row gave a loss or gradient that is no number, the "
                f"last at step {progress.step}; go on from the last checkpoint with a lower lr of "
                f"stage {self.stage.name!r}"
            )

    def _note(self, norm: float) -> None:
        """Log every so many steps."""
        progress = self.run.progress
        if self.log is None or progress.step % self.run.recipe.log.every:
            return
        now = time.monotonic()
        steps, seconds = progress.step - self.noted_step, now - self.noted
        self.noted, self.noted_step = now, progress.step
        means = self.meter.take()
        if not means:
            self.log.say(f"step {progress.step}: every step since the last line was skipped")
            return
        fraction = stage_fraction(
            self.stage, progress.steps[self.index], progress.seconds[self.index]
        )
        self.log.row(
            {
                "step": progress.step,
                "stage": self.stage.name,
                "lr": self.run.optimizer.param_groups[0]["lr"],
                "grad_norm": norm,
                "samples_per_second": steps * self.stage.batch_size / seconds,
                "skipped": progress.skipped,
                **means,
            },
            fraction,
        )

    def _save(self) -> None:
        """Checkpoint, model to be tried out, curves; by the process that writes."""
        self.saved = time.monotonic()
        if self.log is None:
            return
        folder = save_checkpoint(self.run)
        export_model(self.run)
        self.log.draw()
        self.log.say(f"step {self.run.progress.step}: saved {folder.name} and model/")


def train_stages(run: TrainingRun, log: RunLog | None, stop: StopRequest) -> None:
    """Train every stage that is not done yet, in order."""
    for index in range(len(run.recipe.stage)):
        if not run.is_done(index):
            StageLoop(run, index, log, stop).train()
