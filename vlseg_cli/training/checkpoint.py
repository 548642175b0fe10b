"""Checkpoints: a run on disk, written atomically, from which it resumes bit by bit.

Tensors are safetensors, the rest is JSON, nothing is pickled. A checkpoint is a folder
``checkpoints/step-00001234`` that appears by one rename once every byte is on disk; older ones are
removed after that. One that is damaged later is passed over for the one before.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from vlseg_cli.outputs.atomic import make_folder, write_error
from vlseg_cli.schema import RecipeError
from vlseg_cli.schema.tables import rename_former
from vlseg_cli.training.optimizer import optimizer_tensors, restore_optimizer
from vlseg_cli.training.recipe import Recipe, recipe_table
from vlseg_cli.training.run import TrainingProgress, TrainingRun
from vlseg_cli.training.schedule import schedule_chain
from vlseg_cli.weights.folder import misfit

_FOLDER, _TENSORS, _STATE = "checkpoints", "tensors.safetensors", "state.json"
_DELETED = ".checkpoints-deleted"
_NAME = re.compile(r"step-(\d{8,})")
# Keys that change what is written or the speed, never the weights.
_FREE = re.compile(r"checkpoint\.|log\.|data\.workers|data\.root|stage\.\d+\.name")


class _Checkpoint(NamedTuple):
    """What a checkpoint's folder holds."""

    folder: Path
    state: dict[str, Any]
    tensors: dict[str, Tensor]


def save_checkpoint(run: TrainingRun) -> Path:
    """Write a checkpoint, then delete all but the last few. Call it in one process only.

    Raises OutputError if it cannot be written; the checkpoints before it stay.
    """
    folder = run.out / _FOLDER
    final = folder / f"step-{run.progress.step:08d}"
    temporary = folder / f".{final.name}"
    try:
        remove_unfinished(run.out)
        make_folder(temporary)
        _write(run, temporary)
        if final.exists():  # it was damaged, or this run would have resumed from it
            final.rename(_removed(final))
        temporary.rename(final)
        _to_disk(folder)
        remove_old(run)
    except OSError as error:
        raise write_error(final, error) from error
    return final


def remove_old(run: TrainingRun) -> None:
    """Delete all checkpoints but the last few up to the present step; newer ones are damaged."""
    found = _all(run.out)
    past = [path for path in found if _step(path) <= run.progress.step]
    for path in found:
        if path not in past[-run.recipe.checkpoint.keep :]:
            path.rename(_removed(path))  # a part of a checkpoint is never under its name
    remove_unfinished(run.out)


def _removed(checkpoint: Path) -> Path:
    return checkpoint.with_name(f".{checkpoint.name}-removed")


def _write(run: TrainingRun, folder: Path) -> None:
    """All files of a checkpoint, on disk when it returns."""
    try:
        save_file(_tensors(run), folder / _TENSORS)
    except SafetensorError as error:  # of a full disk, without its number
        raise OSError(None, str(error)) from error
    state = {
        "progress": asdict(run.progress),
        "ema_updates": run.ema.updates,
        "losses": run.losses.state(),
        "recipe": recipe_table(run.recipe),
        "sha256": _digest(folder / _TENSORS),
    }
    (folder / _STATE).write_text(json.dumps(state, indent=1), encoding="utf-8")
    for file in folder.iterdir():
        _to_disk(file)


def last_checkpoint(out: Path) -> Path | None:
    """The newest checkpoint under ``out``, None if there is none."""
    return next(reversed(_all(out)), None)


def delete_checkpoints(out: Path) -> None:
    """Delete the checkpoints of an earlier run: all at once, so that none of them is resumed."""
    remove_unfinished(out)
    if (out / _FOLDER).exists():
        (out / _FOLDER).rename(out / _DELETED)
        shutil.rmtree(out / _DELETED)


def remove_unfinished(out: Path) -> None:
    """Remove what a killed process left of a checkpoint that it was writing or deleting."""
    for leftover in (out / _DELETED, *(out / _FOLDER).glob(".step-*")):
        shutil.rmtree(leftover, ignore_errors=True)


def resume_last(run: TrainingRun, note: Callable[[str], None]) -> Path | None:
    """Restore a run from its newest checkpoint that is whole; None if there is no checkpoint.

    note: called with a sentence about each damaged one that is passed over. Raises RecipeError if
    all are damaged, or as ``resume``.
    """
    damaged = []
    for folder in reversed(_all(run.out)):
        try:
            checkpoint = _read(folder)
        except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
            damaged.append(f"{folder} is damaged ({error})")
            continue
        for sentence in damaged:
            note(f"{sentence}; resuming from {folder.name}")
        _restore(run, checkpoint)
        return folder
    if damaged:
        raise RecipeError(
            f"{damaged[0]}, and none before it is whole; use --restart to start over, or another"
            " --out"
        )
    return None


def resume(run: TrainingRun, checkpoint: Path) -> None:
    """Restore a run from ``checkpoint``.

    Raises RecipeError if the recipe differs in what has already happened, or if the checkpoint was
    written by a version of vlseg whose model had other tensors.
    """
    _restore(run, _read(checkpoint))


def _read(folder: Path) -> _Checkpoint:
    """Raises an error of Python, json or safetensors if a file is damaged."""
    state: dict[str, Any] = json.loads((folder / _STATE).read_text(encoding="utf-8"))
    TrainingProgress(**state["progress"]), state["ema_updates"], state["recipe"]["model"]
    # The release before wrote no digest.
    if "sha256" in state and state["sha256"] != _digest(folder / _TENSORS):
        raise ValueError(f"the digest of {_TENSORS} is another")
    return _Checkpoint(folder, state, load_file(folder / _TENSORS))


def _restore(run: TrainingRun, checkpoint: _Checkpoint) -> None:
    folder, state, tensors = checkpoint
    steps: list[int] = state["progress"]["steps"]
    before = rename_former(Recipe, state["recipe"], str(folder))
    changed = changed_keys(run.recipe, recipe_table(run.recipe), before, steps)
    if changed:
        raise RecipeError(
            f"{run.out} holds a run of another recipe, which differs in {', '.join(changed)}; "
            "use --restart to start over, or another --out"
        )
    weights, averaged = _under("model/", tensors), _under("ema/", tensors)
    own = run.model.state_dict()
    if problems := misfit(own, weights) or misfit(own, averaged):
        raise RecipeError(
            f"{folder} was written by another version of vlseg, whose model had other weights: "
            f"it {problems}; use --restart to start over, or another --out"
        )
    run.model.load_state_dict(weights)
    for name, value in averaged.items():
        run.ema.tensors[name].copy_(value)
    run.ema.updates = state["ema_updates"]
    run.losses.restore(state.get("losses", {}), run.accelerator.device)
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
        return {} if value == [] else {key: value}  # an empty list may be of a later release
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
    found = [path for path in (out / _FOLDER).glob("step-*") if _NAME.fullmatch(path.name)]
    return sorted(found, key=_step)


def _step(checkpoint: Path) -> int:
    return int(checkpoint.name.removeprefix("step-"))


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _to_disk(path: Path) -> None:
    """fsync a file or folder."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
