"""A damaged or hostile config.json is refused in one sentence and takes no memory."""

import copy
import json
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from miniatures.every import MINIATURES
from models import conftest as sizes_of_miniatures
from models import mvp_lm_models, self1e_tiny, tiny_hrseg

from vlseg_cli.models.registry import SYSTEMS, build_trainable, load_model
from vlseg_cli.schema import Frame, PromptRequest, Question, Task, VlsegError, WeightsError
from vlseg_cli.training.vocabulary import synthetic_vocabulary

SIZES: dict[str, dict[str, Any]] = {
    "psalm": sizes_of_miniatures.DESIGNS["miniature"],
    "hyperseg": sizes_of_miniatures.HYPERSEG_DESIGNS["miniature"],
    "mvp-lm": {**mvp_lm_models.SIZES, "prompt_style": "plain"},
    "self1e": {**self1e_tiny.SIZES, "prompt_style": "plain"},
    "hrseg": tiny_hrseg.SIZES,
}
VALUES: tuple[Any, ...] = (
    *(0, -1, 1, 2, 3, 5, 7, 64, 255, 10**6, 10**9, 10**18, "9" * 50),
    *(1e308, float("nan"), float("inf"), -0.5, 1.5, "x", "", None, True),
    *([], {}, [1], [1] * 4, [0] * 4, [-1] * 4, ["a"] * 4, {"a": 1}, [10**9] * 4),
)
MOST_BYTES = 400 << 20  # above what loading the miniature itself takes
FRAME = Frame(np.random.default_rng(0).integers(0, 255, (40, 50, 3), np.uint8), "noise.png")


@pytest.fixture(scope="module", params=list(SYSTEMS))
def ours(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that training wrote."""
    folder = tmp_path_factory.mktemp("ours") / str(request.param)
    torch.manual_seed(5)
    build_trainable(folder.name, synthetic_vocabulary(), SIZES[folder.name]).save(folder, "a card")
    return folder


@pytest.fixture(scope="module", params=["psalm", "hyperseg", "mvp-lm", "self1e"])
def official(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as its authors publish it; HRSeg's has no config.json."""
    miniature = MINIATURES[str(request.param)]
    folder = tmp_path_factory.mktemp("official") / str(request.param)
    miniature.write(folder, miniature.tensors())
    return folder


def changed(config: Any, random_: random.Random) -> Any:
    """The same with up to four values replaced or taken away, at any depth."""
    config = copy.deepcopy(config)
    for _ in range(random_.choice((1, 1, 1, 2, 4))):
        *path, last = random_.choice(list(_paths(config)))
        parent = config
        for key in path:
            parent = parent[key]
        if random_.random() < 0.1 and isinstance(parent, dict):
            del parent[last]
        else:
            parent[last] = copy.deepcopy(random_.choice(VALUES))
    return config


def _paths(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value[:3])
    for key, entry in entries:
        yield (*before, key)
        if entry and isinstance(entry, dict | list):
            yield from _paths(entry, (*before, key))


def predict(folder: Path) -> None:
    """Load and use a model. Raises WeightsError if it is refused."""
    model = load_model(str(folder), "cpu")
    if folder.name == "hrseg":
        model.proposer = tiny_hrseg.Quarters()  # type: ignore[attr-defined]
    model.predict(model.encode([FRAME]), [PromptRequest(0, Task.REASON, Question("what is red ?"))])


def peak_growth(call: Callable[[], None]) -> int:
    """Bytes that a call adds to the memory of this process at most, whatever it raises."""
    Path("/proc/self/clear_refs").write_text("5")  # the high-water mark starts again
    before = _status("VmRSS")
    try:
        call()
    finally:
        growth = _status("VmHWM") - before
    return growth


def _status(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{key}:"))
    return int(line.split()[1]) << 10


def check_mutants(folder: Path, count: int, seed: int) -> None:
    file, random_ = folder / "config.json", random.Random(seed)
    text = file.read_text()
    predict(folder)
    refused = 0
    for _ in range(count):
        file.write_text(json.dumps(changed(json.loads(text), random_)))
        try:
            assert peak_growth(lambda: predict(folder)) < MOST_BYTES
        except VlsegError as error:
            refused += 1
            assert isinstance(error, WeightsError) and "\n" not in str(error), error
    file.write_text(text)
    assert count // 3 < refused


def test_damaged_configs_of_our_folders(ours: Path, mutants: int) -> None:
    check_mutants(ours, mutants // 12, 1)


def test_damaged_configs_of_the_authors_folders(official: Path, mutants: int) -> None:
    check_mutants(official, mutants // 40, 2)


HEADS = {"self1e": "vision_heads"}  # a key of each system whose channels must be its multiple
FLOATS = {"self1e": "rope_theta", "hrseg": "gamma"}


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("language_layers", 10**9, "language_layers must be from 1 to 256, not 1000000000"),
        ("language_layers", 0, "language_layers must be from 1 to 256, not 0"),
        ("vocabulary", -1, "vocabulary must be from 1 to 1048576, not -1"),
        ("language_channels", "24", "language_channels must be a whole number, not '24'"),
        (HEADS, 7, "is no multiple of {key} = 7"),
        (FLOATS, float("nan"), "{key} must be a finite number, not nan"),
    ],
)
def test_key_and_bound_are_named(
    ours: Path, tmp_path: Path, key: str | dict[str, str], value: object, said: str
) -> None:
    if isinstance(key, dict):
        key = key.get(ours.name, "language_heads" if key is HEADS else "rotary_factor")
    settings = json.loads((ours / "config.json").read_text())
    assert key in settings["config"]
    settings["config"][key] = value
    for file in ours.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "config.json").write_text(json.dumps(settings))
    with pytest.raises(WeightsError) as caught:
        load_model(str(tmp_path), "cpu")
    assert said.format(key=key) in str(caught.value)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors"])
@pytest.mark.parametrize("kind", ["pipe", "device", "deep", "digits", "bytes", "huge"])
def test_pipes_devices_and_damage_in_a_model_folder_are_refused(
    ours: Path, tmp_path: Path, name: str, kind: str
) -> None:
    for file in ours.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    file = tmp_path / name
    file.unlink()
    match kind:
        case "pipe":
            os.mkfifo(file)
        case "device":
            file.symlink_to("/dev/zero")
        case "deep":
            file.write_text('{"config": ' + "[" * 100_000)
        case "digits":
            file.write_text('{"config": ' + "9" * 5000 + "}")
        case "bytes":
            file.write_bytes(b'{"config": "\xff\xfe"}')
        case "huge":
            with file.open("wb") as opened:
                opened.truncate(1 << 40)
    with pytest.raises(WeightsError) as caught:
        load_model(str(tmp_path), "cpu")
    assert name in str(caught.value) and "\n" not in str(caught.value)
