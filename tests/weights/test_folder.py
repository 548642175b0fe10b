"""A model folder is written whole, read back the same, and refused in a sentence when damaged."""

import errno
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from torch import Tensor, nn

from vlseg_cli.schema import OutputError, WeightsError
from vlseg_cli.text.tokenizer import Tokenizer, word_tokenizer
from vlseg_cli.weights.folder import load_into, load_tensors, save_folder
from vlseg_cli.weights.settings import CARD, CONFIG, TOKENIZER, WEIGHTS, load_settings

SETTINGS: dict[str, Any] = {
    "architecture": "psalm",
    "config": {"image_size": 64, "swin_depths": [1, 1]},
    "categories": {"names": ["cup", "Tür"], "stuff": [False, True]},
}


def net() -> nn.Module:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1, bias=False))
    model(torch.randn(2, 3, 5, 5))  # the norm counts batches in an integer
    return model


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A saved model."""
    save_folder(
        tmp_path / "m", net().state_dict(), SETTINGS, word_tokenizer(["cup"]).save, "# A card\n"
    )
    return tmp_path / "m"


def test_weights_come_back_rounded_to_half(folder: Path) -> None:
    ours, own = load_tensors(folder), net().state_dict()
    assert ours.keys() == own.keys()
    for name, tensor in own.items():
        half = tensor.half().float() if tensor.is_floating_point() else tensor
        assert ours[name].equal(half) and ours[name].dtype == tensor.dtype
    assert ours["1.num_batches_tracked"] == 1


def test_weights_take_half_the_room(folder: Path) -> None:
    with safe_open(str(folder / WEIGHTS), "pt") as file:
        dtypes = {name: file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118
    assert dtypes.pop("1.num_batches_tracked") == torch.int64
    assert set(dtypes.values()) == {torch.float16}


def test_settings_card_and_tokenizer_come_back(folder: Path) -> None:
    assert load_settings(folder) == SETTINGS
    assert (folder / CARD).read_text("utf-8") == "# A card\n"
    assert Tokenizer.load(folder / TOKENIZER).ids("cup") == [3]


def test_files_can_be_read_by_all_and_nothing_else_is_left(folder: Path) -> None:
    assert {file.name for file in folder.iterdir()} == {WEIGHTS, CONFIG, TOKENIZER, CARD}
    assert all(file.stat().st_mode & 0o777 == 0o644 for file in folder.iterdir())


def test_saving_again_replaces_and_a_failure_keeps_the_old(folder: Path) -> None:
    save_folder(
        folder, net().state_dict(), {**SETTINGS, "more": 1}, word_tokenizer(["cup"]).save, "second"
    )
    assert load_settings(folder)["more"] == 1

    def broken(_: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match=r"tokenizer\.json cannot be written \(no space left"):
        save_folder(folder, net().state_dict(), SETTINGS, broken, "third")
    assert (folder / CARD).read_text("utf-8") == "second"
    assert Tokenizer.load(folder / TOKENIZER).ids("cup") == [3]


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    """A limit on the size of files stands for the end of the disk."""
    program = (
        "import pathlib, resource, sys, torch; from vlseg_cli.weights.folder import save_folder\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, resource.RLIM_INFINITY))\n"
        "state = torch.nn.Linear(100, 100).state_dict()\n"
        "save_folder(pathlib.Path(sys.argv[1]), state, {}, lambda file: file.touch(), '')"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "m")]
    said = subprocess.run(command, capture_output=True, text=True).stderr.splitlines()[-1]
    assert "OutputError" in said and "model.safetensors cannot be written (file too large)" in said
    assert list((tmp_path / "m").iterdir()) == []


@settings(max_examples=15, deadline=None)
@given(share=st.floats(0, 0.999))
def test_a_file_cut_short_is_damaged(
    share: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("cut")
    save_folder(folder, net().state_dict(), SETTINGS, word_tokenizer(["cup"]).save, "")
    whole = (folder / WEIGHTS).read_bytes()
    (folder / WEIGHTS).write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(WeightsError, match=r"model\.safetensors is damaged") as caught:
        load_tensors(folder)
    assert "\n" not in str(caught.value)


def test_missing_parts_are_named(folder: Path) -> None:
    (folder / WEIGHTS).unlink()
    with pytest.raises(WeightsError, match=r"m has no model\.safetensors"):
        load_tensors(folder)
    (folder / CONFIG).unlink()
    with pytest.raises(WeightsError, match="m is not a model folder"):
        load_settings(folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not valid JSON"),
        ("\xff", "lacks|not valid JSON"),
        ("[]", "not a table of settings"),
        ('{"architecture": "psalm"}', "lacks 'architecture' or 'config'"),
        ('{"config": {}}', "lacks 'architecture' or 'config'"),
        ('{"architecture": "psalm", "config": 3}', "lacks 'architecture' or 'config'"),
    ],
)
def test_a_config_that_is_not_ours_is_refused(folder: Path, text: str, said: str) -> None:
    (folder / CONFIG).write_text(text, "latin-1")
    with pytest.raises(WeightsError, match=said):
        load_settings(folder)


def test_config_is_written_for_people(folder: Path) -> None:
    text = (folder / CONFIG).read_text("utf-8")
    assert text.endswith("}\n") and "\n  " in text
    assert json.loads(text)["categories"]["names"][1] == "Tür"


SOURCE = Path("some/model")


def net_fit() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))


def tensors() -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {
        name: torch.randn_like(t.float()).to(t.dtype) for name, t in net_fit().state_dict().items()
    }


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_model_takes_what_fits(device: str) -> None:
    with torch.device(device):
        model = net_fit()
    given = tensors()
    load_into(model, given, SOURCE)
    for name, tensor in model.state_dict().items():
        assert tensor.equal(given[name])
    assert all(p.requires_grad for p in model.parameters())


def test_all_that_does_not_fit_is_said_at_once() -> None:
    given = tensors()
    del given["0.bias"]
    given["2.weight"] = torch.zeros(1, 4)
    given["extra"] = torch.zeros(1)
    model = net_fit()
    before = {name: t.clone() for name, t in model.state_dict().items()}
    with pytest.raises(WeightsError) as caught:
        load_into(model, given, SOURCE)
    assert str(caught.value) == (
        "some/model does not fit its configuration: it lacks 0.bias; has extra extra; "
        "has 2.weight (1, 4) instead of (1, 3)"
    )
    assert all(t.equal(before[name]) for name, t in model.state_dict().items())


def test_long_lists_are_cut_short() -> None:
    with pytest.raises(WeightsError) as caught:
        load_into(net_fit(), {}, SOURCE)
    assert str(caught.value).endswith("it lacks 0.bias, 0.weight, 1.bias …")
    assert "\n" not in str(caught.value)
