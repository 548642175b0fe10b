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

from vlseg_cli.datasets.toy.scenes import image_bytes, write_jpeg, write_json
from vlseg_cli.datasets.vqa import VQAName
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.synthetic.categories import BY_NAME, COLORS
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.scene import Scene, by_category

_MAX_CHOICES = 4


class KnownAnswer(NamedTuple):
    """A question and its one true answer, in lower case; kind: 'yes/no', 'number' or 'other'."""

    question: str
    answer: str
    kind: str


def yes_or_no(scene: Scene) -> list[KnownAnswer]:
    """About one category that is present and one that is absent."""
    present = {item.category for item in scene.items if item.is_thing}
    things = [name for name in scene.categories if BY_NAME[name].is_thing]
    turned = [*things[scene.seed % len(things) :], *things[: scene.seed % len(things)]]
    there = next((name for name in turned if name in present), None)
    absent = next(name for name in turned if name not in present)
    found = [(there, "yes")] if there else []
    return [
        KnownAnswer(f"Is there a {name} in the image?", answer, "yes/no")
        for name, answer in [*found, (absent, "no")]
    ]


def open_questions(scene: Scene) -> Iterator[KnownAnswer]:
    """The number of things of each category, and the color of single things."""
    for category, items in by_category(scene).items():
        if not items[0].is_thing:
            continue
        yield KnownAnswer(
            f"How many things of the kind '{category}' are there?", f"{len(items)}", "number"
        )
        if len(items) == 1 and items[0].color:
            yield KnownAnswer(f"What is the colour of the {category}?", items[0].color, "other")


def answer_choices(known: KnownAnswer) -> list[str]:
    """Up to four different choices with the correct one, sorted."""
    if known.kind == "number":
        number = int(known.answer)
        return sorted({known.answer, *(str(number + step) for step in (1, 2, 3))})
    others = [color for color in COLORS if color != known.answer]
    return sorted([known.answer, *others[: _MAX_CHOICES - 1]])


_ANSWERS = 10
_QUESTIONS = 3  # about each image
_UNSURE = "unanswerable"

Record = dict[str, Any]


def write_vqa(root: Path, name: VQAName, split: str, seeds: range, size: int = 192) -> int:
    """Write VQA's questions and annotations of 'train' or 'val' below root; returns their number.

    'testdev' has no annotations. size: longest side of an image, px. Raises OutputError if a
    file cannot be written.
    """
    folder, version = OutputFolder(root), "v2_" if name == "vqav2" else ""
    coco, task = ("test2015", "test-dev2015") if split == "testdev" else (f"{split}2014",) * 2
    questions: list[Record] = []
    annotations: list[Record] = []
    for seed in seeds:
        scene = draw_scene(seed, size)
        write_jpeg(folder, scene, coco, f"COCO_{coco}_{seed:012d}.jpg")
        for known in _questions(scene):
            number = seed * 1000 + len(questions)
            questions.append({"image_id": seed, "question": known.question, "question_id": number})
            annotations.append(_annotation(known, seed, number))
    write_json(folder, {"questions": questions}, f"{version}OpenEnded_mscoco_{task}_questions.json")
    if split != "testdev":
        write_json(folder, {"annotations": annotations}, f"{version}mscoco_{coco}_annotations.json")
    return len(questions)


def write_prepared_vqa(root: Path, name: VQAName, split: str, seeds: range, size: int = 192) -> int:
    """Write a set as JSON lines, with annotations except for 'test'; returns their number."""
    folder = OutputFolder(root)
    images = "train_images" if name == "textvqa" else split
    lines: list[Record] = []
    annotations: list[Record] = []
    for seed in seeds:
        scene = draw_scene(seed, size)
        image = f"{name}_{split}_{seed:08d}.jpg"
        write_jpeg(folder, scene, images, image)
        for known in _questions(scene, name == "vizwiz"):
            number = image if name == "vizwiz" else seed * 1000 + len(lines)
            path = f"data/{name}/{images}/{image}"
            lines.append({"image": path, "question": known.question, "question_id": number})
            annotations.append(_annotation(known, seed, number))
    folder.write(_json_lines(lines), f"{name}_{split}.jsonl")
    if split != "test":
        write_json(folder, {"annotations": annotations}, f"{name}_{split}_annotations.json")
    return len(lines)


def write_gqa(root: Path, seeds: range, split: str = "testdev_balanced", size: int = 192) -> int:
    """Write GQA's questions and images below root; returns the number of questions."""
    folder = OutputFolder(root)
    questions: dict[str, Record] = {}
    for seed in seeds:
        scene = draw_scene(seed, size)
        write_jpeg(folder, scene, "images", f"n{seed}.jpg")
        for known in _questions(scene):
            questions[f"{seed}{len(questions):04d}"] = {
                "imageId": f"n{seed}",
                "question": known.question,
                "answer": known.answer,
                "fullAnswer": f"It is {known.answer}.",
                "isBalanced": True,
            }
    write_json(folder, questions, f"{split}_questions.json")
    return len(questions)


