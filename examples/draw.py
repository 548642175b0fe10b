"""Draws the pictures of this folder, each with its truth beside it: python examples/draw.py

The seeds are held out: no model was ever trained on them.
"""

import json
from pathlib import Path

from PIL import Image

from vlseg_cli.worlds import coco
from vlseg_cli.worlds.draw import draw_scene

SCENES = {
    "kitchen": 960000,
    "room": 960100,
    "street": 960203,
    "beach": 960305,
    "harbour": 960402,
}
SHAPE = (480, 640)  # height, width in px


def main() -> None:
    """Write NAME.png and NAME.json (COCO instances) for every scene."""
    folder = Path(__file__).parent
    for name, seed in SCENES.items():
        scene = draw_scene(seed, place=name, shape=SHAPE)
        Image.fromarray(scene.pixels).save(folder / f"{name}.png")
        truth = {
            "info": {"description": f"A drawn {name}, seed {seed}"},
            "images": [coco.image_record(scene, f"{name}.png")],
            "annotations": coco.instance_records(scene),
            "categories": coco.category_records(),
        }
        (folder / f"{name}.json").write_text(json.dumps(truth, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
