"""``vlseg train --dry-run``: the plan of a recipe, its memory, and the first batch as an image.

In the image each query is a tile, the scene under its true masks with the prompt below: errors in
the data show there before they show in a loss.
"""

import textwrap
from pathlib import Path

import torch
from PIL import Image, ImageDraw
from rich.console import Console
from rich.table import Table
from torch import Tensor

from vlseg_cli.models.training import Trainable
from vlseg_cli.outputs.overlay import draw_overlay
from vlseg_cli.outputs.records import prompt_text
from vlseg_cli.schema import Categories, Frame, Prediction, Query, Sample, segment_from_mask
from vlseg_cli.training.loop import autocast
from vlseg_cli.training.optimizer import choose_trained
from vlseg_cli.training.recipe import Recipe, recipe_text
from vlseg_cli.training.run import TrainingRun
from vlseg_cli.training.sources import batches_of, dataset_of

_MIB = 2**20
STATE = 4 * 5  # bytes per weight: fp32 weight, gradient, two moments, moving average
_TILE, _TEXT, _COLUMNS, _MOST = 224, 44, 6, 72  # px, px, tiles across, tiles in all


def describe(run: TrainingRun) -> None:
    """Print recipe, parameters by group and memory; draw the first batches under ``run.out``.

    Each stage runs one forward pass, which also checks that model and data fit together.
    """
    if not run.accelerator.is_main_process:
        return
    console = _describe_plan(run.recipe, run.model)
    stages = Table(
        "stage", "weights, MiB", "activations, MiB", "losses", title="memory, first batch"
    )
    for index, stage in enumerate(run.recipe.stage):
        activations, losses = first_pass(run, index)
        named = ", ".join(f"{name} {loss.item():.3f}" for name, loss in losses.items())
        memory = f"{_state_mib(run.model):.0f}", f"{activations / _MIB:.0f}"
        stages.add_row(stage.name, *memory, named)
    console.print(stages)
    _draw(run.recipe, run.out, console)


def describe_unbuilt(recipe: Recipe, model: Trainable, out: Path) -> None:
    """The same for a model that does not fit into memory, without the forward pass."""
    console = _describe_plan(recipe, model)
    console.print(
        f"training needs {_state_mib(model):,.0f} MiB for the weights alone, more than is free "
        "here: no batch was tried; shrink [model.config] with --set, or use a machine with more",
        markup=False,
    )
    _draw(recipe, out, console)


def _describe_plan(recipe: Recipe, model: Trainable) -> Console:
    console = Console(highlight=False, soft_wrap=True)
    console.print(recipe_text(recipe), markup=False)
    groups = Table("group", "parameters", title="parameters", title_justify="left")
    for name, parameters in model.parameter_groups().items():
        groups.add_row(name, f"{sum(p.numel() for p in parameters):,}")
    console.print(groups)
    return console


def _state_mib(model: Trainable) -> float:
    return sum(p.numel() for p in model.parameters()) * STATE / _MIB


def _draw(recipe: Recipe, out: Path, console: Console) -> None:
    for path in draw_first_batch(recipe, out):
        console.print(f"first batch drawn: {path}", markup=False)


def first_pass(run: TrainingRun, index: int) -> tuple[int, dict[str, Tensor]]:
    """Forward the first batch of a stage: bytes saved for the backward pass, and the losses."""
    stage = run.recipe.stage[index]
    choose_trained(run.model, stage)
    batch = next(batches_of(run.recipe, stage, run.model, 0, run.process))
    weights = {parameter.untyped_storage().data_ptr() for parameter in run.model.parameters()}
    saved: dict[int, int] = {}

    def save(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    device = run.accelerator.device
    with (
        torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor),
        autocast(run.recipe.precision, device),
    ):
        losses = dict(run.model(batch.to(device)))
    return sum(saved.values()), losses


def draw_first_batch(recipe: Recipe, out: Path) -> list[Path]:
    """Write ``first-batch-<stage>.png`` for each stage that has images; returns the paths."""
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for stage in recipe.stage:
        if stage.data not in ("text", "facts"):
            dataset = dataset_of(recipe, stage)
            entries = [dataset[number] for number in range(stage.batch_size)]
            samples = [s for one in entries for s in getattr(one, "samples", (one,))]
            paths.append(out / f"first-batch-{stage.name}.png")
            contact_sheet(samples).save(paths[-1])
    return paths


def contact_sheet(samples: list[Sample]) -> Image.Image:
    """Tiles of the queries of some samples in reading order, 72 at most."""
    tiles = [_tile(sample.frame, query) for sample in samples for query in sample.queries][:_MOST]
    rows = -(-len(tiles) // _COLUMNS)
    image = Image.new("RGB", (_COLUMNS * _TILE, rows * (_TILE + _TEXT)), "white")
    for number, tile in enumerate(tiles):
        row, column = divmod(number, _COLUMNS)
        image.paste(tile, (column * _TILE, row * (_TILE + _TEXT)))
    return image


def _tile(frame: Frame, query: Query) -> Image.Image:
    overlay = Image.fromarray(draw_overlay(frame, [_truth(frame, query)]))
    tile = Image.new("RGB", (_TILE, _TILE + _TEXT), "white")
    tile.paste(overlay.resize((_TILE, _TILE)))
    words = prompt_text(query.prompt)
    text = words if isinstance(words, str) else ", ".join(words)
    lines = textwrap.wrap(f"{query.task} {query.kind}: {text}", 36)[:3]
    ImageDraw.Draw(tile).multiline_text((3, _TILE + 2), "\n".join(lines), fill="black", spacing=2)
    return tile


def _truth(frame: Frame, query: Query) -> Prediction:
    """The true masks as a prediction."""
    names = query.prompt.names if isinstance(query.prompt, Categories) else ()
    segments = tuple(
        segment_from_mask(mask, 1.0, names[label] if names else "", int(label))
        for mask, label in zip(query.masks, query.labels, strict=True)
    )
    return Prediction(
        frame.source, frame.index, frame.height, frame.width, query.task, query.prompt, segments
    )
