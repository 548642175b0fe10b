"""VQAv2, OKVQA, TextVQA and VizWiz: open questions, each with ten human answers.

VQAv2 (Goyal et al. 2017), OKVQA (Marino et al. 2019), TextVQA (Singh et al. 2019), VizWiz (Gurari
et al. 2018). Questions are VQA's ``…_questions.json`` or, as Qwen-VL and InternVL prepare all four
sets, a JSON object per line; answers are in VQA's ``…_annotations.json``, which test splits lack.
"""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vlseg_cli.datasets.base import existing_folder, parsed
from vlseg_cli.datasets.questions import (
    Joint,
    QuestionDataset,
    QuestionRecord,
    read_lines,
    short_question,
)
from vlseg_cli.schema import InputError

VQAName = Literal["vqav2", "okvqa", "textvqa", "vizwiz"]


@dataclass(frozen=True, slots=True)
class _Split:
    """Files: questions by line, VQA's questions, answers; and COCO's image folder."""

    lines: str
    questions: str = ""
    annotations: str = ""
    coco: str = ""


_SPLITS: dict[VQAName, dict[str, _Split]] = {
    "vqav2": {
        "train": _Split(
            "vqav2_train.jsonl",
            "v2_OpenEnded_mscoco_train2014_questions.json",
            "v2_mscoco_train2014_annotations.json",
            "train2014",
        ),
        "val": _Split(
            "vqav2_val.jsonl",
            "v2_OpenEnded_mscoco_val2014_questions.json",
            "v2_mscoco_val2014_annotations.json",
            "val2014",
        ),
        "testdev": _Split(
            "vqav2_testdev.jsonl",
            "v2_OpenEnded_mscoco_test-dev2015_questions.json",
            coco="test2015",
        ),
    },
    "okvqa": {
        "train": _Split(
            "okvqa_train.jsonl",
            "OpenEnded_mscoco_train2014_questions.json",
            "mscoco_train2014_annotations.json",
            "train2014",
        ),
        "val": _Split(
            "okvqa_val.jsonl",
            "OpenEnded_mscoco_val2014_questions.json",
            "mscoco_val2014_annotations.json",
            "val2014",
        ),
    },
    "textvqa": {
        "train": _Split("textvqa_train.jsonl", annotations="textvqa_train_annotations.json"),
        "val": _Split("textvqa_val.jsonl", annotations="textvqa_val_annotations.json"),
    },
    "vizwiz": {
        "train": _Split("vizwiz_train.jsonl", annotations="vizwiz_train_annotations.json"),
        "val": _Split("vizwiz_val.jsonl", annotations="vizwiz_val_annotations.json"),
        "test": _Split("vizwiz_test.jsonl"),
    },
}


class VQADataset(QuestionDataset):
    """One split of one set; a query has ten answers, none in test splits.

    joint: see ``questions``. Raises NoInputError if a file is missing, InputError if one is damaged
    or lacks the answers of a question.
    """

    def __init__(self, root: Path, name: VQAName, split: str, *, joint: Joint = "line") -> None:
        files = _SPLITS[name][split]
        answers = _answers(root / files.annotations) if files.annotations else None
        path = root / files.lines
        if files.questions and not path.is_file():
            path = root / files.questions
            rows = _vqa_rows(root, path, files.coco)
        else:
            rows = _prepared_rows(root, path)
        super().__init__(
            path,
            (
                (
                    image,
                    QuestionRecord(
                        short_question(question, joint, unanswerable=name == "vizwiz"),
                        key,
                        _human_answers(path, answers, key),
                    ),
                )
                for image, question, key in rows
            ),
        )


_Row = tuple[Path, str, str]  # image, question, question id


def _vqa_rows(root: Path, path: Path, coco: str) -> Iterator[_Row]:
    """Rows of VQA's file; image files have COCO's names."""
    folder = existing_folder(root / coco, root / "../coco" / coco, root / ".." / coco)
    try:
        for record in parsed(path, json.loads)["questions"]:
            image = folder / f"COCO_{coco}_{record['image_id']:012d}.jpg"
            yield image, record["question"], str(record["question_id"])
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} lacks {error}: it is not a VQA question file.") from error


def _prepared_rows(root: Path, path: Path) -> Iterator[_Row]:
    """Rows of a file by line; image paths start above the set: ``data/okvqa/val2014/….jpg``."""
    for record in read_lines(path, "image", "question", "question_id"):
        image = root.joinpath(*Path(record["image"]).parts[-2:])
        yield image, record["question"], str(record["question_id"])


def _human_answers(
    path: Path, answers: dict[str, tuple[str, ...]] | None, key: str
) -> tuple[str, ...]:
    if answers is None:
        return ()
    if key not in answers:
        raise InputError(f"{path} has question {key}, but the annotations do not answer it.")
    return answers[key]


def _answers(path: Path) -> dict[str, tuple[str, ...]]:
    """Answers by question id."""
    data = parsed(path, _load)
    try:
        return {str(one["question_id"]): tuple(one["answers"]) for one in data["annotations"]}
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} lacks {error}: it is not a VQA annotation file.") from error


def _load(data: bytes) -> Any:
    """Parse and keep each answer's text alone, interned: millions of answers repeat few words."""
    return json.loads(data, object_hook=_answer)


def _answer(record: dict[str, Any]) -> Any:
    return sys.intern(record["answer"]) if "answer" in record else record
