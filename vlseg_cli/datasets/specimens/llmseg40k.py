"""LLM-Seg40K's files from drawn scenes: questions in trained and in other wordings."""

from pathlib import Path

import numpy as np

from vlseg_cli.datasets.specimens.pictures import write_jpeg, write_json
from vlseg_cli.datasets.specimens.scenes import specimen_scene
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import encode_rle
from vlseg_cli.worlds.reasoning import reason

_STREAM = 9  # of a seed's random numbers


def write_llmseg40k(root: Path, split: str, seeds: range, size: int = 192) -> None:
    """Write one split's file and pictures below root; scenes without a question are left out.

    size: longest side, px. Raises OutputError if a file cannot be written.
    """
    folder, table = OutputFolder(root), {}
    for seed in seeds:
        scene = specimen_scene(seed, size)
        rng = np.random.default_rng((seed, _STREAM))
        asked = [reason(scene, rng, heldout) for heldout in (False, True)]
        pairs = [
            {
                "question": one.text,
                "answer": "[SEG].",
                "rle_seg": encode_rle(scene.mask(*one.targets)),
            }
            for one in asked
            if one is not None
        ]
        if pairs:
            is_coco = seed % 2 == 0
            place = ("coco", "train2017") if is_coco else ("ego_objects", "images")
            name = f"{seed:012d}.jpg"
            write_jpeg(folder, scene, *place, name)
            table[name] = {"from_dataset": place[0], "qa_pairs": pairs}
    write_json(folder, table, f"{split}.json")
