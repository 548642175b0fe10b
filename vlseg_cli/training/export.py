"""The model card: what a trained model is, from what it was made, and how it was made again."""

import platform
import shutil

import torch

from vlseg_cli.training.recipe import recipe_text
from vlseg_cli.training.run import TrainingRun
from vlseg_cli.training.seeds import HELD_OUT, seed_of
from vlseg_cli.training.sources import samples_before


def model_card(run: TrainingRun) -> str:
    """Markdown with training figures and the whole recipe; measured quality is added by hand."""
    progress, recipe = run.progress, run.recipe
    stages = [
        f"| {stage.name} | {stage.data} | {steps} | {steps * stage.batch_size} "
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
        f"{sum(progress.seconds) / 60:.1f} minutes on {run.share.processes} "
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


def _data_sentence(run: TrainingRun) -> str:
    """Which scenes the model has seen."""
    drawn = [number for number, stage in enumerate(run.recipe.stage) if stage.data != "text"]
    count = samples_before(run.recipe, drawn[0], run.progress.steps) if drawn else 0
    if not count:
        return "No drawn scene has been seen yet."
    first, there = run.recipe.data.first_seed, run.recipe.data.scenes or HELD_OUT
    often = "each seen once" if count <= there else f"{count / there:.1f} times all there are"
    last = seed_of(first, min(count, there) - 1)
    return (
        f"{count:,} drawn scenes, {often}: from seed {first} to {last}; "
        f"those from {HELD_OUT} up are kept for tests."
    )


def export_model(run: TrainingRun) -> None:
    """Write ``out/model``, which ``--model OUT/model`` reads, from the averaged weights."""
    final = run.out / "model"
    fresh, old = final.with_name(".model-new"), final.with_name(".model-old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    with run.ema.applied(run.model):
        run.model.save(fresh, model_card(run))
    if final.exists():
        final.rename(old)
    fresh.rename(final)
    shutil.rmtree(old, ignore_errors=True)
