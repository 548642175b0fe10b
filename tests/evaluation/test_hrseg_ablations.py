"""benchmarks/hrseg_ablations.py: every variant gets the same sentences and proposals."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import get_args

from models.tiny_hrseg import Quarters, tiny_segmenter

from vlseg_cli.models.hrseg.postprocessing import Rule
from vlseg_cli.synthetic.vocabulary import words
from vlseg_cli.text.tokenizer import miniature_tokenizer

FILE = Path(__file__).parents[2] / "benchmarks" / "hrseg_ablations.py"
spec = spec_from_file_location("hrseg_ablations", FILE)
assert spec is not None and spec.loader is not None
ablations = sys.modules[spec.name] = module_from_spec(spec)
spec.loader.exec_module(ablations)
ablate, table = ablations.ablate, ablations.table


def test_every_variant_gets_the_same_sentences() -> None:
    segmenter = tiny_segmenter(miniature_tokenizer(words()), view=14, dino_native=14)
    encoded: list[int] = []
    segmenter.model.dino.register_forward_pre_hook(lambda _, views: encoded.append(len(views[0])))
    trained = segmenter.model.config
    lines = ablate(segmenter, range(900_000, 900_002), 64)
    assert segmenter.model.config is trained
    tables = [line.table for line in lines]
    assert [tables.count(t) for t in ("as trained", "N", "gamma", "threshold")] == [1, 4, 5, 5]
    assert tables.count("selection") == len(get_args(Rule))
    assert len({line.meters["reason"].result().n for line in lines}) == 1
    # N is 2 and gamma 0.8 as trained: the other N, the other gammas, and that once for all the rest
    assert sorted(encoded) == sorted([2, 10, 17, 5, 5, 5, 5, 5] * 2)
    assert isinstance(segmenter.proposer, Quarters)
    same = [line for line in lines if not line.changes or line.label in ("2", "0.8")]
    results = {str(line.meters["refer"].result()) for line in same if line.table != "threshold"}
    assert len(results) == 1
    rows = table(lines)
    assert len(rows) == 2 + len(lines) and rows[2].startswith("| as trained | N = 2 | ")


def test_a_model_without_windows_has_none_to_vary() -> None:
    segmenter = tiny_segmenter(miniature_tokenizer(words()), view=14, dino_native=14, windows=0)
    tables = {line.table for line in ablate(segmenter, range(900_000, 900_001), 64)}
    assert tables == {"as trained", "selection", "threshold"}


def test_single_tables_can_be_chosen() -> None:
    segmenter = tiny_segmenter(miniature_tokenizer(words()), view=14, dino_native=14)
    lines = ablate(segmenter, range(900_000, 900_001), 64, ("N",))
    assert [line.label for line in lines] == ["1", "2", "3", "4"]
