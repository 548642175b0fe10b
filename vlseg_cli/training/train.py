"""``vlseg train``: from a recipe to a model folder, resuming from the last checkpoint."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cache, partial
from pathlib import Path

import psutil
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.utils import set_seed

from vlseg_cli.jobs.lease import locked, read_holder, worker_name
from vlseg_cli.jobs.pipeline import stop_on_signals
from vlseg_cli.models.registry import build_trainable
from vlseg_cli.models.training import Trainable
from vlseg_cli.outputs.atomic import remove_partial_files
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import FencedError, RecipeError
from vlseg_cli.schema.tables import former_names
from vlseg_cli.training.checkpoint import delete_checkpoints, remove_unfinished, resume_last
from vlseg_cli.training.dry_run import STATE, describe, describe_unbuilt
from vlseg_cli.training.export import remove_unfinished_export
from vlseg_cli.training.log import RunLog
from vlseg_cli.training.loop import train_stages
from vlseg_cli.training.mixture import check_sources
from vlseg_cli.training.optimizer import check_groups
from vlseg_cli.training.recipe import Recipe, load_recipe
from vlseg_cli.training.run import TrainingRun
from vlseg_cli.training.vocabulary import synthetic_vocabulary
from vlseg_cli.weights.resolve import model_folder

_LEASE = "training"


def train(
    recipe: Path,
    out: Path,
    overrides: Sequence[str] = (),
    dry_run: bool = False,
    restart: bool = False,
) -> None:
    """Train a recipe into ``out``, from the last checkpoint in it if there is one.

    overrides: 'stage.0.steps=100'. dry_run: only describe the run and draw its first batch.
    restart: delete an earlier run in ``out``. Under torchrun every process calls this.
    Raises RecipeError for a wrong recipe or one that ``out`` was not trained with, StoppedError
    after SIGTERM or SIGINT, once a checkpoint is written.
    """
    with former_names(cache(partial(_note, recipe))):
        resolved = load_recipe(recipe, overrides)
        if dry_run and (unbuilt := too_large(resolved)) is not None:
            describe_unbuilt(resolved, unbuilt, out)
            return
        run = build_run(recipe, out, overrides)
    if dry_run:
        describe(run)
    else:
        train_run(run, restart)


def _note(recipe: Path, sentence: str) -> None:
    """One line on stderr, of the first process alone, about a former name in ``recipe``."""
    if not sentence.startswith(str(recipe)):  # of a table that the architecture defines
        table, renamed = sentence.split(": ", 1)
        sentence = f"{recipe} {table if table == '[losses]' else '[model.config]'}: {renamed}"
    if os.environ.get("RANK", "0") == "0":
        print(sentence, file=sys.stderr)


def too_large(recipe: Recipe) -> Trainable | None:
    """The recipe's model without storage, if training it does not fit into this machine's free
    memory; None if it fits."""
    with torch.device("meta"):
        model, _ = _build_model(recipe)
    free = psutil.virtual_memory().available
    if torch.cuda.is_available():
        free = torch.cuda.mem_get_info()[0]
    return model if sum(p.numel() for p in model.parameters()) * STATE > free else None


def _build_model(recipe: Recipe) -> tuple[Trainable, tuple[str, ...]]:
    """The recipe's model, initialized and with LoRA adapters if it has any, and the names of the
    parts that the recipe's weights lack."""
    random_parts: tuple[str, ...] = ()
    model = build_trainable(
        recipe.model.architecture,
        synthetic_vocabulary(recipe.data.hand),
        recipe.model.config,
        recipe.losses,
    )
    if recipe.model.weights and torch.get_default_device().type != "meta":
        with former_names(lambda _: None):  # of model folders: no notes
            random_parts = model.init_from(model_folder(recipe.model.weights))
    if (lora := recipe.lora) is not None:
        model.add_lora(lora.rank, lora.alpha, lora.dropout, lora.targets)
    return model, random_parts


def build_run(recipe: Path, out: Path, overrides: Sequence[str] = ()) -> TrainingRun:
    """A run at step 0; random weights depend on the recipe's seed."""
    resolved = load_recipe(recipe, overrides)
    check_sources(resolved)
    accelerator = start_processes()
    set_seed(resolved.seed)
    model, random_parts = _build_model(resolved)
    run = TrainingRun(resolved, out, model, accelerator, random_parts)
    check_recipe(resolved, run)
    return run


def start_processes() -> Accelerator:
    """Join the processes of torchrun, if any; several on a CPU use one thread each.

    Two processes with one thread each are faster than one with two, and more threads than cores
    are far slower.
    """
    accelerator = Accelerator(
        cpu="LOCAL_RANK" in os.environ and not torch.accelerator.is_available(),
        kwargs_handlers=[
            # Batches without regions or questions leave parameters unused. Buffers, such as batch
            # statistics, are those of rank 0, which writes the checkpoints.
            DistributedDataParallelKwargs(find_unused_parameters=True)
        ],
    )
    if accelerator.num_processes > 1 and accelerator.device.type == "cpu":
        torch.set_num_threads(1)
    return accelerator


def check_recipe(recipe: Recipe, run: TrainingRun) -> None:
    """Raise RecipeError for unknown parameter groups and batches that cannot be divided."""
    check_groups(recipe, run.model)
    for number, stage in enumerate(recipe.stage):
        passes = run.process.count * stage.accumulate
        if stage.batch_size % passes:
            raise RecipeError(
                f"[stage.{number}]: batch_size {stage.batch_size} cannot be divided by "
                f"{run.process.count} processes times accumulate {stage.accumulate}"
            )


def train_run(run: TrainingRun, restart: bool = False) -> None:
    """Resume or start, and train every stage; checkpoints, log and model are under ``run.out``."""
    accelerator = run.accelerator
    with only_training(run.out) if accelerator.is_main_process else nullcontext() as check:
        if restart and accelerator.is_main_process:
            delete_checkpoints(run.out)
        accelerator.wait_for_everyone()
        notes: list[str] = []
        checkpoint = resume_last(run, notes.append)
        accelerator.wait_for_everyone()  # no checkpoint is deleted while a process reads it
        log = RunLog(run.out, run.progress.step) if accelerator.is_main_process else None
        if log:
            if not checkpoint and run.random_parts:
                parts = ", ".join(run.random_parts)
                notes.append(
                    f"initialized from {run.recipe.model.weights}; randomly initialized: {parts}"
                )
            for sentence in notes:
                log.print(sentence)
        try:
            # torchrun may pass SIGTERM on to a process that has received it already.
            with stop_on_signals(log.print if log else lambda _: None, (signal.SIGINT,)) as stop:
                train_stages(run, log, stop, check)
        finally:
            if log:
                log.close()
            accelerator.end_training()


@contextmanager
def only_training(out: Path) -> Iterator[Callable[[], None]]:
    """Keep other trainings out of ``out`` during the block; what a killed one left is removed.

    Gives a check to be called before anything is replaced: it raises FencedError if another process
    has taken over, after this one was stopped for long. Raises UsageError if there is another.
    """
    OutputFolder(out).make()
    worker, lease = worker_name(), out / f"{_LEASE}.lease"

    def check() -> None:
        holder = read_holder(lease)
        if holder is None or holder.worker != worker:
            raise FencedError(f"Another process has taken over the training in {out}.")

    with locked(out, _LEASE, worker, out, wait=0):
        remove_partial_files(out)
        remove_unfinished(out)
        remove_unfinished_export(out)
        yield check
