"""VQAv2, OKVQA, TextVQA, VizWiz, GQA and POPE in their published files; damaged files are named."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from vlseg_cli.datasets.questions import POPE_CATEGORIES, GQADataset, POPEDataset, QuestionDataset
from vlseg_cli.datasets.toy.questions import (
    open_questions,
    write_gqa,
    write_pope,
    write_prepared_vqa,
    write_vqa,
    yes_or_no,
)
from vlseg_cli.datasets.vqa import VQADataset
from vlseg_cli.schema import InputError, NoInputError, Query, Question, Task
from vlseg_cli.synthetic.draw import draw_scene

SEEDS, SIZE = range(910000, 910002), 64
DEMAND = "\nAnswer the question using a single word or phrase."


def queries(dataset: QuestionDataset) -> list[Query]:
    return [query for number in range(len(dataset)) for query in dataset[number].queries]


def text_of(query: Query) -> str:
    assert isinstance(query.prompt, Question)
    return query.prompt.text


def known_answers(count: int) -> dict[str, str]:
    """Questions with their true answers, as the toy set choose them."""
    found = {}
    for seed in SEEDS:
        scene = draw_scene(seed, SIZE)
        every = [*open_questions(scene), *yes_or_no(scene)][:count]
        found |= {f"{seed} {one.question}": one.answer for one in every}
    return found


@pytest.mark.parametrize("name", ["vqav2", "okvqa"])
def test_every_question_has_ten_answers(tmp_path: Path, name: str) -> None:
    count = write_vqa(tmp_path, name, "val", SEEDS, SIZE)
    dataset = VQADataset(tmp_path, name, "val")
    assert len(dataset) == len(SEEDS) and len(queries(dataset)) == count
    truth = known_answers(3)
    for number, seed in enumerate(SEEDS):
        sample = dataset[number]
        assert sample.frame.source == dataset.source(number)
        for query in sample.queries:
            assert query.task is Task.CHAT and query.key.startswith(str(seed))
            assert query.masks.shape == (0, *sample.frame.pixels.shape[:2])
            text = text_of(query).removesuffix(DEMAND)
            assert query.answers == (truth[f"{seed} {text}"],) * 9 + ("unanswerable",)


def test_test_splits_have_no_answers(tmp_path: Path) -> None:
    write_vqa(tmp_path, "vqav2", "testdev", SEEDS, SIZE)
    assert all(query.answers == () for query in queries(VQADataset(tmp_path, "vqav2", "testdev")))


@pytest.mark.parametrize("name", ["textvqa", "vizwiz"])
def test_prepared_sets_have_paths_from_above(tmp_path: Path, name: str) -> None:
    count = write_prepared_vqa(tmp_path, name, "val", SEEDS, SIZE)
    dataset = VQADataset(tmp_path, name, "val", joint="space")
    assert len(queries(dataset)) == count
    for query in queries(dataset):
        assert ("respond with 'Unanswerable'. " in text_of(query)) == (name == "vizwiz")
        assert query.key.endswith(".jpg") == (name == "vizwiz") and len(query.answers) == 10


def test_gqa_has_one_answer(tmp_path: Path) -> None:
    write_gqa(tmp_path, SEEDS, size=SIZE)
    found = queries(GQADataset(tmp_path))
    assert [query.answers for query in found] == [(answer,) for answer in known_answers(3).values()]
    assert all(text_of(query).endswith(DEMAND) for query in found)
    assert all(
        " Answer the" in text_of(query) for query in queries(GQADataset(tmp_path, joint="space"))
    )


def test_pope_has_three_categories(tmp_path: Path) -> None:
    count = write_pope(tmp_path, SEEDS, SIZE)
    found = queries(POPEDataset(tmp_path))
    assert [query.kind for query in POPEDataset(tmp_path)[0].queries] == [
        category for category in POPE_CATEGORIES for _ in range(2)
    ]
    assert len(found) == 3 * count == len({query.key for query in found})
    assert {query.answers for query in found} == {("yes",), ("no",)}


@pytest.mark.parametrize(
    ("write", "read", "path"),
    [
        (
            lambda root: write_vqa(root, "vqav2", "val", SEEDS[:1], SIZE),
            lambda root: VQADataset(root, "vqav2", "val"),
            "v2_OpenEnded_mscoco_val2014_questions.json",
        ),
        (
            lambda root: write_vqa(root, "okvqa", "val", SEEDS[:1], SIZE),
            lambda root: VQADataset(root, "okvqa", "val"),
            "mscoco_val2014_annotations.json",
        ),
        (
            lambda root: write_prepared_vqa(root, "vizwiz", "val", SEEDS[:1], SIZE),
            lambda root: VQADataset(root, "vizwiz", "val"),
            "vizwiz_val.jsonl",
        ),
        (
            lambda root: write_gqa(root, SEEDS[:1], size=SIZE),
            GQADataset,
            "testdev_balanced_questions.json",
        ),
        (
            lambda root: write_pope(root, SEEDS[:1], SIZE),
            POPEDataset,
            "coco/coco_pope_popular.json",
        ),
    ],
)
def test_files_that_are_damaged_or_missing_are_named(
    tmp_path: Path,
    write: Callable[[Path], int],
    read: Callable[[Path], QuestionDataset],
    path: str,
) -> None:
    write(tmp_path)
    name = Path(path).name.replace(".", r"\.")
    for content in ('{"question', "[1]", '{"a": {}}'):
        (tmp_path / path).write_text(content)
        with pytest.raises(InputError, match=f"{name}.*(damaged|lacks)"):
            read(tmp_path)
    (tmp_path / path).unlink()
    with pytest.raises(NoInputError, match=f"{name} is missing"):
        read(tmp_path)


def test_a_question_without_answers_is_named(tmp_path: Path) -> None:
    write_vqa(tmp_path, "vqav2", "val", SEEDS, SIZE)
    path = tmp_path / "v2_mscoco_val2014_annotations.json"
    path.write_text(json.dumps({"annotations": json.loads(path.read_text())["annotations"][1:]}))
    with pytest.raises(InputError, match="do not answer it"):
        VQADataset(tmp_path, "vqav2", "val")


def test_a_file_without_questions_is_named(tmp_path: Path) -> None:
    write_gqa(tmp_path, SEEDS[:1], size=SIZE)
    (tmp_path / "testdev_balanced_questions.json").write_text("{}")
    with pytest.raises(NoInputError, match="no questions"):
        GQADataset(tmp_path)
