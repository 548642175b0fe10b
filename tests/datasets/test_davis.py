"""DAVIS and Ref-DAVIS17 as they lie on disk: truth is the world's ids, and what is broken."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlseg_cli.datasets.davis import RUNS, DAVISDataset, RefDAVISDataset
from vlseg_cli.datasets.toy.clips import ToyClip, toy_clip
from vlseg_cli.datasets.toy.video_expressions import write_ref_davis
from vlseg_cli.schema import Expression, InputError, NoInputError, Regions, Task

SEEDS, FRAMES, SIZE = range(910000, 910002), 4, 64


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("davis")
    assert write_ref_davis(root, "val", SEEDS, FRAMES, SIZE) == len(SEEDS)
    return root


@pytest.fixture
def root(written: Path, tmp_path: Path) -> Path:
    return shutil.copytree(written, tmp_path / "DAVIS")


@pytest.fixture(scope="module")
def clips() -> list[ToyClip]:
    return [toy_clip(seed, FRAMES, SIZE) for seed in SEEDS]


def test_all_objects_of_the_first_frame_are_followed(written: Path, clips: list[ToyClip]) -> None:
    dataset = DAVISDataset(written, "val")
    assert len(dataset) == len(clips)
    for number, clip in enumerate(clips):
        sample = dataset[number]
        (query,) = sample.queries
        assert Path(dataset.source(number)).name == sample.source == clip.name
        assert (query.task, query.first, sample.names) == (Task.VOS, 0, tuple(clip.names))
        assert query.objects == tuple(thing.number for thing in clip.things)
        assert isinstance(query.prompt, Regions)
        for frame, scene in enumerate(clip.scenes):
            masks = query.masks(frame)
            truth = np.stack([scene.ids == thing.id for thing in clip.things])
            assert masks is not None and (masks == truth).all()
            picture = sample.read(frame)
            assert picture.index == frame and picture.pixels.shape[:2] == scene.ids.shape
        given = np.stack([region.mask for region in query.prompt.regions])
        assert (given == query.masks(0)).all() and query.labels.tolist() == [*range(len(given))]


def test_four_expressions_mean_each_object(written: Path, clips: list[ToyClip]) -> None:
    dataset = RefDAVISDataset(written)
    for number, clip in enumerate(clips):
        sample = dataset[number]
        assert len(sample.queries) == 4 * len(clip.things)
        for place, query in enumerate(sample.queries):
            thing = clip.things[place // 4]
            assert (query.key, query.kind) == (str(place), RUNS[place % 4])
            assert query.objects == (thing.number,) and isinstance(query.prompt, Expression)
            masks, ignore = query.masks(2), query.ignore and query.ignore(2)
            assert masks is not None and (masks[0] == (clip.scenes[2].ids == thing.id)).all()
            assert ignore is not None and (ignore == (clip.scenes[2].ids == 0)).all()


def test_it_may_lie_where_psalm_keeps_it(root: Path, tmp_path: Path) -> None:
    place = tmp_path / "data" / "DAVIS" / "2017"
    place.mkdir(parents=True)
    root.rename(place / "trainval")
    assert (
        len(DAVISDataset(tmp_path / "data"))
        == len(RefDAVISDataset(tmp_path / "data"))
        == len(SEEDS)
    )


def test_misspelled_sequences_and_curly_quotes_are_understood(root: Path) -> None:
    sequence = (root / "ImageSets/2017/val.txt").read_text().split()[0]
    for folder in ("JPEGImages", "Annotations_unsupervised"):
        (root / folder / "480p" / sequence).rename(root / folder / "480p" / "dogs-scale")
    (root / "ImageSets/2017/val.txt").write_text("dogs-scale\n")
    for path in (root / "davis_text_annotations").iterdir():
        text = path.read_text().replace(f"{sequence} ", "dog-scale ").replace('1 "', '1 "a dog’s ')
        path.write_bytes(text.encode("cp1252"))
    assert RefDAVISDataset(root)[0].queries[0].prompt.text.startswith("a dog’s ")


def test_what_is_missing_is_named(root: Path) -> None:
    with pytest.raises(NoInputError, match=r"train\.txt is missing"):
        DAVISDataset(root, "train")
    with pytest.raises(NoInputError, match="no folder"):
        DAVISDataset(root / "ImageSets")
    sequence = (root / "ImageSets/2017/val.txt").read_text().split()[0]
    (root / "Annotations/480p" / sequence / "00000.png").unlink()
    assert DAVISDataset(root)[0].queries == ()
    shutil.rmtree(root / "JPEGImages/480p" / sequence)
    with pytest.raises(NoInputError, match=sequence):
        DAVISDataset(root)[0]
    (root / "ImageSets/2017/val.txt").write_text("")
    with pytest.raises(NoInputError, match="lists no sequence"):
        DAVISDataset(root)


def test_an_annotation_that_is_none_is_refused(root: Path) -> None:
    sequence = (root / "ImageSets/2017/val.txt").read_text().split()[0]
    path = root / "Annotations/480p" / sequence / "00001.png"
    (query,) = DAVISDataset(root)[0].queries
    for picture, reason in (
        (Image.open(path).convert("RGB"), "mode RGB"),
        (Image.open(path).resize((5, 4)), "5 x 4 px"),
    ):
        picture.save(path)
        with pytest.raises(InputError, match=reason):
            query.masks(1)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(InputError, match="damaged"):
        query.masks(1)


def test_malformed_expression_lines_are_errors(root: Path) -> None:
    path = root / "davis_text_annotations" / "Davis17_annot2.txt"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[1:]))
    with pytest.raises(InputError, match="no expression for object 1"):
        RefDAVISDataset(root)[0]
    path.write_text("a man walks\n")
    with pytest.raises(InputError, match="not an expression"):
        RefDAVISDataset(root)
    path.unlink()
    with pytest.raises(NoInputError, match="annot2"):
        RefDAVISDataset(root)
