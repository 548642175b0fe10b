"""Export: the model folder of a run, from the averaged weights, with its model card."""

import platform
import shutil
from pathlib import Path

import torch

from vlseg_cli.training.recipe import HELD_OUT, StageTable, recipe_text
from vlseg_cli.training.run import TrainingRun
from vlseg_cli.training.sources import samples_before, scene_seed


def model_card(run: TrainingRun) -> str:
    """Markdown with training figures and the whole recipe; measured quality is added by hand."""
    progress, recipe = run.progress, run.recipe
    stages = [
        f"| {stage.name} | {_data_of(stage)} | {steps} | {steps * stage.batch_size} "
        f"| {seconds / 60:.1f} |"
        for stage, steps, seconds in zip(
            recipe.stage, progress.steps, progress.seconds, strict=True
        )
    ]
    parameters = {
        name: sum(p.numel() for p in ps) for name, ps in run.model.parameter_groups().items()
    }
    shipped = sum(count for name, count in parameters.items() if name != "auxiliary")
    groups = ", ".join(f"{name} {count:,}" for name, count in parameters.items())
    lines = [
        f"# {recipe.model.architecture}, trained by vlseg",
        "",
        f"{shipped:,} parameters ({groups}; auxiliary parts are not shipped).",
        "Weights: moving average over training, stored as fp16.",
        "",
        "## Training",
        "",
        _data_sentence(run),
        f"{progress.step} steps ({progress.skipped} skipped) in "
        f"{sum(progress.seconds) / 60:.1f} minutes on {run.process.count} "
        f"{run.accelerator.device.type} process(es), torch {torch.__version__}, "
        f"{platform.machine()}.",
        "",
        "| stage | data | steps | samples | minutes |",
        "|---|---|---|---|---|",
        *stages,
        "",
        "## Recipe",
        "",
        "```toml",
        recipe_text(recipe).rstrip(),
        "```",
    ]
    return "\n".join(lines) + "\n"


def _data_of(stage: StageTable) -> str:
    sources = (f"{one.dataset} {one.split} x {one.weight:g}" for one in stage.source)
    return ", ".join(sources) or stage.data


def _data_sentence(run: TrainingRun) -> str:
    """The synthetic scenes that were used."""
    if any(stage.source for stage in run.recipe.stage):
        return "The data sets of each stage, with their weights, are in the table."
    stages = [number for number, stage in enumerate(run.recipe.stage) if stage.data != "text"]
    count = samples_before(run.recipe, stages[0], run.progress.steps) if stages else 0
    if not count:
        return "No synthetic scene has been used yet."
    first, total = run.recipe.data.first_seed, run.recipe.data.scenes or HELD_OUT
    epochs = "each once" if count <= total else f"{count / total:.1f} epochs"
    last = scene_seed(first, min(count, total) - 1)
    return (
        f"{count:,} synthetic scenes, {epochs}: from seed {first} to {last}; "
        f"those from {HELD_OUT} up are held out for tests."
    )


def export_model(run: TrainingRun) -> None:
    """Write ``out/model``, for ``--model OUT/model``, from the averaged weights."""
    final, (new, old) = run.out / "model", _unfinished(run.out)
    remove_unfinished_export(run.out)
    with run.ema.applied(run.model):
        run.model.save(new, model_card(run))
    if final.exists():
        final.rename(old)
    new.rename(final)
    shutil.rmtree(old, ignore_errors=True)


def remove_unfinished_export(out: Path) -> None:
    """Remove what a killed process left of an export."""
    for leftover in _unfinished(out):
        shutil.rmtree(leftover, ignore_errors=True)


def _unfinished(out: Path) -> tuple[Path, Path]:
    """The folders of the model being written and of the one being replaced."""
    return out / ".model-new", out / ".model-old"
