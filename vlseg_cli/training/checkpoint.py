"""Checkpoints: a run on disk, written atomically, from which it resumes bit by bit.

Tensors are safetensors, the rest is JSON, nothing is pickled. A checkpoint is a folder
``checkpoints/step-00001234`` that appears by one rename once every byte is on disk.
"""

import json
import os
import re
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from vlseg_cli.schema import RecipeError
from vlseg_cli.schema.tables import rename_former
from vlseg_cli.training.optimizer import optimizer_tensors, restore_optimizer
from vlseg_cli.training.recipe import Recipe, recipe_table
from vlseg_cli.training.run import TrainingProgress, TrainingRun
from vlseg_cli.training.schedule import schedule_chain
from vlseg_cli.weights.folder import misfit

_FOLDER, _TENSORS, _STATE = "checkpoints", "tensors.safetensors", "state.json"
# Keys that change what is written or the speed, never the weights.
_FREE = re.compile(r"checkpoint\.|log\.|data\.workers|stage\.\d+\.name")


def save_checkpoint(run: TrainingRun) -> Path:
    """Write a checkpoint and delete all but the last few. Call it in one process only."""
    folder = run.out / _FOLDER
    final = folder / f"step-{run.progress.step:08d}"
    temporary = folder / f".{final.name}"
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    save_file(_tensors(run), temporary / _TENSORS)
    state = {
        "progress": asdict(run.progress),
        "ema_updates": run.ema.updates,
        "recipe": recipe_table(run.recipe),
    }
    (temporary / _STATE).write_text(json.dumps(state, indent=1), encoding="utf-8")
    for file in temporary.iterdir():
        _to_disk(file)
    shutil.rmtree(final, ignore_errors=True)
    temporary.rename(final)
    _to_disk(folder)
    for old in _all(run.out)[: -run.recipe.checkpoint.keep]:
        shutil.rmtree(old)
    return final


def last_checkpoint(out: Path) -> Path | None:
    """The newest checkpoint under ``out``, None if there is none."""
    return next(reversed(_all(out)), None)


def delete_checkpoints(out: Path) -> None:
    """Delete the checkpoints of an earlier run."""
    shutil.rmtree(out / _FOLDER, ignore_errors=True)


def resume(run: TrainingRun, checkpoint: Path) -> None:
    """Restore a run from ``checkpoint``.

    Raises RecipeError if the recipe differs in what has already happened, or if the checkpoint was
    written by a version of vlseg whose model had other tensors.
    """
    state = json.loads((checkpoint / _STATE).read_text(encoding="utf-8"))
    steps: list[int] = state["progress"]["steps"]
    before = rename_former(Recipe, state["recipe"], str(checkpoint))
    changed = changed_keys(run.recipe, recipe_table(run.recipe), before, steps)
    if changed:
        raise RecipeError(
            f"{run.out} holds a run of another recipe, which differs in {', '.join(changed)}; "
            "use --restart to start over, or another --out"
        )
    tensors = load_file(checkpoint / _TENSORS)
    weights, averaged = _under("model/", tensors), _under("ema/", tensors)
    own = run.model.state_dict()
    if problems := misfit(own, weights) or misfit(own, averaged):
        raise RecipeError(
            f"{checkpoint} was written by another version of vlseg, whose model had other weights: "
            f"it {problems}; use --restart to start over, or another --out"
        )
    run.model.load_state_dict(weights)
    for name, value in averaged.items():
        run.ema.tensors[name].copy_(value)
    run.ema.updates = state["ema_updates"]
    restore_optimizer(run.optimizer, run.model, _under("optimizer/", tensors))
    run.progress = TrainingProgress(**state["progress"])
    missing = len(run.recipe.stage) - len(run.progress.steps)
    run.progress.steps += [0] * missing
    run.progress.seconds += [0.0] * missing


def changed_keys(
    recipe: Recipe, new: dict[str, Any], old: dict[str, Any], steps: list[int]
) -> list[str]:
    """Dotted keys in which two recipe tables must not differ but do.

    Keys of files and speed may differ, and so may stages that have not started (by the ``steps`` of
    each), unless they share a cosine with one that has.
    """
    started = max((number for number, done in enumerate(steps) if done), default=-1)
    fixed = (
        schedule_chain(recipe.stage, started).stop
        if 0 <= started < len(recipe.stage)
        else started + 1
    )
    free = tuple(f"stage.{n}." for n in range(fixed, len(recipe.stage) + len(steps)))
    first, second = _flat(new), _flat(old)
    return [
        key
        for key in sorted(first.keys() | second.keys())
        if first.get(key) != second.get(key) and not (key.startswith(free) or _FREE.match(key))
    ]


def _flat(value: Any, key: str = "") -> dict[str, Any]:
    """{'stage.0.lr': 0.001, …}"""
    if not isinstance(value, dict | list) or not value:
        return {key: value}
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    dot = f"{key}." if key else ""
    return {k: v for name, entry in entries for k, v in _flat(entry, f"{dot}{name}").items()}


def _tensors(run: TrainingRun) -> dict[str, Tensor]:
    """All tensors of a run by name; copies, as safetensors allows no shared memory."""
    parts = {
        "model": run.model.state_dict(),
        "ema": run.ema.tensors,
        "optimizer": optimizer_tensors(run.optimizer, run.model),
    }
    return {
        f"{part}/{name}": value.detach().to("cpu", copy=True).contiguous()
        for part, tensors in parts.items()
        for name, value in tensors.items()
    }


def _under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}


def _all(out: Path) -> list[Path]:
    """Finished checkpoints, oldest first; the names of unfinished ones start with a dot."""
    return sorted((out / _FOLDER).glob("step-*"))


def _to_disk(path: Path) -> None:
    """fsync a file or folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
