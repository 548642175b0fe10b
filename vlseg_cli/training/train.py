"""``vlseg train``: from a recipe file to a model folder, through as many restarts as it takes."""

import os
import sys
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

import psutil
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.utils import set_seed

from vlseg_cli.models.registry import build_trainable
from vlseg_cli.models.training import Trainable
from vlseg_cli.schema import RecipeError
from vlseg_cli.schema.tables import former_names
from vlseg_cli.training.checkpoint import delete_checkpoints, last_checkpoint, resume
from vlseg_cli.training.dry_run import STATE, describe, describe_unbuilt
from vlseg_cli.training.log import RunLog
from vlseg_cli.training.loop import train_stages
from vlseg_cli.training.optimizer import check_groups
from vlseg_cli.training.recipe import Recipe, load_recipe
from vlseg_cli.training.run import TrainingRun
from vlseg_cli.training.stop import stop_request
from vlseg_cli.training.vocabulary import synthetic_vocabulary
from vlseg_cli.weights.resolve import model_folder


def train(
    recipe: Path,
    out: Path,
    overrides: Sequence[str] = (),
    dry_run: bool = False,
    restart: bool = False,
) -> None:
    """Train what a recipe describes into ``out``; go on if ``out`` holds a checkpoint of it.

    overrides: 'stage.0.steps=100'. dry_run: only describe the run and draw its first batch.
    restart: forget an earlier run in ``out``. Under torchrun every process calls this.
    Raises RecipeError for a wrong recipe or one that ``out`` was not trained with, StoppedError
    after SIGTERM or SIGINT, when a checkpoint has been left.
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
    if os.environ.get("RANK", "0") == "0":
        table = "" if sentence.startswith(str(recipe)) else f"{recipe} "
        print(f"{table}{sentence}", file=sys.stderr)


def too_large(recipe: Recipe) -> Trainable | None:
    """The recipe's model without numbers, if training it would not fit into this machine's free
    memory; None if it fits."""
    with torch.device("meta"):
        model, _ = _adapted(recipe)
    free = psutil.virtual_memory().available
    if torch.cuda.is_available():
        free = torch.cuda.mem_get_info()[0]
    return model if sum(p.numel() for p in model.parameters()) * STATE > free else None


def _adapted(recipe: Recipe) -> tuple[Trainable, tuple[str, ...]]:
    """A model with the weights that the recipe names or random ones, and adapters if it wants them;
    and the names of the parts that those weights lack."""
    anew: tuple[str, ...] = ()
    model = build_trainable(
        recipe.model.architecture, synthetic_vocabulary(), recipe.model.config, recipe.losses
    )
    if recipe.model.weights and torch.get_default_device().type != "meta":
        with former_names(lambda _: None):  # a model folder's are read in silence
            anew = model.init_from(model_folder(recipe.model.weights))
    if (lora := recipe.lora) is not None:
        model.add_lora(lora.rank, lora.alpha, lora.dropout, lora.targets)
    return model, anew


def build_run(recipe: Path, out: Path, overrides: Sequence[str] = ()) -> TrainingRun:
    """A run at step 0, with the recipe's weights or random ones, which its seed decides."""
    resolved = load_recipe(recipe, overrides)
    accelerator = start_processes()
    set_seed(resolved.seed)
    model, anew = _adapted(resolved)
    run = TrainingRun(resolved, out, model, accelerator, anew)
    check_recipe(resolved, run)
    return run


def start_processes() -> Accelerator:
    """Join the processes of torchrun, or be the only one; on CPU each takes one thread of several.

    Two processes with one thread each beat one with two; more threads than cores are a disaster.
    """
    accelerator = Accelerator(
        cpu="LOCAL_RANK" in os.environ and not torch.accelerator.is_available(),
        kwargs_handlers=[
            # Batches without regions or questions leave parts of a model unused. Buffers, such as
            # batch statistics, are those of rank 0, which also saves.
            DistributedDataParallelKwargs(find_unused_parameters=True)
        ],
    )
    if accelerator.num_processes > 1 and accelerator.device.type == "cpu":
        torch.set_num_threads(1)
    return accelerator


def check_recipe(recipe: Recipe, run: TrainingRun) -> None:
    """Raise RecipeError for what only model and number of processes can tell."""
    check_groups(recipe, run.model)
    for number, stage in enumerate(recipe.stage):
        passes = run.share.processes * stage.accumulate
        if stage.batch_size % passes:
            raise RecipeError(
                f"[stage.{number}]: batch_size {stage.batch_size} cannot be divided by "
                f"{run.share.processes} processes times accumulate {stage.accumulate}"
            )


def train_run(run: TrainingRun, restart: bool = False) -> None:
    """Resume or begin, then train every stage; checkpoints, log and model lie under ``run.out``."""
    accelerator = run.accelerator
    if restart and accelerator.is_main_process:
        delete_checkpoints(run.out)
    accelerator.wait_for_everyone()
    checkpoint = last_checkpoint(run.out)
    if checkpoint:
        resume(run, checkpoint)
    accelerator.wait_for_everyone()  # nobody prunes a checkpoint that another still reads
    log = RunLog(run.out, run.progress.step) if accelerator.is_main_process else None
    if log and not checkpoint and run.anew:
        log.say(f"begins with {run.recipe.model.weights}; anew: {', '.join(run.anew)}")
    try:
        with stop_request() as stop:
            train_stages(run, log, stop)
    finally:
        if log:
            log.close()
        accelerator.end_training()
