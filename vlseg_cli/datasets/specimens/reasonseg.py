"""ReasonSeg's folders from drawn scenes: questions of the knowledge table, answers outlined."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.datasets.specimens.outline import outline
from vlseg_cli.datasets.specimens.pictures import write_jpeg, write_json
from vlseg_cli.datasets.specimens.scenes import specimen_scene
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.worlds.reasoning import reason

_STREAM = 4  # of a seed's random numbers


def write_reasonseg(root: Path, split: str, seeds: range, size: int = 192) -> int:
    """Write ``ReasonSeg/SPLIT/SEED.jpg`` and ``.json`` below root; returns how many pictures.

    size: longest side, px. Scenes that answer no question are left out. Void pixels are shapes to
    be ignored, as ReasonSeg has some. Raises OutputError if a file cannot be written.
    """
    folder, written = OutputFolder(root), 0
    for seed in seeds:
        scene = specimen_scene(seed, size)
        question = reason(scene, np.random.default_rng((seed, _STREAM)))
        if question is None:
            continue
        name = f"{seed:06d}"
        record = {
            "text": [question.text],
            "is_sentence": written % 2 == 0,  # all are, but both kinds are to be tried
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
