"""A real job with every kind of input and every output format, read back by the format's rules."""

import json
from collections.abc import Callable, Sequence
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from jobs.media_files import write_photos
from jobs.stub import RecordingProgress, StubModel, job_for
from media import video_files
from outputs.video_files import frame_times, packets, write_video
from PIL import Image

from vlseg_cli.jobs import JobSettings, run_job
from vlseg_cli.media import list_inputs, read_image
from vlseg_cli.media.formats import is_video
from vlseg_cli.media.video import read_video
from vlseg_cli.models.base import Segmenter
from vlseg_cli.outputs import FORMATS, OutputFolder
from vlseg_cli.outputs.records import read_record
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    FrameRange,
    Input,
    Item,
    PromptRequest,
    Record,
    Task,
    decode_rle,
)

PIXELS = np.random.default_rng(1).integers(0, 255, (37, 52, 3), dtype=np.uint8)


def _png(folder: Path) -> Path:
    Image.fromarray(PIXELS).save(folder / "picture.png")
    return folder / "picture.png"


def _turned_jpeg(folder: Path) -> Path:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(PIXELS).save(folder / "turned.jpg", exif=exif)
    return folder / "turned.jpg"


def _deep_png(folder: Path) -> Path:
    Image.fromarray(PIXELS[..., 0].astype(np.uint16) * 200).save(folder / "deep.png")
    return folder / "deep.png"


def _transparent_webp(folder: Path) -> Path:
    rgba = np.dstack([PIXELS, PIXELS[..., :1]])
    Image.fromarray(rgba).save(folder / "glass.webp", lossless=True)
    return folder / "glass.webp"


def _folder(folder: Path) -> Path:
    write_photos(folder / "photos", 3)
    write_photos(folder / "photos" / "deeper", 2)
    return folder / "photos"


def _glob(folder: Path) -> Path:
    write_photos(folder / "photos", 4)
    return folder / "photos" / "00[12].png"


def _list(folder: Path) -> Path:
    photos = sorted(write_photos(folder / "photos", 3).iterdir())
    path = folder / "list.txt"
    path.write_text("".join(f"{photo}\n" for photo in photos))
    return path


def _mixed(folder: Path) -> Path:
    write_photos(folder / "all", 2)
    video_files.write_numbered_video(folder / "all" / "film.mp4", 5)
    return folder / "all"


def _film(kind: str, turn: int = 0) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        stored = video_files.KINDS[kind]
        path = folder / f"film.{stored.suffix}"
        base = Fraction(1, 90000) if kind == "broadcast" else Fraction(1, 25)
        step = int(Fraction(1, 25) / base)
        pts = [step * number for number in range(6)]
        return video_files.write_numbered_video(path, 6, stored, pts=pts, time_base=base, turn=turn)

    return write


KINDS: dict[str, Callable[[Path], Path]] = {
    "png": _png,
    "turned jpeg": _turned_jpeg,
    "16-bit png": _deep_png,
    "transparent webp": _transparent_webp,
    "folder": _folder,
    "glob": _glob,
    "list": _list,
    "images and video": _mixed,
    "video with odd size, uneven times and audio": lambda folder: write_video(folder / "odd.mp4"),
    "rotated video": _film("h264", 90),
    "10-bit video": _film("hevc-10"),
    "vp9": _film("vp9"),
    "av1": _film("av1"),
    "transport stream": _film("broadcast"),
    "gif": _film("gif"),
}


class Done:
    """A finished job: its folder, its inputs, its records, and the frames that they are about."""

    def __init__(self, out: Path, found: Sequence[Input]) -> None:
        self.out, self.found = out, found
        lines = (out / "records.jsonl").read_bytes().splitlines()
        self.records: list[Record] = [read_record(line) for line in lines]
        self.frames = [frame for one in found for frame in _frames_of(Path(one.source))]

    @property
    def images(self) -> list[Frame]:
        return [frame for frame in self.frames if not is_video(Path(frame.source))]

    @property
    def videos(self) -> list[Path]:
        return [Path(one.source) for one in self.found if one.is_video]

    def files(self, *parts: str) -> list[Path]:
        """All files of a format, in order."""
        return sorted(path for path in self.out.joinpath(*parts).rglob("*.*") if path.is_file())


def _frames_of(path: Path) -> list[Frame]:
    return list(read_video(path, FrameRange())) if is_video(path) else [read_image(path)]


def _ask(_model: Segmenter, _item: Item, _frame: Frame) -> list[PromptRequest]:
    names = Categories(("bright", "dark"), (False, True))
    return [
        PromptRequest(0, Task.REFER, Expression("the bright part")),
        PromptRequest(0, Task.PANOPTIC, names),
    ]


