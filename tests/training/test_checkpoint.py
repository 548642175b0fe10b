"""Which keys of a recipe may change before resuming; damaged checkpoints are passed over."""

import copy
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from vlseg_cli.schema import RecipeError
from vlseg_cli.training.checkpoint import (
    changed_keys,
    delete_checkpoints,
    last_checkpoint,
    resume,
    resume_last,
    save_checkpoint,
)
from vlseg_cli.training.recipe import load_recipe, recipe_table
from vlseg_cli.training.run import TrainingRun


@pytest.mark.parametrize(
    ("overrides", "steps", "changed"),
    [
        (["log.every=7", "checkpoint.keep=9", "data.workers=3", "stage.0.name=a"], [4, 2], []),
        (["stage.1.lr=1", "stage.1.steps=99"], [4, 0], []),
        (["stage.1.lr=1"], [4, 1], ["stage.1.lr"]),
        (["stage.0.lr=1"], [1, 0], ["stage.0.lr"]),
        (["seed=9", "losses.dice=2"], [1, 0], ["losses.dice", "seed"]),
        (["stage.1.steps=99", "stage.1.extend_schedule=true"], [1, 0], ["stage.1.extend_schedule"]),
    ],
)
def test_only_keys_of_stages_that_have_not_started_may_change(
    recipe_file: Path, overrides: list[str], steps: list[int], changed: list[str]
) -> None:
    old: dict[str, Any] = copy.deepcopy(recipe_table(load_recipe(recipe_file)))
    new = load_recipe(recipe_file, overrides)
    found = changed_keys(new, recipe_table(new), old, steps)
    assert found[: len(changed)] == changed
    assert bool(found) == bool(changed)


def test_the_last_few_are_kept_and_unfinished_ones_ignored(
    make_run: Callable[..., TrainingRun],
) -> None:
    run = make_run("out", "checkpoint.keep=2")
    for step in (1, 2, 3):
        run.progress.steps[0] = step
        save_checkpoint(run)
    folder = run.out / "checkpoints"
    for other in (".step-00000009", "step-zzz"):
        (folder / other).mkdir()
    assert last_checkpoint(run.out) == folder / "step-00000003"
    names = sorted(path.name for path in folder.iterdir())
    assert names == [".step-00000009", "step-00000002", "step-00000003", "step-zzz"]


