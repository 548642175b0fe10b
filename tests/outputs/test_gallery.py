"""The gallery shows everything, runs nothing of what files are called, and stays small."""

from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from outputs.answers import in_video
from PIL import Image

from vlseg_cli.outputs import OutputFolder, gallery
from vlseg_cli.outputs.gallery import GallerySink, clock_time, write_gallery
from vlseg_cli.schema import Frame, Item, Record

HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>&'\udcff\u202e"


class Page(HTMLParser):
    """What a browser would find in a page."""

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
def drawn(folder: OutputFolder, frame: Frame, item: Item, asked: Record) -> OutputFolder:
    """A folder with the pictures of an image and of a film in three parts of two frames."""
    sink = GallerySink(folder)
    sink.write(frame, item, 0, [asked])
    sink.end_chunk(item, 0)
    film = replace(item, name="film", is_video=True)
    large = np.zeros((300, 1000, 3), np.uint8)
    for index in range(6):
        sink.write(Frame(large, "film.mp4", index, index / 25), film, index // 2, [])
        if index % 2:
            sink.end_chunk(film, index // 2)
    return folder


def test_pictures_are_small_and_few_of_a_video(drawn: OutputFolder) -> None:
    pictures = drawn.root / "html" / "pictures"
    found = sorted(str(path.relative_to(pictures)) for path in pictures.rglob("*.jpg"))
    assert found == ["film/000000.jpg", "film/000002.jpg", "film/000004.jpg", "kitchen.jpg"]
    assert Image.open(pictures / "film" / "000000.jpg").size == (480, 144)
    assert Image.open(pictures / "kitchen.jpg").size == (80, 60)


def test_an_abandoned_part_leaves_no_picture(
    folder: OutputFolder, frame: Frame, item: Item
) -> None:
    sink, film = GallerySink(folder), replace(item, name="film", is_video=True)
    for _ in range(2):
        sink.write(frame, film, 0, [])
        assert (folder.root / "html" / "pictures" / "film" / "000000.jpg").exists()
        sink.abandon()
        assert not (folder.root / "html" / "pictures" / "film" / "000000.jpg").exists()


def test_the_page_shows_what_was_asked_and_found(
    drawn: OutputFolder, asked: Record, mapped: Record
) -> None:
    write_gallery([asked, mapped, *(in_video(asked, index) for index in range(6))], drawn)
    page = Page(drawn.root / "html" / "index.html")
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
    assert all((drawn.root / "html" / unquote(src)).exists() for src in page.all("src"))
    assert page.all("loading") == ["lazy"] * 4
    assert not [url for url in page.all("href") + page.all("src") if ":" in url]


def test_pictures_lead_to_the_overlay_or_the_place_in_the_video(
    drawn: OutputFolder, asked: Record
) -> None:
    drawn.write(b"png", "overlay", "kitchen.png")
    drawn.write(b"mp4", "video", "film.mp4")
    write_gallery([asked, in_video(asked, 4)], drawn)
    links = Page(drawn.root / "html" / "index.html").all("href")
    assert links == ["../overlay/kitchen.png", "../video/film.mp4#t=0.160"]


def test_texts_of_users_and_files_are_shown_and_never_run(
    drawn: OutputFolder, asked: Record
) -> None:
    segment = replace(asked.segments[0], label=HOSTILE)
    hostile = replace(asked, input=HOSTILE, prompt=HOSTILE, text=HOSTILE, segments=(segment,))
    write_gallery([asked], drawn)
    harmless = Page(drawn.root / "html" / "index.html")
    write_gallery([hostile], drawn)
    page = Page(drawn.root / "html" / "index.html")
    assert page.tags == harmless.tags
    assert page.words.count(HOSTILE.replace("\udcff", "?")) == 4


def test_many_names_and_results_fold_up(drawn: OutputFolder, asked: Record) -> None:
    names = tuple(f"name{number}" for number in range(40))
    many = replace(asked, prompt=names, segments=asked.segments * 20)
    write_gallery([many], drawn)
    page = Page(drawn.root / "html" / "index.html")
    assert "40 names" in page.words and "12 more" in page.words
    assert page.tags.count("li") == 20


def test_nothing_found_and_no_picture_are_told(folder: OutputFolder, asked: Record) -> None:
    write_gallery([replace(in_video(asked, 3), segments=()), in_video(asked, 4)], folder)
    page = Page(folder.root / "html" / "index.html")
    assert page.tags.count("figure") == 1 and "img" not in page.tags
    assert "nothing found" in page.words and "0:00.1" in page.words


class Images:
    """Records of so many images."""

    def __init__(self, record: Record, count: int) -> None:
        self.record, self.count = record, count

    def __iter__(self) -> Iterator[Record]:
        return (replace(self.record, name=f"a{number}") for number in range(self.count))


def test_many_pictures_make_several_pages(
    folder: OutputFolder, asked: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gallery, "_CARDS", 4)
    write_gallery(Images(asked, 9), folder)
    pages = [Page(folder.root / "html" / name) for name in NAMES]
    assert [page.tags.count("figure") for page in pages] == [4, 4, 1]
    assert pages[1].all("href") == ["index.html", "page-3.html"]
    assert "page 2 of 3" in pages[1].words and "9 pictures" in pages[1].words
    assert not (folder.root / "html" / "page-4.html").exists()


NAMES = ("index.html", "page-2.html", "page-3.html")


def test_a_job_without_answers_has_a_page(folder: OutputFolder) -> None:
    write_gallery([], folder)
    assert "0 pictures, 0 results" in Page(folder.root / "html" / "index.html").words


def test_times_are_written_as_on_a_player() -> None:
    assert [clock_time(time) for time in (0, 59.97, 61.25, 3723.5)] == [
        "0:00.0",
        "1:00.0",
        "1:01.2",
        "1:02:03.5",
    ]