def write_pope(root: Path, seeds: range, size: int = 192) -> int:
    """Write POPE's three files below root, with the same questions; returns their number."""
    folder = OutputFolder(root)
    lines: list[Record] = []
    for seed in seeds:
        scene = draw_scene(seed, size)
        image = f"COCO_val2014_{seed:012d}.jpg"
        write_jpeg(folder, scene, "val2014", image)
        for known in yes_or_no(scene):
            number = len(lines) + 1
            line = {"question_id": number, "image": image, "text": known.question}
            lines.append({**line, "label": known.answer})
    for category in ("random", "popular", "adversarial"):
        folder.write(_json_lines(lines), "coco", f"coco_pope_{category}.json")
    return len(lines)


def _questions(scene: Scene, single: bool = False) -> list[KnownAnswer]:
    """The first questions of a scene; single: one per image, as in VizWiz."""
    known = [*open_questions(scene), *yes_or_no(scene)]
    return known[: 1 if single else _QUESTIONS]


def _annotation(known: KnownAnswer, image: int, number: int | str) -> Record:
    """Nine equal answers and one 'unanswerable'."""
    given = [known.answer] * (_ANSWERS - 1) + [_UNSURE]
    return {
        "question_id": number,
        "image_id": image,
        "answer_type": known.kind,
        "multiple_choice_answer": known.answer,
        "answers": [
            {"answer": answer, "answer_confidence": "yes", "answer_id": person}
            for person, answer in enumerate(given, start=1)
        ],
    }


def _json_lines(records: list[Record]) -> bytes:
    return "".join(json.dumps(record) + "\n" for record in records).encode()


_LETTERS = "ABCD"
_COLUMNS = ("index", "question", "hint", *_LETTERS, "answer", "category", "image", "split")
_ROTATION = 1_000_000
# Tasks, and whether images and texts are in separate folders.
_MME_TASKS = (("existence", False), ("count", False), ("scene", True), ("OCR", False))


def write_scienceqa(root: Path, seeds: range, split: str = "test", size: int = 192) -> int:
    """Write ScienceQA's tables and images below root; returns the number with an image.

    Every second problem has no image. size: longest side, px. Raises OutputError if a file
    cannot be written.
    """
    folder, with_image = OutputFolder(root), 0
    problems: dict[str, Any] = {}
    for seed in seeds:
        scene = draw_scene(seed, size)
        for known in list(open_questions(scene))[:2]:
            number, choices = str(len(problems) + 1), answer_choices(known)
            has_image = len(problems) % 2 == 0
            problems[number] = {
                "question": known.question,
                "choices": choices,
                "answer": choices.index(known.answer),
                "hint": "Look at the picture." if has_image else "",
                "image": "image.png" if has_image else None,
                "subject": "natural science",
                "split": split,
            }
            if has_image:
                with_image += 1
                folder.write(image_bytes(scene.pixels), "images", split, number, "image.png")
    write_json(folder, problems, "problems.json")
    write_json(folder, {split: list(problems)}, "pid_splits.json")
    return with_image


def write_mmbench(
    root: Path, seeds: range, name: str = "mmbench_dev_en_20231003", size: int = 192
) -> int:
    """Write ``NAME.tsv`` below root, each question in all rotations; returns their number.

    A dev table has answers, a test table none.
    """
    rows: list[dict[str, Any]] = []
    for seed in seeds:
        scene = draw_scene(seed, size)
        image = base64.b64encode(image_bytes(scene.pixels, "JPEG")).decode()
        for known in list(open_questions(scene))[:1]:
            choices = answer_choices(known)
            for turn in range(len(choices)):
                turned = choices[turn:] + choices[:turn]
                rows.append(
                    {
                        "index": seed % _ROTATION + turn * _ROTATION,
                        "question": known.question,
                        "hint": "",
                        **dict(zip(_LETTERS, turned, strict=False)),
                        "answer": _LETTERS[turned.index(known.answer)] if "dev" in name else "",
                        "category": known.kind,
                        "image": image,
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
    """Write some of MME's tasks below root; returns the number of images, two questions each."""
    folder, written = OutputFolder(root), 0
    for seed in seeds:
        scene = draw_scene(seed, size)
        known = yes_or_no(scene)
        if len(known) < 2:
            continue
        text = "".join(
            f"{one.question} Please answer yes or no.\t{one.answer.title()}\n" for one in known
        )
        for task, apart in _MME_TASKS:
            parts = ("MME_Benchmark_release_version", task)
            images, texts = (("images",), ("questions_answers_YN",)) if apart else ((), ())
            write_jpeg(folder, scene, *parts, *images, f"{seed}.jpg")
            folder.write(text.encode(), *parts, *texts, f"{seed}.txt")
            written += 1
    return written
