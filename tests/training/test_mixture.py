"""Data sets drawn by weight: shares, repeatability, damaged files, and two steps of training."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from vlseg_cli.datasets.registry import DATASETS
from vlseg_cli.schema import InputError, NoInputError, RecipeError
from vlseg_cli.training.mixture import MixedDataset, open_source
from vlseg_cli.training.recipe import Recipe, load_recipe
from vlseg_cli.training.run import TrainingRun
from vlseg_cli.training.sources import ProcessIndex, batches_of, dataset_of
from vlseg_cli.training.train import train_run

SOURCES = (
    "stage.1.source=["
    "{dataset='refcoco', split='train', weight=3.0},"
    "{dataset='coco-panoptic', split='val', weight=2.0},"
    "{dataset='synthetic', weight=1.0}]"
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for name in ("refcoco", "coco-panoptic"):
        entry = DATASETS[name]
        entry.write_toy(tmp_path / "data" / entry.folders[0], range(910000, 910008))
    open_source.cache_clear()
    return tmp_path / "data"


@pytest.fixture
def changes(data: Path) -> Sequence[str]:
    return SOURCES, f"data.root='{data}'", "stage.0.steps=1", "stage.1.steps=2"


def mixed(recipe_file: Path, changes: Sequence[str]) -> MixedDataset:
    recipe = load_recipe(recipe_file, changes)
    dataset = dataset_of(recipe, recipe.stage[1])
    assert isinstance(dataset, MixedDataset)
    return dataset


def test_shares_of_ten_thousand_draws_lie_within_three_sigma(
    recipe_file: Path, changes: Sequence[str]
) -> None:
    dataset, draws = mixed(recipe_file, changes), 10_000
    counts = np.bincount([next(dataset.draws(index))[0] for index in range(draws)])
    for count, share in zip(counts, (3 / 6, 2 / 6, 1 / 6), strict=True):
        assert abs(count - draws * share) <= 3 * math.sqrt(draws * share * (1 - share))


def test_two_steps_are_trained_on_data_sets_and_scenes(
    make_run: Callable[..., TrainingRun], changes: Sequence[str]
) -> None:
    run = make_run("out", *changes, "stage.1.batch_size=4")
    train_run(run)
    assert (run.progress.step, run.progress.skipped) == (3, 0)
    card = (run.out / "model" / "README.md").read_text()
    assert "| scenes | refcoco train x 3, coco-panoptic val x 2, synthetic train x 1 | 2 |" in card


def test_a_step_has_the_same_samples_in_any_number_of_processes_and_workers(
    make_run: Callable[..., TrainingRun], changes: Sequence[str]
) -> None:
    run = make_run("out", *changes)
    workers = make_run("out", *changes, "data.workers=2").recipe

    def first(recipe: Recipe, process: ProcessIndex) -> Any:
        return next(batches_of(recipe, recipe.stage[1], run.model, 6, process))

    alone = [first(recipe, ProcessIndex()) for recipe in (run.recipe, workers)]
    halves = [first(run.recipe, ProcessIndex(index, 2)) for index in (0, 1)]
    whole = [batch.pixel_values for batch in alone]
    assert whole[0].equal(whole[1])
    for number, half in enumerate(halves):
        assert half.pixel_values.equal(whole[0][number : number + 1])


def test_a_damaged_file_is_named_once_and_skipped(
    recipe_file: Path, changes: Sequence[str], data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    dataset = mixed(recipe_file, changes)
    images = sorted((data / "coco" / "val2017").iterdir())
    images[0].write_bytes(b"no image")
    sources = [dataset[index].frame.source for index in range(60)]
    assert str(images[0]) not in sources and str(images[1]) in sources
    notes = capsys.readouterr().err.splitlines()
    assert len(notes) == 1 and notes[0].startswith("skipped: ") and str(images[0]) in notes[0]
    for image in images:
        image.unlink()
    only = ["stage.1.source=[{dataset='coco-panoptic', split='val'}]", *changes[1:]]
    with pytest.raises(InputError, match="100 samples in a row are damaged"):
        mixed(recipe_file, only)[0]


def test_what_is_missing_or_not_learned_is_said_before_the_model_is_built(
    make_run: Callable[..., TrainingRun], tmp_path: Path
) -> None:
    DATASETS["vqav2"].write_toy(tmp_path / "vqav2", range(910000, 910001), "train")
    for changes, error, sentence in (
        (["stage.1.source=[{dataset='refcoc'}]"], RecipeError, "did you mean 'refcoco'"),
        (
            ["stage.1.source=[{dataset='refcoco'}]"],
            NoInputError,
            "give --data DIR, the folder",
        ),
        (
            ["stage.1.source=[{dataset='refcoco'}]", f"data.root='{tmp_path}'"],
            NoInputError,
            "refer_seg/refcoco",
        ),
        (
            ["stage.1.source=[{dataset='vqav2'}]", f"data.root='{tmp_path}'"],
            RecipeError,
            "vqav2 has no images with masks",
        ),
        (["stage.0.source=[{dataset='refcoco'}]"], RecipeError, "data = 'text' has no sources"),
    ):
        with pytest.raises(error, match=sentence):
            make_run("out", *changes)
    assert NoInputError.exit_code == 4
