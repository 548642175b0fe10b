"""Draws the images and the clip of this folder: python examples/draw.py

Next to each image is its ground truth. The seeds are held out: no model was trained on them.
"""

import json
from pathlib import Path

import av
from PIL import Image

from vlseg_cli.synthetic import coco
from vlseg_cli.synthetic.clip import moving_scene
from vlseg_cli.synthetic.draw import draw_scene

SCENES = {
    "kitchen": 960000,
    "room": 960100,
    "street": 960203,
    "beach": 960305,
    "harbour": 960402,
}
SHAPE = (480, 640)  # height, width in px
CLIP = "garden", 900027, 24  # name, seed, frames


def main() -> None:
    """Write NAME.png and NAME.json (COCO instances) for every scene."""
    folder = Path(__file__).parent
    for name, seed in SCENES.items():
        scene = draw_scene(seed, scene_type=name, shape=SHAPE)
        Image.fromarray(scene.pixels).save(folder / f"{name}.png")
        annotations = {
            "info": {"description": f"A drawn {name}, seed {seed}"},
            "images": [coco.image_record(scene, f"{name}.png")],
            "annotations": coco.instance_records(scene),
            "categories": coco.scene_categories(),
        }
        (folder / f"{name}.json").write_text(json.dumps(annotations, indent=1) + "\n", "utf-8")
    write_clip(folder)


def write_clip(folder: Path) -> None:
    """Write the clip as an MP4 of 12 frames/s."""
    name, seed, frames = CLIP
    moving = moving_scene(seed, frames, size=320)
    with av.open(str(folder / f"{name}.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=12, options={"crf": "20", "threads": "1"})
        stream.height, stream.width = moving.shape
        stream.pix_fmt = "yuv420p"
        for index in range(frames):
            pixels = moving.at(index).pixels
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))


if __name__ == "__main__":
    main()
