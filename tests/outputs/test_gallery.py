"""The gallery shows every result, executes no text of the inputs, and stays small."""

from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from outputs.sample_records import in_video
from PIL import Image

from vlseg_cli.outputs import OutputFolder, gallery
from vlseg_cli.outputs.gallery import GallerySink, clock_time, write_gallery
from vlseg_cli.schema import Frame, Item, Record

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>&'\udcff\u202e"


class Page(HTMLParser):
    """The elements and the text of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.words = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, name: str) -> list[str]:
        """The values of an attribute, in order."""
        return [value or "" for key, value in self.attributes if key == name]


@pytest.fixture
def gallery_folder(
    folder: OutputFolder, frame: Frame, item: Item, reason_record: Record
) -> OutputFolder:
    """The thumbnails of an image and of a video in three chunks of two frames."""
    sink = GallerySink(folder)
    sink.write(frame, item, 0, [reason_record])
    sink.end_chunk(item, 0)
    video = replace(item, name="film", is_video=True)
    large = np.zeros((300, 1000, 3), np.uint8)
    for index in range(6):
        sink.write(Frame(large, "film.mp4", index, index / 25), video, index // 2, [])
        if index % 2:
            sink.end_chunk(video, index // 2)
    return folder


def test_thumbnails_are_small_and_few_per_video(gallery_folder: OutputFolder) -> None:
    thumbnails = gallery_folder.root / "html" / "pictures"
    found = sorted(str(path.relative_to(thumbnails)) for path in thumbnails.rglob("*.jpg"))
    assert found == ["film/000000.jpg", "film/000002.jpg", "film/000004.jpg", "kitchen.jpg"]
    assert Image.open(thumbnails / "film" / "000000.jpg").size == (480, 144)
    assert Image.open(thumbnails / "kitchen.jpg").size == (80, 60)


def test_an_abandoned_chunk_leaves_no_thumbnail(
    folder: OutputFolder, frame: Frame, item: Item
) -> None:
    sink, video = GallerySink(folder), replace(item, name="film", is_video=True)
    for _ in range(2):
        sink.write(frame, video, 0, [])
        assert any(folder.root.rglob("*.part"))
        sink.abandon()
        assert not any(path.is_file() for path in folder.root.rglob("*"))


def test_the_page_shows_prompts_and_segments(
    gallery_folder: OutputFolder, reason_record: Record, panoptic_record: Record
) -> None:
    write_gallery(
        [reason_record, panoptic_record, *(in_video(reason_record, index) for index in range(6))],
        gallery_folder,
    )
    page = Page(gallery_folder.root / "html" / "index.html")
    assert page.tags.count("figure") == 4
    assert [unquote(src) for src in page.all("src")] == [
        "pictures/kitchen.jpg",
        "pictures/film/000000.jpg",
        "pictures/film/000002.jpg",
        "pictures/film/000004.jpg",
    ]
    assert "4 pictures, 10 results" in page.words
    for words in ("rooms/kitchen.png", "what keeps food cold?", "the fridge", "0.88", "25.0%"):
        assert words in page.words
    assert all((gallery_folder.root / "html" / unquote(src)).exists() for src in page.all("src"))
    assert page.all("loading") == ["lazy"] * 4
    assert not [url for url in page.all("href") + page.all("src") if ":" in url]


def test_thumbnails_link_to_the_overlay_or_the_video_time(
    gallery_folder: OutputFolder, reason_record: Record
) -> None:
    gallery_folder.write(b"png", "overlay", "kitchen.png")
    gallery_folder.write(b"mp4", "video", "film.mp4")
    write_gallery([reason_record, in_video(reason_record, 4)], gallery_folder)
    links = Page(gallery_folder.root / "html" / "index.html").all("href")
    assert links == ["../overlay/kitchen.png", "../video/film.mp4#t=0.160"]


def test_text_of_users_and_files_is_escaped(
    gallery_folder: OutputFolder, reason_record: Record
) -> None:
    segment = replace(reason_record.segments[0], label=HOSTILE)
    hostile = replace(
        reason_record, input=HOSTILE, prompt=HOSTILE, text=HOSTILE, segments=(segment,)
    )
    write_gallery([reason_record], gallery_folder)
    harmless = Page(gallery_folder.root / "html" / "index.html")
    write_gallery([hostile], gallery_folder)
    page = Page(gallery_folder.root / "html" / "index.html")
    assert page.tags == harmless.tags
    assert page.words.count(HOSTILE.replace("\udcff", "?")) == 4


def test_long_lists_are_collapsed(gallery_folder: OutputFolder, reason_record: Record) -> None:
    names = tuple(f"name{number}" for number in range(40))
    many = replace(reason_record, prompt=names, segments=reason_record.segments * 20)
    write_gallery([many], gallery_folder)
    page = Page(gallery_folder.root / "html" / "index.html")
    assert "40 names" in page.words and "12 more" in page.words
    assert page.tags.count("li") == 20


def test_missing_segments_and_images_are_shown_as_text(
    folder: OutputFolder, reason_record: Record
) -> None:
    write_gallery(
        [replace(in_video(reason_record, 3), segments=()), in_video(reason_record, 4)], folder
    )
    page = Page(folder.root / "html" / "index.html")
    assert page.tags.count("figure") == 1 and "img" not in page.tags
    assert "nothing found" in page.words and "0:00.1" in page.words


class Images:
    """Records of ``count`` images."""

    def __init__(self, record: Record, count: int) -> None:
        self.record, self.count = record, count

    def __iter__(self) -> Iterator[Record]:
        return (replace(self.record, name=f"a{number}") for number in range(self.count))


def test_many_images_make_several_pages(
    folder: OutputFolder, reason_record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "_CARDS", 4)
    write_gallery(Images(reason_record, 9), folder)
    pages = [Page(folder.root / "html" / name) for name in NAMES]
    assert [page.tags.count("figure") for page in pages] == [4, 4, 1]
    assert pages[1].all("href") == ["index.html", "page-3.html"]
    assert "page 2 of 3" in pages[1].words and "9 pictures" in pages[1].words
    assert not (folder.root / "html" / "page-4.html").exists()


NAMES = ("index.html", "page-2.html", "page-3.html")


def test_a_job_without_results_has_a_page(folder: OutputFolder) -> None:
    write_gallery([], folder)
    assert "0 pictures, 0 results" in Page(folder.root / "html" / "index.html").words


def test_times_are_formatted_as_in_a_player() -> None:
    assert [clock_time(time) for time in (0, 59.97, 61.25, 3723.5)] == [
        "0:00.0",
        "1:00.0",
        "1:01.2",
        "1:02:03.5",
    ]
