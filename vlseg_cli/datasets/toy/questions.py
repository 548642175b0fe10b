"""Toy sets of questions about images: VQA's formats, GQA, POPE, ScienceQA, MMBench and MME.

The questions have known answers: presence, number and color of objects.
"""

import base64
import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image

from vlseg_cli.datasets.toy.scenes import write_jpeg, write_json
from vlseg_cli.datasets.vqa import VQAName
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.synthetic.categories import CATEGORIES, COLORS
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.scene import Scene, by_category

_MOST_CHOICES = 4


class KnownAnswer(NamedTuple):
    """A question and its one true answer, in lower case; kind: 'yes/no', 'number' or 'other'."""

    question: str
    answer: str
    kind: str


def yes_or_no(scene: Scene) -> list[KnownAnswer]:
    """One thing that is there and one that is not."""
    present = {item.category for item in scene.items if item.is_thing}
    things = [category.name for category in CATEGORIES if category.is_thing]
    turned = [*things[scene.seed % len(things) :], *things[: scene.seed % len(things)]]
    there = next((name for name in turned if name in present), None)
    absent = next(name for name in turned if name not in present)
    asked = [(there, "yes")] if there else []
    return [
        KnownAnswer(f"Is there a {name} in the image?", answer, "yes/no")
        for name, answer in [*asked, (absent, "no")]
    ]


def open_questions(scene: Scene) -> Iterator[KnownAnswer]:
    """How many things of each category there are, and the color of what is there once."""
    for category, items in by_category(scene).items():
        if not items[0].is_thing:
            continue
        yield KnownAnswer(
            f"How many things of the kind '{category}' are there?", f"{len(items)}", "number"
        )
        if len(items) == 1 and items[0].color:
            yield KnownAnswer(f"What is the colour of the {category}?", items[0].color, "other")


def choices_with(told: KnownAnswer) -> list[str]:
    """Up to four different choices, the right one among them, in an order that tells nothing."""
    if told.kind == "number":
        number = int(told.answer)
        return sorted({told.answer, *(str(number + step) for step in (1, 2, 3))})
    others = [color for color in COLORS if color != told.answer]
    return sorted([told.answer, *others[: _MOST_CHOICES - 1]])


_PEOPLE = 10
_QUESTIONS = 3  # about each picture
_UNSURE = "unanswerable"

Record = dict[str, Any]


def write_vqa(root: Path, name: VQAName, split: str, seeds: range, size: int = 192) -> int:
    """Write VQA's own questions and annotations of 'train' or 'val' below root; how many there are.

    'testdev' has questions alone. size: longest side of a picture, px. Raises OutputError if a
    file cannot be written.
    """
    folder, version = OutputFolder(root), "v2_" if name == "vqav2" else ""
    coco, task = ("test2015", "test-dev2015") if split == "testdev" else (f"{split}2014",) * 2
    questions: list[Record] = []
    annotations: list[Record] = []
    for seed in seeds:
        scene = draw_scene(seed, size)
        write_jpeg(folder, scene, coco, f"COCO_{coco}_{seed:012d}.jpg")
        for told in _told(scene):
            number = seed * 1000 + len(questions)
            questions.append({"image_id": seed, "question": told.question, "question_id": number})
            annotations.append(_annotation(told, seed, number))
    write_json(folder, {"questions": questions}, f"{version}OpenEnded_mscoco_{task}_questions.json")
    if split != "testdev":
        write_json(folder, {"annotations": annotations}, f"{version}mscoco_{coco}_annotations.json")
    return len(questions)


def write_prepared_vqa(root: Path, name: VQAName, split: str, seeds: range, size: int = 192) -> int:
    """Write a set as a JSON object a line, with annotations but for 'test'; how many there are."""
    folder = OutputFolder(root)
    pictures = "train_images" if name == "textvqa" else split
    lines: list[Record] = []
    annotations: list[Record] = []
    for seed in seeds:
        scene = draw_scene(seed, size)
        picture = f"{name}_{split}_{seed:08d}.jpg"
        write_jpeg(folder, scene, pictures, picture)
        for told in _told(scene, name == "vizwiz"):
            number = picture if name == "vizwiz" else seed * 1000 + len(lines)
            path = f"data/{name}/{pictures}/{picture}"
            lines.append({"image": path, "question": told.question, "question_id": number})
            annotations.append(_annotation(told, seed, number))
    folder.write(_as_lines(lines), f"{name}_{split}.jsonl")
    if split != "test":
        write_json(folder, {"annotations": annotations}, f"{name}_{split}_annotations.json")
    return len(lines)


def write_gqa(root: Path, seeds: range, split: str = "testdev_balanced", size: int = 192) -> int:
    """Write GQA's questions and pictures below root; returns the number of questions."""
    folder = OutputFolder(root)
    questions: dict[str, Record] = {}
    for seed in seeds:
        scene = draw_scene(seed, size)
        write_jpeg(folder, scene, "images", f"n{seed}.jpg")
        for told in _told(scene):
            questions[f"{seed}{len(questions):04d}"] = {
                "imageId": f"n{seed}",
                "question": told.question,
                "answer": told.answer,
                "fullAnswer": f"It is {told.answer}.",
                "isBalanced": True,
            }
    write_json(folder, questions, f"{split}_questions.json")
    return len(questions)


