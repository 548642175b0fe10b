"""The table of benchmarks: names, protocols and published numbers fit together."""

import pickle
from pathlib import Path

import pytest

from vlseg_cli.evaluation.benchmarks.table import (
    BENCHMARKS,
    FAMILIES,
    all_published,
    find_benchmarks,
    published,
    switches_of,
    write_toy_sets,
)
from vlseg_cli.schema import NoInputError, UsageError

OTHERS = ("mevis", "youtube-vos")
SYSTEMS = {"psalm", "hyperseg", "mvp-lm", "hrseg", "self1e"}


def test_every_name_is_there_once() -> None:
    names = [one.name for family in FAMILIES for one in family.BENCHMARKS]
    assert len(set(names)) == len(names) == len(BENCHMARKS)


def test_papers_choose_among_the_switches() -> None:
    for one in BENCHMARKS.values():
        assert one.papers.keys() <= SYSTEMS
        for protocol in one.papers.values():
            assert protocol.keys() == one.switches.keys()
            assert all(choice in one.switches[switch] for switch, choice in protocol.items())


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Toy versions of all sets; four scenes: RefCOCO has four splits."""
    root = tmp_path_factory.mktemp("data")
    write_toy_sets(BENCHMARKS.values(), root, 4)
    return root


@pytest.mark.parametrize("name", BENCHMARKS)
def test_a_benchmark_opens_by_every_paper_and_survives_a_process(name: str, data: Path) -> None:
    benchmark = pickle.loads(pickle.dumps(BENCHMARKS[name]))
    for paper in benchmark.papers:
        opened = benchmark.find(data, benchmark.protocol(paper, {}))
        sample = opened.dataset[0]
        assert {query.task for query in sample.queries} == {benchmark.task}
        assert opened.scorer.result().n == 0


def test_published_numbers_are_of_benchmarks_that_exist() -> None:
    assert {one.benchmark for one in all_published()} <= BENCHMARKS.keys()
    (printed,) = [
        one.value
        for one in published("refcoco-val")
        if (one.model, one.source) == ("PSALM", "PSALM, table 8")
    ]
    assert printed == 83.6


def test_every_benchmark_of_a_paper_has_its_number() -> None:
    own = {"psalm": "PSALM", "hyperseg": "HyperSeg", "mvp-lm": "MVP-LM", "hrseg": "HRSeg"}
    # MeViS and YouTube-VOS share forms with the others and are in none of the five papers' tables.
    for one in (one for one in BENCHMARKS.values() if not one.name.startswith(OTHERS)):
        models = [there.model for there in published(one.name)]
        assert any(model.startswith((*own.values(), "SELF1E")) for model in models), one.name


def test_a_protocol_is_the_system_s_own_with_changes() -> None:
    refcoco = BENCHMARKS["refcoco-val"]
    assert refcoco.protocol("self1e", {}) == {"unit": "sentence", "polygons": "sum"}
    changes = {"unit": "sentence", "names": "clean"}  # the second is for other benchmarks
    assert refcoco.protocol("psalm", changes) == {"unit": "sentence", "polygons": "fill"}
    with pytest.raises(UsageError, match="no unit 'word': choose among sentence, ref"):
        refcoco.protocol("psalm", {"unit": "word"})
    assert switches_of([refcoco, BENCHMARKS["coco-panoptic"]]).keys() == {
        "unit",
        "polygons",
        "names",
    }


def test_unknown_or_missing_names_are_in_the_message(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no benchmark 'refcoco': see"):
        find_benchmarks(["refcoco-val", "refcoco"])
    (tmp_path / "coco").mkdir()
    with pytest.raises(NoInputError, match=r"coco/annotations/panoptic_val2017.json is missing"):
        BENCHMARKS["coco-panoptic"].find(tmp_path, {"names": "plain"})
