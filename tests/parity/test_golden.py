"""Agreement is measured, every wrong or missing tensor is named, and tolerances scale."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from parity.golden import SYSTEMS, Golden, check_parity, golden_files
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from vlseg_cli.schema import WeightsError

GOLDENS = Path(__file__).with_name("goldens")
Change = Callable[[dict[str, Tensor]], object]
Changed = Callable[[str, Change], Path]


@pytest.fixture
def changed(tmp_path: Path) -> Changed:
    """A folder with the golden file of a system, changed."""

    def make(system: str, change: Change) -> Path:
        with safe_open(str(GOLDENS / f"{system}-a.safetensors"), "pt") as file:
            metadata, tensors = file.metadata(), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        change(tensors)
        save_file(tensors, tmp_path / f"{system}-b.safetensors", metadata)
        return tmp_path

    return make


@pytest.mark.parametrize("system", SYSTEMS)
def test_every_system_agrees_with_its_golden_files(system: str) -> None:
    for golden in check_parity(system):
        assert golden.path.parent == GOLDENS and golden.uncompared == ()
        assert 0 < max(golden.compared.values()) <= 1


def scaled(name: str, factor: float) -> Change:
    return lambda tensors: tensors[name].mul_(factor)


@pytest.mark.parametrize(
    ("system", "change", "said"),
    [
        ("psalm", scaled("out/swin/res4", 1.001), r"psalm-b\.safetensors: swin/res4 is off by"),
        ("psalm", scaled("w/seg_query", 1.1), r"category/inputs_embeds is off by"),
        (
            "psalm",
            scaled("out/region/post/scores", float("nan")),
            "region/post/scores is off by nan",
        ),
        ("psalm", lambda t: t.pop("out/train/loss_dice_1"), "lacks out/train/loss_dice_1"),
        ("psalm", lambda t: t.pop("w/seg_query"), "no complete checkpoint: it lacks seg_query"),
        (
            "psalm",
            lambda t: t.update({"out/more": torch.zeros(1)}),
            "holds what was not compared: more",
        ),
        (
            "psalm",
            lambda t: t.update({"out/projector": torch.zeros(1)}),
            r"projector is \(1, 4, 64\), not",
        ),
        ("hyperseg", scaled("out/ref/swin_res4", 1.001), r"hyperseg-b.*: ref/swin_res4 is off by"),
        ("hyperseg", lambda t: t.pop("w/lm_head.weight"), r"checkpoint: it lacks lm_head.weight"),
        ("hyperseg", lambda t: t["in/orig_hw"].add_(1), "two sizes of the frame"),
        ("self1e", scaled("out/ori_vit_embeds", 1.001), "self1e-b.*: ori_vit_embeds is off by"),
        ("self1e", lambda t: t["in/position_ids"].add_(1), "our position_ids differ"),
        ("self1e", lambda t: t["in/input_ids"][0, 9].add_(1), "our ids of ' What is the red cup"),
        ("self1e", scaled("out/metric_giou", 1.001), "metric_giou is off by"),
        ("self1e", scaled("out/grad/mlp1.0.weight", 1.1), r"grad/mlp1\.0\.weight is off by"),
        ("self1e", lambda t: t.update({"out/grad/x": torch.ones(1)}), "ours has no gradient of x"),
        ("self1e", lambda t: t.update({"out/more": torch.zeros(1)}), "was not compared: more"),
    ],
)
def test_a_wrong_tensor_is_named(changed: Changed, system: str, change: Change, said: str) -> None:
    with pytest.raises(WeightsError, match=said) as caught:
        check_parity(system, changed(system, change))
    assert "\n" not in str(caught.value)


def test_infinities_equal_only_themselves() -> None:
    theirs = torch.tensor([float("inf"), 1.0, float("-inf")])
    golden = Golden(Path("a"), {}, {"out/x": theirs})
    golden.agrees("x", theirs, 1e-3)
    for index, other in ((0, 5.0), (0, float("-inf")), (1, float("inf")), (2, float("nan"))):
        ours = theirs.clone()
        ours[index] = other
        for allowed in (None, 1e-3):
            with pytest.raises(WeightsError, match="x is off by"):
                golden.agrees("x", ours, allowed)


def test_no_golden_file_is_an_error(tmp_path: Path) -> None:
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


def test_without_a_recorded_spread_the_tolerance_is_relative_per_number() -> None:
    golden = Golden(Path("x"), {}, {"out/large": torch.tensor([0.0, 1000.0])})
    golden.agrees("large", torch.tensor([0.0, 1000.05]))
    assert 0.4 < golden.compared["large"] < 0.6
    with pytest.raises(WeightsError, match=r"large is off by 2\.00e-04, allowed 1\.00e-04"):
        golden.agrees("large", torch.tensor([2e-4, 1000.0]))


def test_a_stage_may_state_its_own_tolerance_and_compare_a_view() -> None:
    golden = Golden(Path("x"), {}, {"out/padded": torch.tensor([1.0, 2.0, 9.0])})
    golden.agrees("padded", torch.tensor([1.0, 2.0 + 1e-6]), 1e-6, lambda theirs: theirs[:2])
    assert 0.4 < golden.compared["padded"] < 0.6
    with pytest.raises(WeightsError, match=r"padded is off by .*, allowed 2\.00e-07"):
        golden.agrees("padded", torch.tensor([1.0, 2.0 + 1e-6]), 1e-7, lambda theirs: theirs[:2])


def test_integers_must_be_equal() -> None:
    golden = Golden(Path("x"), {"fp32_vs_fp64_max_abs": {}}, {"out/ids": torch.arange(3)})
    golden.agrees("ids", torch.arange(3))
    with pytest.raises(WeightsError, match=r"ids is off by 1\.00e\+00, allowed 0"):
        golden.agrees("ids", torch.arange(1, 4))


@pytest.mark.parametrize("spread", [None, 0.0])
def test_tolerances_scale_with_the_largest_magnitude(spread: float | None) -> None:
    """Rounding of a sum over values around 7 is a share of 7, also where the sum is near 0."""
    theirs, within = torch.tensor([7.0, 0.01, -3.0]), 2e-5 if spread is None else None
    metadata = {"fp32_vs_fp64_max_abs": {} if spread is None else {"x": spread}}
    golden = Golden(Path("x"), metadata, {"out/x": theirs})
    bound = 7 * (2e-5 if spread is None else 1e-6)
    for index in range(3):
        error = torch.zeros(3, dtype=torch.double)
        error[index] = bound
        golden.agrees("x", theirs.double() + 0.9 * error, within)
        with pytest.raises(WeightsError, match="x is off by"):
            golden.agrees("x", theirs.double() + 1.1 * error, within)


def test_double_precision_is_kept() -> None:
    theirs = torch.tensor([0.0, 1000.0], dtype=torch.double)
    golden = Golden(Path("x"), {}, {"alt/y": theirs})
    assert (golden.recorded("alt/y").dtype, golden["alt/y"].dtype) == (torch.double, torch.float)
    golden.close("alt/y", theirs + 9e-10, 1e-12)
    assert 0.8 < golden.compared["alt/y"] < 1
    with pytest.raises(WeightsError, match=r"alt/y is off by 9\.00e-10, allowed 1\.00e-10"):
        golden.close("alt/y", theirs + 9e-10, 1e-13)


def test_integers_are_never_close() -> None:
    golden = Golden(Path("x"), {}, {"out/ids": torch.arange(3)})
    with pytest.raises(WeightsError, match=r"ids is off by 1\.00e\+00, allowed 0"):
        golden.close("out/ids", torch.arange(1, 4), 1.0)


def test_outputs_are_neither_weights_nor_inputs() -> None:
    given = ("top", "w/a", "in/b", "sam/w/c", "loss/in/d")
    outputs = ("out/e", "out/in/f", "sam/out/g", "alt/h", "tok/i")
    golden = Golden(Path("x"), {}, {name: torch.zeros(1) for name in given + outputs})
    assert golden.uncompared == ("alt/h", "e", "in/f", "sam/out/g", "tok/i")
    golden.close("sam/out/g", torch.zeros(1), 0)
    golden.agrees("e", torch.zeros(1))
    golden.excluded["tok/i"] = "given"
    assert golden.uncompared == ("alt/h", "in/f")
