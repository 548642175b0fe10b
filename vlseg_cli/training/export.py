"""The model to be used, beside the checkpoints: averaged weights, replaced in one move."""

import shutil

from vlseg_cli.training.card import model_card
from vlseg_cli.training.run import Run


def export_model(run: Run) -> None:
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
