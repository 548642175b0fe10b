"""Loading a model by name, building one for training, and the errors of both."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from vlseg_cli.models.checkpoint import devices
from vlseg_cli.models.registry import SYSTEMS, build_trainable, load_model
from vlseg_cli.schema import (
    Expression,
    PromptRequest,
    RecipeError,
    Sample,
    Task,
    UsageError,
    VlsegError,
    WeightsError,
)
from vlseg_cli.synthetic.hands import NAMES, STUFF
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.training.vocabulary import synthetic_vocabulary
from vlseg_cli.weights.catalog import catalog

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="session")
def saved(miniature: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder written by training."""
    torch.manual_seed(1)
    folder = tmp_path_factory.mktemp("models") / "tiny"
    build_trainable("psalm", synthetic_vocabulary(), miniature).save(folder, "# A card\n")
    return folder


@pytest.fixture
def changed(saved: Path, tmp_path: Path) -> Callable[[Change], str]:
    """The same folder with another config.json."""

    def make(change: Change) -> str:
        for file in saved.iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes())
        settings = json.loads((tmp_path / "config.json").read_text())
        change(settings)
        (tmp_path / "config.json").write_text(json.dumps(settings))
        return str(tmp_path)

    return make


def error_message(error: type[VlsegError], name: str | None, device: str | None = "cpu") -> str:
    """The single-line message of the error that loading raises."""
    with pytest.raises(error) as caught:
        load_model(name, device)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_saved_model_predicts(saved: Path, samples: list[Sample]) -> None:
    model = load_model(str(saved), "cpu")
    assert (model.name, model.categories, model.stuff) == (str(saved), NAMES, STUFF)
    encoded = model.encode([samples[0].frame])
    (prediction,) = model.predict(encoded, [PromptRequest(0, Task.REFER, Expression("the cup"))])
    assert (prediction.height, prediction.width) == samples[0].frame.pixels.shape[:2]


def test_loading_twice_gives_the_same_predictions(saved: Path, samples: list[Sample]) -> None:
    results = []
    for _ in range(2):
        model = load_model(str(saved), "cpu")
        requests = [PromptRequest(0, q.task, q.prompt, 0.0) for q in samples[0].queries]
        results.append(
            [p.segments for p in model.predict(model.encode([samples[0].frame]), requests)]
        )
    assert results[0] == results[1]
    assert any(results[0])


@pytest.mark.parametrize("name", [None, "embedded"])
def test_the_default_comes_with_the_package(name: str | None) -> None:
    model = load_model(name, "cpu")
    assert (model.name, model.categories) == ("embedded", NAMES)


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    assert "no model folder 'no/where'" in error_message(WeightsError, "no/where")
    assert "is not a model folder" in error_message(WeightsError, str(tmp_path))


def test_an_unknown_architecture_is_an_error(changed: Callable[[Change], str]) -> None:
    name = changed(lambda settings: settings.update(architecture="segnet"))
    known = ", ".join(SYSTEMS)
    assert error_message(WeightsError, name).endswith(
        f"holds a 'segnet'; this version reads {known}"
    )


def test_weights_of_other_sizes_are_an_error(changed: Callable[[Change], str]) -> None:
    name = changed(lambda settings: settings["config"].update(queries=9))
    assert "seg_query (6, 24) instead of (9, 24)" in error_message(WeightsError, name)


def test_a_tokenizer_of_another_model_is_an_error(changed: Callable[[Change], str]) -> None:
    name = changed(lambda _: None)
    file = Path(name) / "tokenizer.json"
    tokenizer = json.loads(file.read_text())
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary |= {f"word{i}": len(vocabulary) + i for i in range(3)}
    file.write_text(json.dumps(tokenizer))
    assert "they are not of one model" in error_message(WeightsError, name)


@pytest.mark.parametrize("device", ["gpu", "meta", "", "cpu:cpu"])
def test_an_invalid_device_is_an_error(saved: Path, device: str) -> None:
    message = error_message(UsageError, str(saved), device)
    assert message.startswith(f"--device {device}: ")
    assert f"this machine has {', '.join(devices())}" in message


def test_every_published_model_is_of_a_known_system() -> None:
    models = [entry for entry in catalog().values() if entry.role == "model"]
    assert models and {entry.architecture for entry in models} <= SYSTEMS.keys()


def test_a_new_model_fits_its_vocabulary(miniature: dict[str, Any], tokenizer: Tokenizer) -> None:
    model = build_trainable(
        "psalm", synthetic_vocabulary(), miniature, {"points": 0, "assignment": "first"}
    )
    assert model.model.config.vocabulary == len(tokenizer)
    assert (model.names, model.stuff) == (NAMES, STUFF)
    assert model.weights.points == 0


@pytest.mark.parametrize(
    ("architecture", "losses", "message"),
    [
        ("sam", {}, r"unknown architecture 'sam' in \[model\]; known are psalm"),
        ("psalm", {"masks": 1.0}, r"\[losses\]: unknown key 'masks'; did you mean 'mask'\?"),
        ("psalm", {"assignment": "hungry"}, "assignment = 'hungry'; did you mean 'hungarian'"),
        ("psalm", {"dice": "much"}, "dice must be a number, not 'much'"),
        ("psalm", {"mask": -1}, "mask must be at least 0, not -1"),
    ],
)
def test_invalid_recipes_are_errors(
    miniature: dict[str, Any], architecture: str, losses: dict[str, Any], message: str
) -> None:
    with pytest.raises(RecipeError, match=message):
        build_trainable(architecture, synthetic_vocabulary(), miniature, losses)


def test_first_assignment_needs_separate_regions(miniature: dict[str, Any]) -> None:
    with pytest.raises(RecipeError, match="regions_together = false"):
        build_trainable(
            "psalm",
            synthetic_vocabulary(),
            {**miniature, "regions_together": True},
            {"assignment": "first"},
        )
