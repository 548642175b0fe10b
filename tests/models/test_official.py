"""Inspected official folders: adapters are merged on reading, documented gaps are filled."""

import torch

from vlseg_cli.models.official import inspect_official
from vlseg_cli.text.tokenizer import word_tokenizer
from vlseg_cli.weights.conversion.lora import LORA, Merged, unwrapped
from vlseg_cli.weights.conversion.rules import Drop, Fill, Rename, SplitRows

RULES = (
    SplitRows(r"qkv\.weight", r"{}.weight"),
    Rename(r"(norm\.\w+)", r"\1"),
    Drop(rf".*{LORA}", "added to its weight"),
)
FILLS = (
    Fill(r"[qkv]\.bias", "the authors' projections have no bias"),
    Fill(r"norm\.running_var", "never saved", 1.0),
    Fill(r"norm\.num_batches_tracked", "never saved", dtype=torch.int64),
)
OWN = {
    f"{part}.{name}": shape
    for part in "qkv"
    for name, shape in (("weight", (2, 3)), ("bias", (2,)))
}
OWN |= {"norm.weight": (2,), "norm.running_var": (2,), "norm.num_batches_tracked": ()}


def test_all_our_tensors_are_read() -> None:
    torch.manual_seed(0)
    theirs = {
        "qkv.base_layer.weight": torch.randn(6, 3).half(),
        "qkv.lora_A.default.weight": torch.randn(1, 3).half(),
        "qkv.lora_B.default.weight": torch.randn(6, 1).half(),
        "norm.weight": torch.ones(2),
    }
    tensors = Merged(unwrapped(theirs), 2.0)
    tokenizer = word_tokenizer(["a"])
    found = inspect_official("tiny", {}, tokenizer, tensors, RULES, OWN, FILLS)
    assert found.coverage.complete and sorted(found.names) == sorted(OWN)
    ours = dict(found.read(found.names))
    assert {name: tuple(tensor.shape) for name, tensor in ours.items()} == OWN
    up, down = theirs["qkv.lora_B.default.weight"], theirs["qkv.lora_A.default.weight"]
    merged = (theirs["qkv.base_layer.weight"].float() + 2 * up.float() @ down.float()).half()
    assert torch.cat([ours[f"{part}.weight"] for part in "qkv"]).equal(merged)
    assert ours["norm.running_var"].tolist() == [1, 1] and ours["q.bias"].tolist() == [0, 0]
    assert ours["norm.num_batches_tracked"].dtype == torch.int64
    assert sum(map(found.size, found.names)) == sum(tensor.nbytes for tensor in ours.values())
    assert found.coverage.lines() == [
        "2 official tensors used, which fill 4 of ours",
        "2 dropped: added to its weight",
        "3 of ours made: the authors' projections have no bias",
        "2 of ours made: never saved",
    ]


def test_stored_tensors_are_never_filled() -> None:
    theirs = {"qkv.weight": torch.zeros(6, 3), "norm.running_var": torch.full((2,), 3.0)}
    tokenizer = word_tokenizer(["a"])
    found = inspect_official("tiny", {}, tokenizer, theirs, RULES, OWN, FILLS)
    assert found.coverage.missing == ("norm.weight",)
    assert dict(found.read(["norm.running_var"]))["norm.running_var"].tolist() == [3, 3]
