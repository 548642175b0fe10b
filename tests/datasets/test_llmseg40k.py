"""LLM-Seg40K: questions by picture, pictures by source."""

import json
from pathlib import Path

import pytest

from vlseg_cli.datasets.reasonseg import LLMSeg40KDataset
from vlseg_cli.datasets.toy.reasonseg import write_llmseg40k
from vlseg_cli.schema import InputError, NoInputError, Question, Task

SEEDS = range(910000, 910003)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_llmseg40k(tmp_path / "set", "validation", SEEDS, 96)
    return tmp_path / "set"


def test_questions_of_both_sources(root: Path) -> None:
    dataset = LLMSeg40KDataset(root, "validation")
    samples = [dataset[n] for n in range(len(dataset))]
    assert {query.kind for one in samples for query in one.queries} == {"coco", "ego_objects"}
    for query in (query for one in samples for query in one.queries):
        assert query.task is Task.REASON and isinstance(query.prompt, Question)
        assert query.masks.shape[0] == 1 and query.masks.any()


def test_pictures_may_lie_beside_the_set(root: Path) -> None:
    sources = [LLMSeg40KDataset(root, "validation")[0].frame.source]
    (root / "coco").rename(root.parent / "coco")
    dataset = LLMSeg40KDataset(root, "validation")
    assert Path(dataset[0].frame.source) == root.parent / Path(sources[0]).relative_to(root)


def test_what_is_broken_is_named(root: Path) -> None:
    table = root / "validation.json"
    data = json.loads(table.read_text())
    next(iter(data.values()))["qa_pairs"][0]["rle_seg"]["size"] = [1, 1]
    table.write_text(json.dumps(data))
    with pytest.raises(InputError, match="a mask is 1 x 1 px, but its image is 72 x 96"):
        LLMSeg40KDataset(root, "validation")[0]
    table.write_text("{}")
    with pytest.raises(NoInputError, match="is empty"):
        LLMSeg40KDataset(root, "validation")
    with pytest.raises(NoInputError, match=r"train.json is missing"):
        LLMSeg40KDataset(root, "train")