def write_pope(root: Path, seeds: range, size: int = 192) -> int:
    """Write POPE's three files below root, the same questions in each; how many in each."""
    folder = OutputFolder(root)
    lines: list[Record] = []
    for seed in seeds:
        scene = draw_scene(seed, size)
        picture = f"COCO_val2014_{seed:012d}.jpg"
        write_jpeg(folder, scene, "val2014", picture)
        for told in yes_or_no(scene):
            number = len(lines) + 1
            line = {"question_id": number, "image": picture, "text": told.question}
            lines.append({**line, "label": told.answer})
    for category in ("random", "popular", "adversarial"):
        folder.write(_as_lines(lines), "coco", f"coco_pope_{category}.json")
    return len(lines)


def _told(scene: Scene, single: bool = False) -> list[KnownAnswer]:
    """The first questions of a scene; single: VizWiz has one for each picture."""
    told = [*open_questions(scene), *yes_or_no(scene)]
    return told[: 1 if single else _QUESTIONS]


def _annotation(told: KnownAnswer, picture: int, number: int | str) -> Record:
    """Nine people agree; the last is unsure."""
    given = [told.answer] * (_PEOPLE - 1) + [_UNSURE]
    return {
        "question_id": number,
        "image_id": picture,
        "answer_type": told.kind,
        "multiple_choice_answer": told.answer,
        "answers": [
            {"answer": answer, "answer_confidence": "yes", "answer_id": person}
            for person, answer in enumerate(given, start=1)
        ],
    }


def _as_lines(records: list[Record]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


_LETTERS = "ABCD"
_COLUMNS = ("index", "question", "hint", *_LETTERS, "answer", "category", "image", "split")
_ROTATION = 1_000_000
# Tasks with their pictures and texts in two folders, and with both in one.
_MME_TASKS = (("existence", False), ("count", False), ("scene", True), ("OCR", False))


def write_scienceqa(root: Path, seeds: range, split: str = "test", size: int = 192) -> int:
    """Write ScienceQA's tables and pictures below root; returns the questions with a picture.

    Every second problem has no picture. size: longest side, px. Raises OutputError if a file
    cannot be written.
    """
    folder, pictured = OutputFolder(root), 0
    problems: dict[str, Any] = {}
    for seed in seeds:
        scene = draw_scene(seed, size)
        for told in list(open_questions(scene))[:2]:
            number, choices = str(len(problems) + 1), choices_with(told)
            has_picture = len(problems) % 2 == 0
            problems[number] = {
                "question": told.question,
                "choices": choices,
                "answer": choices.index(told.answer),
                "hint": "Look at the picture." if has_picture else "",
                "image": "image.png" if has_picture else None,
                "subject": "natural science",
                "split": split,
            }
            if has_picture:
                pictured += 1
                folder.write(_encoded(scene, "PNG"), "images", split, number, "image.png")
    write_json(folder, problems, "problems.json")
    write_json(folder, {split: list(problems)}, "pid_splits.json")
    return pictured


def write_mmbench(
    root: Path, seeds: range, name: str = "mmbench_dev_en_20231003", size: int = 192
) -> int:
    """Write the table ``NAME.tsv`` below root; returns its questions, each in all rotations.

    A dev table has answers, a test table none.
    """
    rows: list[dict[str, Any]] = []
    for seed in seeds:
        scene = draw_scene(seed, size)
        picture = base64.b64encode(_encoded(scene, "JPEG")).decode()
        for told in list(open_questions(scene))[:1]:
            choices = choices_with(told)
            for turn in range(len(choices)):
                turned = choices[turn:] + choices[:turn]
                rows.append(
                    {
                        "index": seed % _ROTATION + turn * _ROTATION,
                        "question": told.question,
                        "hint": "",
                        **dict(zip(_LETTERS, turned, strict=False)),
                        "answer": _LETTERS[turned.index(told.answer)] if "dev" in name else "",
                        "category": told.kind,
                        "image": picture,
                        "split": name.split("_")[1],
                    }
                )
    table = io.StringIO()
    writer = csv.DictWriter(table, _COLUMNS, delimiter="\t", lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: int(row["index"])))
    OutputFolder(root).write(table.getvalue().encode(), f"{name}.tsv")
    return len({row["index"] % _ROTATION for row in rows})


def write_mme(root: Path, seeds: range, size: int = 192) -> int:
    """Write some of MME's tasks below root, two questions a picture; returns the pictures."""
    folder, pictures = OutputFolder(root), 0
    for seed in seeds:
        scene = draw_scene(seed, size)
        told = yes_or_no(scene)
        if len(told) < 2:
            continue
        text = "".join(
            f"{one.question} Please answer yes or no.\t{one.answer.title()}\n" for one in told
        )
        for task, apart in _MME_TASKS:
            parts = ("MME_Benchmark_release_version", task)
            images, texts = ("images",), ("questions_answers_YN",)
            write_jpeg(folder, scene, *parts, *(images if apart else ()), f"{seed}.jpg")
            folder.write(text.encode(), *parts, *(texts if apart else ()), f"{seed}.txt")
            pictures += 1
    return pictures


def _encoded(scene: Scene, kind: str) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(scene.pixels).save(buffer, kind)
    return buffer.getvalue()
