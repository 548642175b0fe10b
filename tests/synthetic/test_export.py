"""Exported files, read by standard tools, equal the scenes' ground truth."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO

from vlseg_cli.schema import OutputError, decode_rle
from vlseg_cli.synthetic.categories import BY_NAME
from vlseg_cli.synthetic.clip import draw_clip
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.export import export_scenes
from vlseg_cli.synthetic.hands import NAMES

SEEDS = range(40, 44)
SIZE = 96


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four scenes and their clips."""
    out = tmp_path_factory.mktemp("world")
    export_scenes(out, SEEDS, SIZE, video=True)
    return out


def test_coco_reads_the_instances(exported: Path) -> None:
    coco = COCO(str(exported / "instances.json"))
    assert coco.getImgIds() == list(SEEDS)
    for seed in SEEDS:
        scene = draw_scene(seed, SIZE)
        things = [item for item in scene.items if item.is_thing]
        annotations = coco.loadAnns(coco.getAnnIds(seed))
        assert len(annotations) == len(things)
        for annotation, item in zip(annotations, things, strict=True):
            assert (coco.annToMask(annotation) == scene.mask(item.id)).all()
            assert coco.cats[annotation["category_id"]]["name"] == item.category
            assert annotation["area"] == item.area
            x, y, width, height = annotation["bbox"]
            assert (x, y, x + width, y + height) == item.box


def test_images_equal_the_scenes(exported: Path) -> None:
    for record in _read(exported / "instances.json")["images"]:
        pixels = np.asarray(Image.open(exported / "images" / record["file_name"]))
        assert (pixels == draw_scene(record["id"], SIZE).pixels).all()


def test_panoptic_segments_cover_the_image(exported: Path) -> None:
    content = _read(exported / "panoptic.json")
    things = {record["id"]: record["isthing"] for record in content["categories"]}
    assert things == {i + 1: BY_NAME[name].is_thing for i, name in enumerate(NAMES)}
    for annotation in content["annotations"]:
        rgb = np.asarray(Image.open(exported / "panoptic" / annotation["file_name"])).astype(int)
        ids = rgb[..., 0] + 256 * rgb[..., 1] + 65536 * rgb[..., 2]
        scene = draw_scene(annotation["image_id"], SIZE)
        assert ((ids == 0) == (scene.ids == 0)).all()
        segments = {segment["id"]: segment for segment in annotation["segments_info"]}
        assert set(np.unique(ids)) - {0} == set(segments)
        for number, segment in segments.items():
            assert segment["area"] == (ids == number).sum()
        stuff = [s["category_id"] for s in segments.values() if not things[s["category_id"]]]
        assert len(stuff) == len(set(stuff))


@pytest.mark.parametrize("name", ["refer", "reason"])
def test_sentences_refer_to_their_instances(exported: Path, name: str) -> None:
    instances = COCO(str(exported / "instances.json"))
    rows = _read(exported / f"{name}.json")["annotations"]
    assert {row["image_id"] for row in rows} == set(SEEDS)
    for row in rows:
        mask = decode_rle(row["segmentation"])
        parts = [instances.annToMask(one) for one in instances.loadAnns(row["ann_ids"])]
        union = np.any(parts, axis=0) if parts else np.zeros_like(mask)
        assert row["sentence"]
        assert not (union & ~mask).any()
        if len(row["ann_ids"]) == len(row["segment_ids"]):  # things alone
            assert (union == mask).all()
    kinds = {row["kind"] for row in rows}
    assert kinds == {"seen", "heldout"} if name == "reason" else len(kinds) > 3


def test_clips_are_davis_folders(exported: Path) -> None:
    for seed in SEEDS:
        frames = draw_clip(seed, size=SIZE)
        folder = exported / "Annotations" / f"{seed:06d}"
        assert sorted(path.stem for path in folder.iterdir()) == [
            f"{number:05d}" for number in range(len(frames))
        ]
        number_of: dict[int, int] = {}
        for index, frame in enumerate(frames):
            picture = Image.open(folder / f"{index:05d}.png")
            assert picture.mode == "P"
            numbers = np.asarray(picture)
            for item in frame.items:
                (number,) = np.unique(numbers[frame.ids == item.id])
                assert number_of.setdefault(item.id, number) == number
                assert item.is_thing == (number > 0)
            shown = Image.open(exported / "JPEGImages" / f"{seed:06d}" / f"{index:05d}.jpg")
            assert abs(np.asarray(shown).astype(int) - frame.pixels).mean() < 6


def test_the_same_seeds_give_the_same_bytes_and_nothing_half_written(
    exported: Path, tmp_path: Path
) -> None:
    export_scenes(tmp_path, SEEDS, SIZE)
    for path in tmp_path.rglob("*.*"):
        assert path.read_bytes() == (exported / path.relative_to(tmp_path)).read_bytes()
    assert not [path for path in exported.rglob("*") if path.name.startswith(".")]


def test_an_unwritable_path_is_named(tmp_path: Path) -> None:
    (tmp_path / "images").write_text("in the way")
    with pytest.raises(OutputError, match="images"):
        export_scenes(tmp_path, range(1), SIZE)


def _read(path: Path) -> dict[str, list[dict[str, object]]]:
    content: dict[str, list[dict[str, object]]] = json.loads(path.read_text())
    return content
