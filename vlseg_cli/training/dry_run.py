"""``vlseg train --dry-run``: what a recipe would do, seen before it does it."""

from pathlib import Path

import torch
from rich.console import Console
from rich.table import Table
from torch import Tensor

from vlseg_cli.models.training import Trainable
from vlseg_cli.training.autocast import autocast
from vlseg_cli.training.optimizer import choose_trained
from vlseg_cli.training.preview import draw_first_batch
from vlseg_cli.training.recipe import Recipe, recipe_text
from vlseg_cli.training.run import TrainingRun
from vlseg_cli.training.sources import batches_of

_MIB = 2**20
STATE = 4 * 5  # bytes per weight: fp32 weight, gradient, two moments, moving average


def describe(run: TrainingRun) -> None:
    """Print recipe, parameters by group and memory; draw the first batches under ``run.out``.

    Each stage runs one forward pass, which also shows that model and data fit together.
    """
    if not run.accelerator.is_main_process:
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(recipe_text(run.recipe), markup=False)
    console.print(_groups(run.model))
    stages = Table(
        "stage", "weights, MiB", "activations, MiB", "losses", title="memory, first batch"
    )
    weights = sum(p.numel() for p in run.model.parameters()) * STATE / _MIB
    for index, stage in enumerate(run.recipe.stage):
        activations, losses = first_pass(run, index)
        named = ", ".join(f"{name} {loss.item():.3f}" for name, loss in losses.items())
        stages.add_row(stage.name, f"{weights:.0f}", f"{activations / _MIB:.0f}", named)
    console.print(stages)
    for path in draw_first_batch(run.recipe, run.out):
        console.print(f"first batch drawn: {path}", markup=False)


def describe_unbuilt(recipe: Recipe, model: Trainable, out: Path) -> None:
    """The same for a model that this machine has no memory for, but for the forward pass."""
    console = Console(highlight=False, soft_wrap=True)
    console.print(recipe_text(recipe), markup=False)
    console.print(_groups(model))
    needed = sum(p.numel() for p in model.parameters()) * STATE / _MIB
    console.print(
        f"training needs {needed:,.0f} MiB for the weights alone, more than is free here: no batch "
        "was tried; shrink [model.config] with --set, or run this where there is more",
        markup=False,
    )
    for path in draw_first_batch(recipe, out):
        console.print(f"first batch drawn: {path}", markup=False)


def _groups(model: Trainable) -> Table:
    """How many weights each part has."""
    groups = Table("group", "parameters", title="parameters", title_justify="left")
    for name, parameters in model.parameter_groups().items():
        groups.add_row(name, f"{sum(p.numel() for p in parameters):,}")
    return groups


def first_pass(run: TrainingRun, index: int) -> tuple[int, dict[str, Tensor]]:
    """Forward the first batch of a stage: bytes kept for the backward pass, and the losses."""
    stage = run.recipe.stage[index]
    choose_trained(run.model, stage)
    batch = next(batches_of(run.recipe, stage, run.model, 0, run.share))
    weights = {parameter.untyped_storage().data_ptr() for parameter in run.model.parameters()}
    kept: dict[int, int] = {}

    def keep(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept[storage.data_ptr()] = storage.nbytes()
        return tensor

    device = run.accelerator.device
    with (
        torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor),
        autocast(run.recipe.precision, device),
    ):
        losses = dict(run.model(batch.to(device)))
    return sum(kept.values()), losses
