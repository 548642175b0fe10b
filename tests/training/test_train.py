"""Training: bit-exact resuming, signals, changed recipes, non-finite steps, several processes."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from vlseg_cli.schema import FencedError, RecipeError, UsageError, VlsegError, WeightsError
from vlseg_cli.training import loop, sources
from vlseg_cli.training.log import read_log
from vlseg_cli.training.loop import StoppedError
from vlseg_cli.training.run import TrainingRun
from vlseg_cli.training.train import only_training, train, train_run
from vlseg_cli.weights.folder import load_tensors

ROOT = Path(__file__).parents[2]
MakeRun = Callable[..., TrainingRun]
Saved = Callable[[Path], dict[str, Tensor]]


@pytest.mark.parametrize("step", [3, 6], ids=["text", "scenes"])
def test_a_stopped_run_resumes_bit_by_bit(
    make_run: MakeRun, saved_tensors: Saved, whole: Path, step: int
) -> None:
    stopped = make_run("parts")

    def stop(*_: Any) -> None:
        if stopped.progress.step == step - 1:
            os.kill(os.getpid(), signal.SIGTERM)

    stopped.model.register_forward_hook(stop)
    with pytest.raises(StoppedError) as caught:
        train_run(stopped)
    assert caught.value.exit_code == 128 + signal.SIGTERM
    assert stopped.progress.step == step
    train_run(make_run("parts"))
    first, second = saved_tensors(whole), saved_tensors(stopped.out)
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)
    rows = [read_log(out / "log.csv") for out in (whole, stopped.out)]
    assert [row["step"] for row in rows[1]] == [2, 4, 6, 8]
    for row in (*rows[0], *rows[1]):
        del row["samples_per_second"]
    assert rows[0] == rows[1]


def test_each_step_is_saved_once(make_run: MakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    saved = []
    save = loop.save_checkpoint
    monkeypatch.setattr(
        loop, "save_checkpoint", lambda run: saved.append(run.progress.step) or save(run)
    )
    train_run(make_run("out", "checkpoint.minutes=1e-9", "stage.0.steps=2", "stage.1.steps=1"))
    assert saved == [1, 2, 3]


def test_a_run_killed_before_its_model_was_written_is_finished(
    make_run: MakeRun, whole: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(whole, out)
    (out / "model").rename(out / ".model-old")
    (out / "curves.png").unlink()
    (out / ".0123456789abcdef.part").touch()
    train_run(make_run("out"))
    names = {path.name for path in out.iterdir()}
    assert names == {"checkpoints", "curves.png", "log.csv", "model", "tensorboard"}
    for file in (whole / "model").iterdir():
        assert (out / "model" / file.name).read_bytes() == file.read_bytes()


def test_a_second_training_into_one_folder_is_refused(make_run: MakeRun) -> None:
    run = make_run("out")
    with only_training(run.out), pytest.raises(UsageError) as caught:
        train_run(run)
    assert f"training.lease is held by process {os.getpid()} on" in str(caught.value)
    assert str(caught.value).endswith("wait for it, or give another --out.")
    assert not list(run.out.iterdir())


def test_a_training_that_another_has_taken_over_saves_nothing(make_run: MakeRun) -> None:
    run = make_run("out")

    def take_over(*_: Any) -> None:
        if run.progress.step == 5:
            (run.out / "training.lease").write_text('{"token": "another"}')

    run.model.register_forward_hook(take_over)
    with pytest.raises(FencedError, match="taken over the training in"):
        train_run(run)
    assert [path.name for path in (run.out / "checkpoints").iterdir()] == ["step-00000004"]
    assert (run.out / "training.lease").exists()  # of the other


def test_a_lost_data_worker_costs_no_step(
    make_run: MakeRun, saved_tensors: Saved, whole: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    draw = sources.synthetic_sample

    def die(seed: int, *arguments: Any) -> Any:
        if seed == 104:  # the first of step 7
            os._exit(1)
        return draw(seed, *arguments)

    with monkeypatch.context() as patch, pytest.raises(VlsegError) as caught:
        patch.setattr(sources, "synthetic_sample", die)
        train_run(make_run("out", "data.workers=1"))
    # A worker may take batches with it that it had made and not yet sent.
    sentence = (
        r"the data of step [567] cannot be made \(DataLoader worker .*\); step [456] is saved"
    )
    assert re.match(sentence, str(caught.value))
    assert str(caught.value).endswith(", and the same command resumes from there")
    resumed = make_run("out")
    train_run(resumed)
    first, second = saved_tensors(whole), saved_tensors(resumed.out)
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_run_leaves_model_card_log_and_curves(whole: Path) -> None:
    card = (whole / "model" / "README.md").read_text()
    assert "8 synthetic scenes, each once: from seed 100 to 107" in card
    assert "first_seed = 100" in card
    assert (whole / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert list((whole / "tensorboard").iterdir())
    rows = read_log(whole / "log.csv")
    assert [row["stage"] for row in rows] == ["text"] * 2 + ["scenes"] * 2
    assert all(float(row["categories_mask"]) < float(row["loss"]) for row in rows[2:])


def test_another_recipe_is_refused_unless_restarted(
    whole: Path, tmp_path: Path, recipe_file: Path
) -> None:
    out = tmp_path / "copy"
    shutil.copytree(whole, out)
    with pytest.raises(RecipeError, match=r"optimizer\.clip, stage\.1\.batch_size; use --restart"):
        train(recipe_file, out, ["stage.1.batch_size=4", "optimizer.clip=2", "log.every=5"])
    train(recipe_file, out, ["stage.0.steps=1", "stage.1.steps=1", "log.every=1"], restart=True)
    assert [row["step"] for row in read_log(out / "log.csv")] == [1, 2]


def test_a_run_can_be_initialized_from_the_weights_of_another(
    whole: Path, make_run: MakeRun
) -> None:
    begun = make_run("begun", f'model.weights="{whole / "model"}"').model.model.state_dict()
    weights = load_tensors(whole / "model")
    assert begun.keys() == weights.keys()
    assert all(torch.equal(begun[name], weights[name]) for name in weights)


def test_initial_weights_must_exist_and_fit(make_run: MakeRun) -> None:
    with pytest.raises(WeightsError, match="no model folder 'nowhere'"):
        make_run("out", "model.weights='nowhere'")
    with pytest.raises(WeightsError, match="does not fit its configuration"):
        make_run("out", "model.weights='embedded'")


def test_parts_that_the_initial_weights_lack_are_named(
    whole: Path, make_run: MakeRun, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run("begun", f'model.weights="{whole / "model"}"')
    assert run.random_parts == ()
    run.random_parts = ("mask_decoder", "selection")
    train_run(run)
    assert "model; randomly initialized: mask_decoder, selection" in capsys.readouterr().err


def test_only_the_named_groups_are_trained(make_run: MakeRun) -> None:
    run = make_run("out", 'stage.1.train=["vision"]', "stage.0.train=['language']")
    before = {name: [p.clone() for p in ps] for name, ps in run.model.parameter_groups().items()}
    train_run(run)
    moved = {
        name
        for name, parameters in run.model.parameter_groups().items()
        if any(not torch.equal(a, b) for a, b in zip(before[name], parameters, strict=True))
    }
    assert moved == {"vision", "language"}


def test_accumulated_passes_make_one_step(make_run: MakeRun) -> None:
    run = make_run("out", "stage.0.accumulate=2", "stage.1.steps=1")
    passes = []
    run.model.register_forward_hook(lambda *_: passes.append(run.progress.step))
    train_run(run)
    assert passes == [0, 0, 1, 1, 2, 2, 3, 3, 4]


def test_a_non_finite_step_is_skipped(make_run: MakeRun) -> None:
    run = make_run("out", "stage.1.steps=1")

    def poison(_: Any, __: Any, losses: dict[str, Tensor]) -> dict[str, Tensor] | None:
        if run.progress.step == 2:
            return {name: loss * float("nan") for name, loss in losses.items()}
        return None

    run.model.register_forward_hook(poison)
    train_run(run)
    assert (run.progress.step, run.progress.skipped, run.ema.updates) == (5, 1, 4)
    assert all(torch.isfinite(p).all() for p in run.model.parameters())


@pytest.mark.parametrize("stage", ["text", "scenes"])
def test_a_diverged_run_ends_with_a_sentence_also_in_the_matcher(
    make_run: MakeRun, stage: str
) -> None:
    run = make_run("out", f"stage.0.steps={50 if stage == 'text' else 2}", "stage.1.steps=50")

    def diverge(*_: Any) -> None:
        if run.progress.step == {"text": 2, "scenes": 5}[stage]:
            with torch.no_grad():
                for weights in run.model.parameters():
                    weights.fill_(float("nan"))

    run.model.register_forward_pre_hook(diverge)
    with pytest.raises(VlsegError, match=f"lower lr of stage '{stage}'"):
        train_run(run)
    assert run.progress.skipped_in_a_row == 20


def test_a_time_budget_ends_the_stage(make_run: MakeRun) -> None:
    run = make_run("out", "stage.0.steps=", "stage.0.minutes=0.01", "stage.1.steps=1")
    train_run(run)
    assert run.progress.seconds[0] >= 0.6
    assert run.progress.steps[0] > 0
    assert run.progress.steps[1] == 1


def test_unknown_groups_and_uneven_batches_are_refused(make_run: MakeRun) -> None:
    with pytest.raises(RecipeError, match="unknown group 'visoin'; did you mean 'vision'"):
        make_run("out", "stage.1.train=['visoin']")
    with pytest.raises(RecipeError, match="batch_size 4 cannot be divided by 1 processes times"):
        make_run("out", "stage.0.accumulate=3")


def test_two_processes_train_one_model(
    recipe_file: Path, tmp_path: Path, saved_tensors: Saved
) -> None:
    out, script = tmp_path / "out", tmp_path / "two.py"
    script.write_text(
        "import os, sys, pathlib, torch\n"
        "from vlseg_cli.training.train import build_run, train_run\n"
        "run = build_run(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))\n"
        "train_run(run)\n"
        "weights = dict(run.model.named_parameters())\n"
        "torch.save(weights, f'{sys.argv[2]}/rank{os.environ[\"RANK\"]}.pt')\n"
    )
    launch = ["torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [sys.executable, "-m", *launch, str(script), str(recipe_file), str(out)]
    subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": str(ROOT)}, timeout=300)
    ranks = [torch.load(out / f"rank{rank}.pt", weights_only=True) for rank in (0, 1)]
    saved = saved_tensors(out)
    for name, value in ranks[0].items():
        assert torch.equal(value, ranks[1][name])
        assert torch.equal(value, saved[f"model/{name}"])
    assert [row["step"] for row in read_log(out / "log.csv")] == [2, 4, 6, 8]
