"""HRSeg's additions against figures computed from the paper's formulas, in double precision."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from parity.golden import Golden, Stages, check_parity, golden_files
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from vlseg_cli.schema import WeightsError

STAGES = ("windows", "perception", "pooling", "enhancement", "selection", "losses")


def test_stage(stages: Stages, stage: str) -> None:
    stages[stage]()


def test_every_output_is_compared(golden: Golden, stages: Stages) -> None:
    assert tuple(stages) == STAGES
    for stage in stages.values():
        stage()
    assert golden.uncompared == ()


def test_both_cases_of_selection_are_recorded(golden: Golden) -> None:
    assert {"select/normal/out/mask", "select/empty/out/mask"} <= golden.tensors.keys()


Change = Callable[[dict[str, Tensor]], object]


def scaled(name: str, factor: float) -> Change:
    return lambda tensors: tensors[name].mul_(factor)


def filled(name: str, value: int) -> Change:
    return lambda tensors: tensors[name].fill_(value)


def lacking(name: str) -> Change:
    return lambda tensors: tensors.pop(name)


def having(name: str) -> Change:
    return lambda tensors: tensors.update({name: torch.zeros(1)})


def check_changed(layout: str, change: Change, folder: Path) -> None:
    (original,) = golden_files(layout)
    with safe_open(str(original), "pt") as file:
        metadata, tensors = file.metadata(), {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    change(tensors)
    save_file(tensors, folder / f"{layout}-b.safetensors", metadata)
    check_parity("hrseg", folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (scaled("out/dino_conv", 1.001), r"llmseg-b\.safetensors: dino_conv is off by"),
        (scaled("out/gt_iou_0", 1 + 1e-9), "gt_iou_0 is off by"),
        (scaled("sam/out/iou_predictions", 1.01), "sam/out/iou_predictions is off by"),
        (scaled("sel/out/iop_gt_0.5/metrics", 1.01), r"sel/out/iop_gt_0\.5/metrics is off by"),
        (filled("tok/labels", 1), "tok/labels is off by"),
        (filled("tok/tokenizer_model", 255), "the tokenizer llmseg-b.* is damaged"),
        (lacking("amg/out/area"), "lacks amg/out/area"),
        (lacking("sam/w/mask_decoder.iou_token.weight"), "it lacks .*iou_token"),
        (lacking("w/model.lisa_dino_conv.bias"), "it lacks dino_projection.bias"),
        (having("sel/out/top1_iou/x"), "chooses by 'top1_iou'"),
        (having("tok/more"), "holds what was not compared: tok/more"),
    ],
)
def test_what_differs_from_llm_seg_is_named(tmp_path: Path, change: Change, said: str) -> None:
    with pytest.raises(WeightsError, match=said):
        check_changed("llmseg", change, tmp_path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (scaled("out/F_h", 1 + 1e-8), r"hrseg-hrp-hre-b\.safetensors: F_h is off by"),
        (scaled("in/gamma", 0.5), r"there are two gammas, \(0\.4, 0\.8\)"),
        (lacking("w_l_k"), "do not share w_l_k"),
        (lacking("select/empty/out/mask"), "lacks select/empty/out/mask"),
        (having("alt/y"), "holds what was not compared: alt/y"),
    ],
)
def test_what_differs_from_the_formulas_is_named(tmp_path: Path, change: Change, said: str) -> None:
    with pytest.raises(WeightsError, match=said):
        check_changed("hrseg-hrp-hre", change, tmp_path)


def test_both_layouts_are_compared() -> None:
    names = [golden.path.stem for golden in check_parity("hrseg")]
    assert names == ["llmseg-a", "hrseg-hrp-hre-a"]


def test_nothing_to_compare_with(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no golden file llmseg-\*\.safetensors or hrseg-\*"):
        check_parity("hrseg", tmp_path)
