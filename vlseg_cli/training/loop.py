"""The training loop: optimizer steps, checkpoints and log rows of each stage.

Decisions that all processes must share come from two small all-reduces per step, so that no process
waits for another that decided differently: whether all have their batches, and then whether to skip
the step, to stop or to end the stage.
"""

import math
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from typing import NamedTuple

import numpy as np
import torch
from accelerate.utils import set_seed
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from vlseg_cli.jobs.pipeline import Stop
from vlseg_cli.models.training import Batch
from vlseg_cli.schema import VlsegError
from vlseg_cli.training.checkpoint import remove_old, save_checkpoint
from vlseg_cli.training.export import export_model
from vlseg_cli.training.log import RunLog
from vlseg_cli.training.optimizer import choose_trained
from vlseg_cli.training.recipe import PrecisionTable
from vlseg_cli.training.run import TrainingRun
from vlseg_cli.training.schedule import learning_rate, stage_fraction
from vlseg_cli.training.sources import batches_of, samples_before

_MOST_SKIPPED = 20  # non-finite steps in a row, from which training does not recover


class StoppedError(VlsegError):
    """A signal ended training after a checkpoint; the same command resumes it."""

    def __init__(self, number: int, step: int) -> None:
        """exit_code: 128 + number of the signal, as shells expect."""
        name = signal.Signals(number).name
        super().__init__(f"stopped by {name} at step {step}; the same command resumes from there")
        self.exit_code = 128 + number


class AgreedState(NamedTuple):
    """The result of the all-reduce: the maximum over all processes of each value."""

    signal: int
    failed: bool
    seconds: float


