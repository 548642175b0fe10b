"""The keeper of telling cases: the right ones stay, one per picture, and what a case is about."""

import numpy as np

from vlseg_cli.evaluation.cases import Case, CaseKeeper
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    Prediction,
    Prompt,
    Query,
    Regions,
    Task,
    segment_from_mask,
)
from vlseg_cli.schema.region import point_region

PIXELS = np.zeros((8, 8, 3), np.uint8)


def case(source: str, score: float, prompt: Prompt, position: int = 0) -> Case:
    masks = np.zeros((2, 8, 8), bool)
    masks[0, :4], masks[1, 4:] = True, True
    segments = tuple(segment_from_mask(mask, 0.5, "it") for mask in masks)
    task = Task.REFER if isinstance(prompt, Expression) else Task.INTERACTIVE
    query = Query(task, prompt, masks, np.arange(2), kind="point")
    prediction = Prediction(source, 0, 8, 8, task, prompt, segments)
    return Case(Frame(PIXELS, source), query, prediction, "IoU", score, position)


def test_keeps_the_extremes_one_per_picture() -> None:
    keeper = CaseKeeper(keep=2)
    prompt = Expression("the cup")
    scores = {"a": 0.1, "b": 0.9, "c": 0.5, "d": 0.8, "e": 0.2}
    keeper.add(case(name, score, prompt) for name, score in scores.items())
    keeper.add([case("b", 0.95, prompt), case("a", 0.15, prompt)])
    assert [(one.frame.source, one.score) for one in keeper.best(Task.REFER)] == [
        ("b", 0.95),
        ("d", 0.8),
    ]
    assert [(one.frame.source, one.score) for one in keeper.worst(Task.REFER)] == [
        ("a", 0.1),
        ("e", 0.2),
    ]
    assert keeper.best(Task.PANOPTIC) == []


def test_a_case_speaks_of_its_own_region() -> None:
    regions = Regions((point_region([(2, 2)], 8, 8), point_region([(2, 6)], 8, 8)))
    second = case("a", 1.0, regions, position=1)
    assert second.words == "this point"
    assert second.region is regions.regions[1]
    assert second.truth.shape == (1, 8, 8) and second.truth[0, 7, 0]
    assert [one.bbox[1] for one in second.segments] == [4]


def test_a_prompt_of_names_is_one_case() -> None:
    whole = case("a", 1.0, Categories(("cup", "bowl")))
    assert whole.words == "all 2 names"
    assert len(whole.truth) == len(whole.segments) == 2
    assert whole.region is None
    assert case("a", 1.0, Expression("the cup")).words == "the cup"
