"""Toy ReasonSeg and LLM-Seg40K: questions of the knowledge table with masks of their targets."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.toy.scenes import outline, toy_scene, write_jpeg, write_json
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import encode_rle
from vlseg_cli.synthetic.reasoning import reasoning_question

_STREAM = 4  # of a seed's random numbers


def write_reasonseg(root: Path, split: str, seeds: range, size: int = 192) -> int:
    """Write ``ReasonSeg/SPLIT/SEED.jpg`` and ``.json`` below root; returns the number of images.

    size: longest side, px. Scenes without a question are left out; void pixels become ignored
    shapes. Raises OutputError if a file cannot be written.
    """
    folder, written = OutputFolder(root), 0
    for seed in seeds:
        scene = toy_scene(seed, size)
        question = reasoning_question(scene, np.random.default_rng((seed, _STREAM)))
        if question is None:
            continue
        name = f"{seed:06d}"
        record = {
            "text": [question.text],
            "is_sentence": written % 2 == 0,  # both kinds occur
            "shapes": [
                *_shapes("target", scene.mask(*question.targets), name),
                *_shapes("ignore", scene.ids == 0, name),
            ],
        }
        write_jpeg(folder, scene, "ReasonSeg", split, f"{name}.jpg")
        write_json(folder, record, "ReasonSeg", split, f"{name}.json")
        written += 1
    return written


def _shapes(label: str, mask: NDArray[np.bool_], name: str) -> list[dict[str, Any]]:
    return [
        {
            "label": label,
            "labels": [label],
            "shape_type": "polygon",
            "image_name": f"{name}.jpg",
            "points": [[float(x), float(y)] for x, y in polygon],
            "group_id": None,
            "group_ids": [None],
            "flags": {},
        }
        for polygon in outline(mask)
    ]


_LLMSEG40K_STREAM = 9  # of a seed's random numbers


def write_llmseg40k(root: Path, split: str, seeds: range, size: int = 192) -> None:
    """Write one split's file and images below root; scenes without a question are left out.

    size: longest side, px. Raises OutputError if a file cannot be written.
    """
    folder, table = OutputFolder(root), {}
    for seed in seeds:
        scene = toy_scene(seed, size)
        rng = np.random.default_rng((seed, _LLMSEG40K_STREAM))
        questions = [
            reasoning_question(scene, rng, "seen"),
            reasoning_question(scene, rng, "heldout"),
        ]
        pairs = [
            {
                "question": one.text,
                "answer": "[SEG].",
                "rle_seg": encode_rle(scene.mask(*one.targets)),
            }
            for one in questions
            if one is not None
        ]
        if pairs:
            is_coco = seed % 2 == 0
            source = ("coco", "train2017") if is_coco else ("ego_objects", "images")
            name = f"{seed:012d}.jpg"
            write_jpeg(folder, scene, *source, name)
            table[name] = {"from_dataset": source[0], "qa_pairs": pairs}
    write_json(folder, table, f"{split}.json")
