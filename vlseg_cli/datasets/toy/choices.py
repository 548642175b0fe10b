"""Sets of choices from drawn scenes: ScienceQA, MMBench in rotations, and MME's pairs."""

import base64
import csv
import io
from pathlib import Path
from typing import Any

from PIL import Image

from vlseg_cli.datasets.toy.scenes import write_jpeg, write_json
from vlseg_cli.datasets.toy.vqa import choices_with, open_questions, yes_or_no
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.scene import Scene

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
