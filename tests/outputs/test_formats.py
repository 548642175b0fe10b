"""Every output format writes its own files, deterministically."""

from pathlib import Path

import pytest
from outputs.sample_records import in_video
from outputs.video_files import VideoSpec, write_overlay_video, write_video

from vlseg_cli.media.video import read_video
from vlseg_cli.outputs import FORMATS, OutputFolder, check_formats, close_formats, open_sinks
from vlseg_cli.schema import Frame, FrameRange, Item, Record, UsageError


def write_all(
    folder: OutputFolder,
    names: list[str],
    image_results: tuple[Frame, Item, list[Record]],
    video_path: Path,
    stumble: bool = False,
) -> dict[str, bytes]:
    """Write an image and a video in some formats; return all files written."""
    frame, item, records = image_results
    sinks = open_sinks(names, folder)
    for sink in sinks:
        sink.write(frame, item, 0, records)
        sink.end_chunk(item, 0)
        sink.end_item(item, 1)
        sink.remove_chunks(item)
        write_overlay_video(sink, video_path, records, stumble=stumble)
    frames = [in_video(one, index) for index in range(9) for one in records]
    close_formats(names, [*records, *frames], folder)
    paths = sorted(path for path in folder.root.rglob("*") if path.is_file())
    return {str(path.relative_to(folder.root)): path.read_bytes() for path in paths}


@pytest.fixture
def video_path(tmp_path: Path) -> Path:
    """A video of the size of the image, with uneven timestamps and audio."""
    return write_video(tmp_path / "film.mp4", VideoSpec(width=80, height=60, frames=9))


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_writes_its_declared_files_deterministically(
    name: str,
    tmp_path: Path,
    frame: Frame,
    item: Item,
    reason_record: Record,
    panoptic_record: Record,
    video_path: Path,
) -> None:
    image_results = (frame, item, [reason_record, panoptic_record])
    first = write_all(OutputFolder(tmp_path / "a"), [name], image_results, video_path)
    again = write_all(OutputFolder(tmp_path / "b"), [name], image_results, video_path, stumble=True)
    assert first == again
    assert {path.split("/")[0] for path in first} == set(FORMATS[name].files)
    assert FORMATS[name].help


def test_all_formats_can_be_written_together(
    folder: OutputFolder,
    frame: Frame,
    item: Item,
    reason_record: Record,
    panoptic_record: Record,
    video_path: Path,
) -> None:
    written = write_all(
        folder, list(FORMATS), (frame, item, [reason_record, panoptic_record]), video_path
    )
    of_video = [path for path in written if "film" in path]
    assert not [path for path in of_video if path.startswith("overlay/")]  # the MP4 shows them
    assert {path for path in written if path not in of_video} == {
        "coco.json",
        "coco_boxes.json",
        "coco_results.json",
        "html/index.html",
        "html/pictures/kitchen.jpg",
        "overlay/kitchen.png",
        "palette/Annotations/kitchen/00000.png",
        "palette/meta.json",
        "panoptic.json",
        "panoptic/kitchen.png",
        "predictions.jsonl",
        "records.parquet",
        "ytvis.json",
        "ytvis_results.json",
        "yolo/classes.txt",
        "yolo/data.yaml",
        "yolo/labels/kitchen.txt",
    }
    assert len(list(read_video(video_path, FrameRange()))) == 9


def test_what_a_format_cannot_hold_is_said_before_the_first_image() -> None:
    check_formats(("palette", "coco"), objects=255)
    with pytest.raises(UsageError, match="holds 255 objects in an image, but there are 256"):
        check_formats(("palette", "coco"), objects=256)