class StageLoop:
    """Trains one stage of a run from its present step."""

    def __init__(
        self,
        run: TrainingRun,
        index: int,
        log: RunLog | None,
        stop: Stop,
        check: Callable[[], None] | None,
    ) -> None:
        """log: of the process that writes files, None in others. check: see ``train_stages``."""
        self.run, self.index, self.log, self.stop, self.check = run, index, log, stop, check
        self.stage = run.recipe.stage[index]
        choose_trained(run.model, self.stage)
        start = samples_before(run.recipe, index, run.progress.steps)
        self.batches = batches_of(run.recipe, self.stage, run.model, start, run.process)
        self.forward = self._parallel()
        if not run.progress.steps[index]:
            run.losses.clear()  # those of the stage before
        self.saved = self.logged = self.last = time.monotonic()  # s
        self.saved_step = self.logged_step = run.progress.step

    def train(self) -> None:
        """Step until the budget is used up, and write a checkpoint.

        Raises StoppedError after a signal, VlsegError if the losses stay non-finite or if data
        cannot be made; a checkpoint is written before both but the non-finite.
        """
        while not self.run.is_done(self.index):
            number, norm = self._step(self._batches())
            self._log(norm)
            if number:
                self._save()
                raise StoppedError(number, self.run.progress.step)
            if time.monotonic() - self.saved > 60 * self.run.recipe.checkpoint.minutes:
                self._save()
        self._save()

    def _batches(self) -> list[Batch]:
        """The batches of the next step. Raises VlsegError if any process cannot have its own."""
        batches, failure = [], None
        try:
            batches = [next(self.batches) for _ in range(self.stage.accumulate)]
        except Exception as error:  # whatever a reader, a collator or a lost worker raises
            failure = error
        if not self._any_process(failure is not None):
            return batches
        self._save()
        step = self.run.progress.step
        reason = " ".join(str(failure or "in another process").split())
        raise VlsegError(
            f"the data of step {step + 1} cannot be made ({reason}); step {step} is saved, and the"
            " same command resumes from there"
        ) from failure

    def _parallel(self) -> nn.Module:
        """The model, in DistributedDataParallel if there are several processes.

        It is wrapped again for each stage: DDP averages the gradients of those parameters only that
        required one when it was created.
        """
        self.run.accelerator.free_memory()
        wrapped: nn.Module = self.run.accelerator.prepare_model(self.run.model)
        return wrapped

    def _step(self, batches: list[Batch]) -> tuple[int, float]:
        """One optimizer step: number of a signal, 0 for none, and norm of the gradients."""
        run, progress = self.run, self.run.progress
        # Random numbers depend on the step alone, so resuming needs no generator's state.
        sequence = np.random.SeedSequence((run.recipe.seed, progress.step, run.process.index))
        set_seed(int(sequence.generate_state(1)[0]))
        passes = [
            self._backward(batch, is_last=number == len(batches))
            for number, batch in enumerate(batches, start=1)
        ]
        norm = float(nn.utils.clip_grad_norm_(run.model.parameters(), run.recipe.optimizer.clip))
        finite = math.isfinite(norm) and all(math.isfinite(p["loss"].item()) for p in passes)
        agreed = self._agree(failed=not finite)
        if agreed.failed:
            self._skip()
        else:
            self._apply()
            for losses in passes:
                run.losses.add(losses)
        run.optimizer.zero_grad(set_to_none=True)
        progress.steps[self.index] += 1
        progress.seconds[self.index] = agreed.seconds
        return agreed.signal, norm

    def _backward(self, batch: Batch, is_last: bool) -> Mapping[str, Tensor]:
        """Accumulate the gradients of one pass. Returns its losses, their sum as 'loss'."""
        run = self.run
        batch = batch.to(run.accelerator.device)
        with nullcontext() if is_last else run.accelerator.no_sync(self.forward):
            with autocast(run.recipe.precision, run.accelerator.device):
                losses: Mapping[str, Tensor] = self.forward(batch)
            total = torch.stack([loss.float() for loss in losses.values()]).sum()
            torch.autograd.backward(total / self.stage.accumulate)
        return {"loss": total.detach(), **losses}

    def _agree(self, failed: bool) -> AgreedState:
        """All-reduce a signal, a failure and the time of this stage over the processes."""
        now = time.monotonic()
        seconds = self.run.progress.seconds[self.index] + now - self.last
        self.last = now
        number = self.stop.signal or 0
        if self.run.process.count == 1:
            return AgreedState(number, failed, seconds)
        values = torch.tensor([number, failed, seconds], device=self.run.accelerator.device)
        torch.distributed.all_reduce(values, torch.distributed.ReduceOp.MAX)
        number, any_failed, slowest = values.tolist()
        return AgreedState(int(number), bool(any_failed), slowest)

    def _any_process(self, failed: bool) -> bool:
        """Whether it is true in any process."""
        if self.run.process.count == 1:
            return failed
        value = torch.tensor(float(failed), device=self.run.accelerator.device)
        torch.distributed.all_reduce(value, torch.distributed.ReduceOp.MAX)
        return bool(value.item())

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
        """Discard a non-finite step. Raises VlsegError after too many in a row."""
        progress = self.run.progress
        self.run.ema.repair_buffers(self.run.model)
        progress.skipped += 1
        progress.skipped_in_a_row += 1
        if progress.skipped_in_a_row >= _MOST_SKIPPED:
            raise VlsegError(
                f"{_MOST_SKIPPED} steps in a row had a non-finite loss or gradient, the last at "
                f"step {progress.step}; resume from the last checkpoint with a lower lr of stage "
                f"{self.stage.name!r}"
            )

    def _log(self, norm: float) -> None:
        """Write a row every ``log.every`` steps."""
        progress = self.run.progress
        if self.log is None or progress.step % self.run.recipe.log.every:
            return
        now = time.monotonic()
        steps, seconds = progress.step - self.logged_step, now - self.logged
        self.logged, self.logged_step = now, progress.step
        means = self.run.losses.pop_means()
        if not means:
            self.log.print(f"step {progress.step}: every step since the last line was skipped")
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
        """Write checkpoint, model folder and curves, in the process that writes files.

        Each step is saved once: the end of a stage may be the moment of a regular checkpoint.
        """
        self.saved = time.monotonic()
        if self.log is None or self.saved_step == self.run.progress.step:
            return
        self.saved_step = self.run.progress.step
        if self.check:
            self.check()
        folder = save_checkpoint(self.run)
        export_model(self.run)
        self.log.draw()
        self.log.print(f"step {self.run.progress.step}: saved {folder.name} and model/")


@contextmanager
def autocast(precision: PrecisionTable, device: torch.device) -> Iterator[None]:
    """Compute the block in ``precision``; weights stay in float32."""
    bf16 = precision.dtype == "bf16"
    # On a CPU, the backward pass of torch's fused attention in bfloat16 is 3 to 12 times slower
    # than that of plain matrix products (narrow heads: torch 2.13).
    attention = sdpa_kernel(SDPBackend.MATH) if bf16 and device.type == "cpu" else nullcontext()
    with attention, torch.autocast(device.type, torch.bfloat16, bf16):
        yield


def train_stages(
    run: TrainingRun, log: RunLog | None, stop: Stop, check: Callable[[], None] | None = None
) -> None:
    """Train every stage that is not finished, in order.

    check: called before each checkpoint; raises FencedError if another process trains this run.
    """
    left = [index for index in range(len(run.recipe.stage)) if not run.is_done(index)]
    for index in left:
        StageLoop(run, index, log, stop, check).train()
    if not left and log is not None:  # killed after the last checkpoint, perhaps before its model
        remove_old(run)
        export_model(run)
        log.draw()
