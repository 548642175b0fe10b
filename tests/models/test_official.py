"""Inspected official folders: adapters are merged on reading, documented gaps are filled."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vlseg_cli.models.official import OfficialFolder, inspect_official
from vlseg_cli.text.tokenizer import word_tokenizer
from vlseg_cli.weights.conversion.coverage import shapes_of
from vlseg_cli.weights.conversion.lora import LORA, Merged
from vlseg_cli.weights.conversion.rules import Drop, Fill, Rename, SplitRows

RULES = (
    SplitRows(r"qkv\.weight", r"{}.weight"),
    Rename(r"(norm\.\w+)", r"\1"),
    Drop(rf".*{LORA}", "added to its weight"),
)
FILLS = (
    Fill(r"[qkv]\.bias", "the authors' projections have no bias"),
    Fill(r"norm\.running_mean", "never saved"),
    Fill(r"norm\.running_var", "never saved", 1.0),
    Fill(r"norm\.num_batches_tracked", "never saved", dtype=torch.int64),
)


class Own(nn.Module):
    """Our side: separate projections with a bias, and a norm with statistics."""

    def __init__(self, _config: "Config") -> None:
        super().__init__()
        self.q, self.k, self.v = (nn.Linear(3, 2) for _ in "qkv")
        self.norm = nn.BatchNorm1d(2)


class Config(NamedTuple):
    vocabulary: int


def inspect(tensors: Mapping[str, Tensor]) -> OfficialFolder:
    return inspect_official(
        "tiny",
        Path("tiny"),
        tensors,
        {"vocabulary": 4},
        lambda sizes: Config(**sizes),
        Own,
        word_tokenizer(["a"]),
        lambda _: RULES,
        FILLS,
    )


def test_all_our_tensors_are_read() -> None:
    torch.manual_seed(0)
    theirs = {
        "qkv.weight": torch.randn(6, 3).half(),
        "qkv.lora_A.default.weight": torch.randn(1, 3).half(),
        "qkv.lora_B.default.weight": torch.randn(6, 1).half(),
        "norm.weight": torch.ones(2),
        "norm.bias": torch.zeros(2),
    }
    found = inspect(Merged(theirs, 2.0))
    ours, own = dict(found.read(found.names)), Own(Config(4)).state_dict()
    assert found.coverage.complete and shapes_of(ours) == shapes_of(own)
    up, down = theirs["qkv.lora_B.default.weight"], theirs["qkv.lora_A.default.weight"]
    merged = (theirs["qkv.weight"].float() + 2 * up.float() @ down.float()).half()
    assert torch.cat([ours[f"{part}.weight"] for part in "qkv"]).equal(merged)
    assert ours["norm.running_var"].tolist() == [1, 1] and ours["q.bias"].tolist() == [0, 0]
    assert ours["norm.num_batches_tracked"].dtype == torch.int64
    assert sum(map(found.size, found.names)) == sum(tensor.nbytes for tensor in ours.values())
    assert found.coverage.lines() == [
        "3 official tensors used, which fill 5 of ours",
        "2 dropped: added to its weight",
        "3 of ours made: the authors' projections have no bias",
        "3 of ours made: never saved",
    ]


def test_stored_tensors_are_never_filled() -> None:
    theirs = {"qkv.weight": torch.zeros(6, 3), "norm.running_var": torch.full((2,), 3.0)}
    found = inspect(theirs)
    assert found.coverage.missing == ("norm.bias", "norm.weight")
    assert dict(found.read(["norm.running_var"]))["norm.running_var"].tolist() == [3, 3]