def test_there_is_a_whole_checkpoint_at_every_moment(
    make_run: Callable[..., TrainingRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run("out", "checkpoint.keep=1")
    removed = []

    def remove(path: Path, **options: bool) -> None:
        assert last_checkpoint(run.out) not in (None, path)
        removed.append(path.name)
        rmtree(path, **options)

    save_checkpoint(run)
    rmtree = shutil.rmtree
    monkeypatch.setattr("vlseg_cli.training.checkpoint.shutil.rmtree", remove)
    for step in (1, 2, 2):
        run.progress.steps[0] = step
        save_checkpoint(run)
    assert {f".step-0000000{step}-removed" for step in (0, 1, 2)} <= set(removed)
    assert [path.name for path in (run.out / "checkpoints").iterdir()] == ["step-00000002"]


def truncate(folder: Path) -> None:
    os.truncate(folder / "tensors.safetensors", 1000)


def flip_a_bit(folder: Path) -> None:
    file = folder / "tensors.safetensors"
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)


def empty_the_state(folder: Path) -> None:
    (folder / "state.json").write_text("")


def lose_a_key(folder: Path) -> None:
    (folder / "state.json").write_text('{"progress": {"steps": [2], "seconds": [0.1]}}')


@pytest.mark.parametrize(
    "damage", [truncate, flip_a_bit, empty_the_state, lose_a_key, shutil.rmtree]
)
def test_a_damaged_checkpoint_is_passed_over_for_the_one_before(
    make_run: Callable[..., TrainingRun], damage: Callable[[Path], None]
) -> None:
    run = make_run("out", "checkpoint.keep=2")
    for step in (1, 2):
        run.progress.steps[0] = step
        newest = save_checkpoint(run)
    damage(newest)
    newest.mkdir(exist_ok=True)
    restored, notes = make_run("out", "checkpoint.keep=1"), list[str]()
    before = resume_last(restored, notes.append)
    assert (before, restored.progress.step) == (newest.with_name("step-00000001"), 1)
    assert [note.startswith(f"{newest} is damaged (") for note in notes] == [True]
    assert notes[0].endswith("; resuming from step-00000001")
    saved = save_checkpoint(restored)  # what is newer goes, not what is whole
    assert list(saved.parent.iterdir()) == [saved]
    damage(saved)
    saved.mkdir(exist_ok=True)
    with pytest.raises(RecipeError, match="none before it is whole; use --restart"):
        resume_last(make_run("out"), notes.append)


def test_weights_and_progress_are_restored(make_run: Callable[..., TrainingRun]) -> None:
    run = make_run("out")
    run.progress.steps[0], run.progress.seconds[0], run.ema.updates = 3, 1.5, 3
    with torch.no_grad():
        for parameter in run.model.parameters():
            parameter.normal_()
    checkpoint = save_checkpoint(run)
    restored = make_run("out")
    resume(restored, checkpoint)
    assert restored.progress == run.progress
    assert restored.ema.updates == 3
    state = run.model.state_dict()
    assert all(torch.equal(state[k], v) for k, v in restored.model.state_dict().items())


def test_a_checkpoint_with_the_former_names_of_keys_is_resumed_or_refused_in_one_sentence(
    make_run: Callable[..., TrainingRun],
) -> None:
    run = make_run("out")
    run.progress.steps[0] = 2
    file = save_checkpoint(run) / "state.json"
    state = json.loads(file.read_text())
    table = state["recipe"]
    table["optimiser"] = table.pop("optimizer")
    table["stage"][0]["data"] = "words"
    for stage in table["stage"]:
        stage["moments"] = stage.pop("clip_frames")
        stage["continues"] = stage.pop("extend_schedule")
        stage["mixture"]["kinds"]["colour"] = stage["mixture"]["kinds"].pop("color")
    file.write_text(json.dumps(state))
    resume(make_run("out"), file.parent)
    table["optimiser"]["clip"] = 7.0
    file.write_text(json.dumps(state))
    with pytest.raises(RecipeError) as caught:
        resume(make_run("out"), file.parent)
    assert "differs in optimizer.clip; use --restart" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_of_another_version_are_named(make_run: Callable[..., TrainingRun]) -> None:
    """Names and shapes that a later vlseg changed: a sentence, not torch's list of all tensors."""
    run = make_run("out")
    file = save_checkpoint(run) / "tensors.safetensors"
    tensors = load_file(file)
    state = json.loads((file.parent / "state.json").read_text())
    del state["sha256"]  # as the release before wrote it
    (file.parent / "state.json").write_text(json.dumps(state))
    renamed, *_, misshapen = sorted(run.model.state_dict())
    for part in ("model", "ema"):
        tensors[f"{part}/before.weight"] = tensors.pop(f"{part}/{renamed}")
        tensors[f"{part}/{misshapen}"] = torch.zeros(3, 1, 4)
    save_file(tensors, file)
    before = {name: tensor.clone() for name, tensor in run.model.state_dict().items()}
    with pytest.raises(RecipeError) as caught:
        resume(run, file.parent)
    sentence = str(caught.value)
    assert (
        f"it lacks {renamed}; has extra before.weight; has {misshapen} (3, 1, 4) instead"
        in sentence
    )
    assert (
        sentence.endswith("use --restart to start over, or another --out") and "\n" not in sentence
    )
    assert all(tensor.equal(before[name]) for name, tensor in run.model.state_dict().items())


def test_a_restart_that_is_killed_leaves_nothing_to_resume(
    make_run: Callable[..., TrainingRun], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = make_run("out")
    save_checkpoint(run)

    def killed(path: Path, **_: bool) -> None:
        if path.exists():
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("vlseg_cli.training.checkpoint.shutil.rmtree", killed)
        delete_checkpoints(run.out)
    assert last_checkpoint(run.out) is None
    delete_checkpoints(run.out)
    assert not list(run.out.iterdir())
