"""The five things that can become of a tensor, and what a report says of them."""

import pytest
import torch

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.conversion.coverage import cover, require_complete
from vlseg_cli.weights.conversion.rules import (
    Drop,
    FirstRows,
    Rename,
    SplitHeads,
    SplitRows,
    convert,
    find_rule,
)

RULES = (
    Rename(r"old\.(\d+)\.(\w+)", r"new.\1.\2"),
    SplitRows(r"both\.(\w+)", r"{}.\1", "ab"),
    SplitHeads(r"heads", r"{}_proj", 2, "kv"),
    FirstRows(r"table", "table", 3),
    Drop(r"notes\..*", "is of no use"),
)
OWN = {
    "new.0.weight": (2, 2),
    "a.weight": (3, 2),
    "b.weight": (3, 2),
    "k_proj": (4,),
    "v_proj": (4,),
    "table": (3, 2),
}
OFFICIAL = {
    "old.0.weight": torch.ones(2, 2),
    "both.weight": torch.arange(12.0).view(6, 2),
    "heads": torch.arange(8.0),
    "table": torch.arange(10.0).view(5, 2),
    "notes.a": torch.zeros(1),
}


def test_each_rule_does_its_own() -> None:
    ours = {k: v for name, t in OFFICIAL.items() for k, v in convert(RULES, name, t).items()}
    assert {name: tuple(tensor.shape) for name, tensor in ours.items()} == OWN
    assert ours["b.weight"].tolist() == [[6, 7], [8, 9], [10, 11]]
    assert ours["k_proj"].tolist() == [0, 1, 4, 5] and ours["v_proj"].tolist() == [2, 3, 6, 7]
    assert ours["table"].tolist() == [[0, 1], [2, 3], [4, 5]]


def test_patterns_match_whole_names_alone() -> None:
    assert find_rule(RULES, "old.0.weight") and not find_rule(RULES, "x.old.0.weight")
    assert convert(RULES, "old.0.weight.more", torch.zeros(1)) == {}


def test_a_complete_report() -> None:
    coverage = cover(RULES, OFFICIAL, OWN)
    assert coverage.complete and coverage.sentence() == ""
    require_complete(coverage, "it")
    assert coverage.used["both.weight"] == ("a.weight", "b.weight")
    assert coverage.lines() == [
        "4 official tensors used, which fill 6 of ours",
        "1 dropped: is of no use",
    ]


def test_everything_wrong_is_in_one_report() -> None:
    official = {
        "old.0.weight": torch.ones(2, 3),
        "old.7.weight": torch.ones(2, 2),
        "both.weight": torch.ones(5, 2),
        "heads": torch.ones(8),
        "new": torch.ones(1),
    }
    coverage = cover(RULES, official, OWN)
    assert coverage.unknown == ("old.7.weight", "new")
    assert coverage.missing == ("a.weight", "b.weight", "table")
    assert coverage.misshapen == (
        "old.0.weight (2, 3): new.0.weight would be (2, 3), not (2, 2)",
        "both.weight (5, 2), which cannot be split into 2 equal blocks of rows",
    )
    with pytest.raises(WeightsError) as caught:
        require_complete(coverage, "some/folder")
    assert str(caught.value).startswith("some/folder is no complete checkpoint: it lacks a.weight,")
    assert len(coverage.lines()) == 1 + 2 + 3 + 2


def test_a_scalar_where_rows_are_split() -> None:
    official = {"both.weight": torch.tensor(1.0), "heads": torch.tensor(1.0)}
    assert len(cover(RULES, official, OWN).misshapen) == 2


def test_long_lists_are_cut_short_in_the_sentence_alone() -> None:
    coverage = cover(RULES, {f"x{n}": torch.zeros(1) for n in range(9)}, {})
    assert coverage.sentence() == "has unknown x0, x1, x2, x3 and 5 more"
    assert len(coverage.lines()) == 10
