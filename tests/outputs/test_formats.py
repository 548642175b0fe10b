"""Every format that can be asked for writes something of its own, twice the same."""

from pathlib import Path

import pytest
from outputs.answers import in_video
from outputs.film import Film, draw_film, write_film

from vlseg_cli.media.video import read_video
from vlseg_cli.outputs import FORMATS, OutputFolder, close_formats, open_sinks
from vlseg_cli.schema import Frame, FrameRange, Item, Record


def write_all(
    folder: OutputFolder,
    names: list[str],
    picture: tuple[Frame, Item, list[Record]],
    film: Path,
    stumble: bool = False,
) -> dict[str, bytes]:
    """An image and a film in some formats; all files that come of it."""
    frame, item, records = picture
    sinks = open_sinks(names, folder)
    for sink in sinks:
        sink.write(frame, item, 0, records)
        sink.end_chunk(item, 0)
        sink.end_item(item, 1)
        sink.remove_chunks(item)
        draw_film(sink, film, records, stumble=stumble)
    frames = [in_video(one, index) for index in range(9) for one in records]
    close_formats(names, [*records, *frames], folder)
    paths = sorted(path for path in folder.root.rglob("*") if path.is_file())
    return {str(path.relative_to(folder.root)): path.read_bytes() for path in paths}


@pytest.fixture
def film(tmp_path: Path) -> Path:
    """A film of the size of the picture, with uneven times and sound."""
    return write_film(tmp_path / "film.mp4", Film(width=80, height=60, frames=9))


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_writes_what_it_says_and_the_same_again(
    name: str,
    tmp_path: Path,
    frame: Frame,
    item: Item,
    asked: Record,
    mapped: Record,
    film: Path,
) -> None:
    picture = (frame, item, [asked, mapped])
    first = write_all(OutputFolder(tmp_path / "a"), [name], picture, film)
    again = write_all(OutputFolder(tmp_path / "b"), [name], picture, film, stumble=True)
    assert first == again
    assert {path.split("/")[0] for path in first} == set(FORMATS[name].files)
    assert FORMATS[name].help


def test_all_formats_can_be_written_side_by_side(
    folder: OutputFolder, frame: Frame, item: Item, asked: Record, mapped: Record, film: Path
) -> None:
    written = write_all(folder, list(FORMATS), (frame, item, [asked, mapped]), film)
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
    assert len(list(read_video(film, FrameRange()))) == 9
