"""Output formats: a sink that draws on frames, a writer that converts records, or both.

Sinks get the frames during a run or when ``vlseg export`` decodes the sources again; writers read
the job's record store at its end.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from vlseg_cli.outputs.coco import write_coco, write_coco_boxes
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.outputs.gallery import GallerySink, write_gallery
from vlseg_cli.outputs.overlay import OverlaySink
from vlseg_cli.outputs.palette import MOST_OBJECTS, write_palette
from vlseg_cli.outputs.panoptic import write_panoptic
from vlseg_cli.outputs.parquet import check_pyarrow, write_parquet
from vlseg_cli.outputs.records import write_jsonl
from vlseg_cli.outputs.sink import Sink
from vlseg_cli.outputs.yolo import write_yolo
from vlseg_cli.outputs.ytvis import write_youtube_vis
from vlseg_cli.schema import FencedError, FormatError, OutputError, Record, UsageError

# Of a folder and all formats that are written to it.
OpenSink = Callable[[OutputFolder, Sequence[str]], Sink]
WriteRecords = Callable[[Iterable[Record], OutputFolder], None]


class Format(NamedTuple):
    """A name of ``--save``. live opens its sink, close writes it from records (re-iterable).

    paths: its files below the output folder, with NAME for an item's name and # for a number.
    videos_only: images give no files. most_objects: in one frame. check: raises UsageError if a
    library is missing.
    """

    help: str
    paths: tuple[str, ...]
    live: OpenSink | None = None
    close: WriteRecords | None = None
    needs_map: bool = False
    videos_only: bool = False
    most_objects: int | None = None
    check: Callable[[], None] | None = None

    @property
    def files(self) -> tuple[str, ...]:
        """Its files and folders directly below the output folder."""
        return tuple(dict.fromkeys(path.partition("/")[0] for path in self.paths))


def _open_overlay(folder: OutputFolder, formats: Sequence[str]) -> Sink:
    return OverlaySink(folder, videos="video" not in formats)


def _open_gallery(folder: OutputFolder, formats: Sequence[str]) -> Sink:  # noqa: ARG001
    return GallerySink(folder)


def _open_video(folder: OutputFolder, formats: Sequence[str]) -> Sink:  # noqa: ARG001
    from vlseg_cli.outputs.video import VideoSink

    return VideoSink(folder)


def _check_video() -> None:
    from vlseg_cli.outputs.encoder import encoder_options

    encoder_options()


FORMATS: dict[str, Format] = {
    "overlay": Format(
        "a PNG per image with the predictions drawn in, and per frame of a video without 'video'",
        ("overlay/NAME.png", "overlay/NAME/#.png"),
        _open_overlay,
    ),
    "video": Format(
        "an MP4 per video with the predictions drawn in, with its timestamps and audio",
        ("video/NAME.mp4",),
        _open_video,
        videos_only=True,
        check=_check_video,
    ),
    "coco": Format(
        "COCO instances and results", ("coco.json", "coco_results.json"), close=write_coco
    ),
    "boxes": Format("COCO detections, no masks", ("coco_boxes.json",), close=write_coco_boxes),
    "ytvis": Format(
        "tracks as in YouTube-VIS", ("ytvis.json", "ytvis_results.json"), close=write_youtube_vis
    ),
    "jsonl": Format("all records, a line each", ("predictions.jsonl",), close=write_jsonl),
    "panoptic": Format(
        "COCO panoptic",
        ("panoptic.json", *(f"panoptic/NAME{one}.png" for one in ("", "/#", "/#/#"))),
        close=write_panoptic,
        needs_map=True,
    ),
    "palette": Format(
        "palette PNGs as in DAVIS",
        ("palette/meta.json", "palette/Annotations/NAME/#.png"),
        close=write_palette,
        most_objects=MOST_OBJECTS,
    ),
    "yolo": Format(
        "YOLO segmentation labels",
        (
            *("yolo/classes.txt", "yolo/data.yaml"),
            *("yolo/labels/NAME.txt", "yolo/labels/NAME/#.txt"),
        ),
        close=write_yolo,
    ),
    "parquet": Format(
        "a table for data frames", ("records.parquet",), close=write_parquet, check=check_pyarrow
    ),
    "html": Format(
        "a gallery to scroll through",
        (
            *("html/index.html", "html/page-#.html"),
            *("html/pictures/NAME.jpg", "html/pictures/NAME/#.jpg"),
        ),
        _open_gallery,
        write_gallery,
    ),
}


def check_formats(formats: Sequence[str], videos: bool = True, objects: int = 0) -> None:
    """Raise UsageError if one of the formats cannot be written.

    videos: whether there are any; without them PyAV, which is slow to load, is not checked.
    objects: how many there are in each image and frame, as far as the prompts say so.
    """
    for name in formats:
        one = FORMATS[name]
        if one.check is not None and (videos or not one.videos_only):
            one.check()
        if one.most_objects is not None and objects > one.most_objects:
            raise UsageError(
                f"The format {name} holds {one.most_objects} objects in an image, but there are"
                f" {objects:,} prompts: leave it out of --save, or give fewer prompts."
            )


def open_sinks(formats: Sequence[str], folder: OutputFolder, videos: bool = True) -> list[Sink]:
    """The sinks of some formats, each a key of FORMATS. Raises as ``check_formats``."""
    check_formats(formats, videos)
    return [
        live(folder, formats)
        for name in formats
        if (live := FORMATS[name].live) is not None and (videos or not FORMATS[name].videos_only)
    ]


def close_formats(
    formats: Sequence[str], records: Iterable[Record], folder: OutputFolder
) -> dict[str, FormatError]:
    """Write the formats that are made of records, each as if there were no other.

    records: re-iterable. Returns the error of each that cannot hold them. Raises OutputError, after
    the others are written, for one that cannot be written.
    """
    unfit: dict[str, FormatError] = {}
    unwritten: list[OutputError] = []
    for name in formats:
        close = FORMATS[name].close
        try:
            if close is not None:
                close(records, folder)
        except FencedError:
            raise
        except FormatError as error:
            unfit[name] = error
        except OutputError as error:
            unwritten.append(error)
    if unwritten:
        raise unwritten[0]
    return unfit