@pytest.fixture(scope="module", params=KINDS)
def done(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """A job over one kind of input that made every format at once."""
    folder = tmp_path_factory.mktemp("pairs")
    (folder / "in").mkdir()
    found = list(list_inputs([str(KINDS[request.param](folder / "in"))]))
    job = job_for(["it"], list(FORMATS), 2, 4, FrameRange())
    settings = JobSettings(
        OutputFolder(folder / "out"), tuple(FORMATS), batch_size=2, chunk_frames=4
    )
    summary = run_job(job, settings, found, StubModel, _ask, RecordingProgress())
    assert summary.finished and not summary.failed
    return Done(folder / "out", found)


def check_coco(done: Done) -> None:
    from pycocotools.coco import COCO

    coco = COCO(str(done.out / "coco.json"))
    results = coco.loadRes(str(done.out / "coco_results.json"))
    assert len(coco.imgs) == len(done.frames)
    masks = [coco.annToMask(one) for one in coco.anns.values()]
    expected = [decode_rle(one.rle) for record in done.records for one in record.segments]
    assert len(masks) == len(results.anns) == len(expected)
    assert all(np.array_equal(mask, own) for mask, own in zip(masks, expected, strict=True))


def check_boxes(done: Done) -> None:
    boxes = json.loads((done.out / "coco_boxes.json").read_text())
    results = json.loads((done.out / "coco_results.json").read_text())
    assert len(boxes) == sum(len(record.segments) for record in done.records)
    assert boxes == [{k: v for k, v in one.items() if k != "segmentation"} for one in results]


def check_panoptic(done: Done) -> None:
    data = json.loads((done.out / "panoptic.json").read_text())
    assert len(data["annotations"]) == len(data["images"]) == len(done.frames)
    for annotation, image in zip(data["annotations"], data["images"], strict=True):
        pixels = np.asarray(Image.open(done.out / "panoptic" / annotation["file_name"]))
        ids = pixels.astype(int) @ [1, 256, 65536]
        assert ids.shape == (image["height"], image["width"])
        areas = {info["id"]: info["area"] for info in annotation["segments_info"]}
        assert areas == {n: (ids == n).sum() for n in np.unique(ids) if n}


def check_palette(done: Done) -> None:
    images = [Image.open(path) for path in done.files("palette", "Annotations")]
    assert len(images) == len(done.frames)
    assert {image.mode for image in images} == {"P"}
    sizes = sorted((frame.width, frame.height) for frame in done.frames)
    assert sorted(image.size for image in images) == sizes


def check_yolo(done: Done) -> None:
    labels = done.files("yolo", "labels")
    assert len(labels) == len(done.frames)
    for line in (line for path in labels for line in path.read_text().splitlines()):
        number, *coordinates = line.split()
        assert int(number) in (0, 1)
        assert len(coordinates) % 2 == 0 and len(coordinates) >= 6
        assert all(0 <= float(one) <= 1 for one in coordinates)


def check_parquet(done: Done) -> None:
    from pyarrow import parquet

    rows = parquet.read_table(done.out / "records.parquet").to_pylist()
    segments = [one for record in done.records for one in record.segments]
    assert [row["counts"] for row in rows if row["counts"]] == [s.rle["counts"] for s in segments]
    assert {(row["name"], row["frame"]) for row in rows} == {
        (record.name, record.frame) for record in done.records
    }


def check_jsonl(done: Done) -> None:
    lines = (done.out / "predictions.jsonl").read_bytes().splitlines()
    assert [read_record(line) for line in lines] == done.records
    assert len(lines) == 2 * len(done.frames)


def check_overlay(done: Done) -> None:
    images = [np.asarray(Image.open(path)) for path in done.files("overlay")]
    assert len(images) == len(done.images)  # videos are written as videos
    shapes = sorted(frame.pixels.shape for frame in done.images)
    assert sorted(image.shape for image in images) == shapes


def check_video(done: Done) -> None:
    assert len(done.files("video")) == len(done.videos)
    for made, source in zip(done.files("video"), done.videos, strict=True):
        first = 0 if source.suffix == ".gif" else frame_times(source)[0]
        times = [time - first for time in frame_times(source)]
        assert [time - frame_times(made)[0] for time in frame_times(made)] == times
        sound = [packet.data for packet in packets(source, "audio")]
        assert [packet.data for packet in packets(made, "audio")] == sound


def check_ytvis(done: Done) -> None:
    data = json.loads((done.out / "ytvis.json").read_text())
    lengths = [len(_frames_of(path)) for path in done.videos]
    assert [video["length"] for video in data["videos"]] == lengths
    assert [len(video["file_names"]) for video in data["videos"]] == lengths
    assert json.loads((done.out / "ytvis_results.json").read_text()) == []  # nothing was tracked


def check_html(done: Done) -> None:
    found: list[str] = []

    class Page(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.extend(value or "" for name, value in attrs if tag == "img" and name == "src")

    page = done.out / "html" / "index.html"
    Page().feed(page.read_text())
    assert len(found) >= len(done.found)
    assert all((page.parent / source).is_file() for source in found)


CHECKS = {
    "coco": check_coco,
    "boxes": check_boxes,
    "panoptic": check_panoptic,
    "palette": check_palette,
    "yolo": check_yolo,
    "parquet": check_parquet,
    "jsonl": check_jsonl,
    "overlay": check_overlay,
    "video": check_video,
    "ytvis": check_ytvis,
    "html": check_html,
}


@pytest.mark.parametrize("format_", FORMATS)
def test_any_input_gives_any_output(done: Done, format_: str) -> None:
    CHECKS[format_](done)
    assert done.frames
