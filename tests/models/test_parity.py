"""Agreement with the authors' code is measured, and nothing passes for lack of a comparison."""

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from vlseg_cli.models.golden import Golden, golden_files
from vlseg_cli.models.parity import PARITY, check_parity
from vlseg_cli.schema import WeightsError

GOLDENS = Path(__file__).parents[1] / "parity" / "goldens"
Change = Callable[[dict[str, Tensor]], object]


@pytest.fixture
def changed(tmp_path: Path) -> Callable[[Change], Path]:
    """A folder with the golden PSALM, changed."""

    def make(change: Change) -> Path:
        with safe_open(str(GOLDENS / "psalm-a.safetensors"), "pt") as file:
            metadata, tensors = file.metadata(), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        change(tensors)
        save_file(tensors, tmp_path / "psalm-b.safetensors", metadata)
        return tmp_path

    return make


@pytest.mark.parametrize("architecture", PARITY)
def test_what_comes_with_vlseg_agrees(architecture: str) -> None:
    for golden in check_parity(architecture):
        assert golden.path.parent == GOLDENS and golden.left == ()
        assert 0 < max(golden.compared.values()) <= 1


def test_a_wheel_brings_the_goldens_along() -> None:
    project = tomllib.loads((GOLDENS.parents[2] / "pyproject.toml").read_text("utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included["tests/parity/goldens"] == "vlseg_cli/models/goldens"


def scaled(name: str, factor: float) -> Change:
    return lambda tensors: tensors[name].mul_(factor)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (scaled("out/swin/res4", 1.001), r"psalm-b\.safetensors: swin/res4 is off by"),
        (scaled("w/seg_query", 1.1), r"category/inputs_embeds is off by"),
        (scaled("out/region/post/scores", float("nan")), "region/post/scores is off by nan"),
        (lambda t: t.pop("out/train/loss_dice_1"), "lacks out/train/loss_dice_1"),
        (lambda t: t.pop("w/seg_query"), "no complete checkpoint: it lacks seg_query"),
        (lambda t: t.update({"out/more": torch.zeros(1)}), "holds what was not compared: more"),
        (lambda t: t.update({"out/projector": torch.zeros(1)}), r"projector is \(1, 4, 64\), not"),
    ],
)
def test_what_differs_is_named(
    changed: Callable[[Change], Path], change: Change, said: str
) -> None:
    with pytest.raises(WeightsError, match=said) as caught:
        check_parity("psalm", changed(change))
    assert "\n" not in str(caught.value)


def test_infinities_agree_with_nothing_but_themselves() -> None:
    theirs = torch.tensor([float("inf"), 1.0, float("-inf")])
    golden = Golden(Path("a"), {}, {"out/x": theirs})
    golden.agrees("x", theirs, 1e-3)
    for place, other in ((0, 5.0), (0, float("-inf")), (1, float("inf")), (2, float("nan"))):
        ours = theirs.clone()
        ours[place] = other
        for allowed in (None, 1e-3):
            with pytest.raises(WeightsError, match="x is off by"):
                golden.agrees("x", ours, allowed)


def test_nothing_to_compare_with(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"has no golden file psalm-\*\.safetensors"):
        check_parity("psalm", tmp_path)
    (tmp_path / "psalm-x.safetensors").write_bytes(b"no")
    with pytest.raises(WeightsError, match=r"psalm-x\.safetensors is no golden file"):
        check_parity("psalm", tmp_path)
    with pytest.raises(WeightsError, match="cannot compare a sam with goldens"):
        check_parity("sam")


def test_files_are_found_by_their_system(tmp_path: Path) -> None:
    for name in ("mvp-lm-a", "mvp-lm-b", "psalm-a"):
        (tmp_path / f"{name}.safetensors").touch()
    assert [file.stem for file in golden_files("mvp_lm", tmp_path)] == ["mvp-lm-a", "mvp-lm-b"]
    assert golden_files("psalm") == [GOLDENS / "psalm-a.safetensors"]


def test_numbers_without_a_recorded_spread_agree_relatively() -> None:
    golden = Golden(Path("x"), {}, {"out/large": torch.tensor([0.0, 1000.0])})
    golden.agrees("large", torch.tensor([0.0, 1000.05]))
    assert 0.4 < golden.compared["large"] < 0.6
    with pytest.raises(WeightsError, match=r"large is off by 2\.00e-04, allowed 1\.00e-04"):
        golden.agrees("large", torch.tensor([2e-4, 1000.0]))


def test_whole_numbers_have_to_be_equal() -> None:
    golden = Golden(Path("x"), {"fp32_vs_fp64_max_abs": {}}, {"out/ids": torch.arange(3)})
    golden.agrees("ids", torch.arange(3))
    with pytest.raises(WeightsError, match=r"ids is off by 1\.00e\+00, allowed 0"):
        golden.agrees("ids", torch.arange(1, 4))
