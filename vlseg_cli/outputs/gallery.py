"""``html/``: a gallery of small images with a card each: prompts, labels and scores.

The sink writes thumbnails while frames are at hand; the pages are written from the records.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from importlib.resources import files
from itertools import chain, groupby, islice
from string import Template
from typing import NamedTuple
from urllib.parse import quote

from PIL import Image

from vlseg_cli.outputs.folder import OutputFolder, frame_file
from vlseg_cli.outputs.overlay import draw_overlay
from vlseg_cli.outputs.records import by_frame
from vlseg_cli.outputs.sink import PictureSink
from vlseg_cli.schema import Frame, Item, Record, Segment

PICTURES = ("html", "pictures")
_SIDE = 480  # longest side, px
_QUALITY = 82


class GallerySink(PictureSink):
    """Writes a thumbnail of each image, and of the first frame of each chunk of a video."""

    def __init__(self, folder: OutputFolder) -> None:
        super().__init__(folder)
        self._shown: tuple[str, int] | None = None  # item and part of the latest picture

    def write(self, frame: Frame, item: Item, part: int, records: Sequence[Record]) -> None:
        """Draw the frame if it is the first of its chunk."""
        if self._shown == (item.name, part):
            return
        self._shown = item.name, part
        picture = Image.fromarray(draw_overlay(frame, records))
        picture.thumbnail((_SIDE, _SIDE), reducing_gap=2.0)
        buffer = io.BytesIO()
        picture.save(buffer, "JPEG", quality=_QUALITY)
        parts = frame_file(item.name, item.is_video, frame.index, ".jpg")
        self.save(buffer.getvalue(), *PICTURES, *parts)

    def abandon(self) -> None:
        """Remove the thumbnail of the current chunk."""
        self._shown = None
        super().abandon()


_CHIPS = 8  # seen at once; the others unfold
_NAMES = 6  # of a prompt, written out


class GalleryCard(NamedTuple):
    """The records of a frame, and the path of its thumbnail, if it has one."""

    records: Sequence[Record]
    picture: str | None


def card_html(card: GalleryCard, folder: OutputFolder) -> str:
    """The card; all text of users and files is escaped."""
    first = card.records[0]
    when = "" if first.time is None else f" <small>{clock_time(first.time)}</small>"
    answers = "".join(map(_prediction, card.records))
    caption = f"<h2>{_text(first.input)}{when}</h2>{answers}"
    return f"<figure>{_thumbnail(card, folder)}<figcaption>{caption}</figcaption></figure>"


def clock_time(seconds: float) -> str:
    """'1:02:03.5' or '2:03.5'."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    front = f"{hours}:{minutes:02d}" if hours else str(minutes)
    return f"{front}:{rest // 10:02d}.{rest % 10}"


def _thumbnail(card: GalleryCard, folder: OutputFolder) -> str:
    if card.picture is None:
        return ""
    first = card.records[0]
    image = (
        f'<img loading="lazy" width="{first.width}" height="{first.height}"'
        f' src="{quote(card.picture)}" alt="{_escaped(first.input)}">'
    )
    target = _full_size(first, folder)
    return f'<a href="{escape(target)}">{image}</a>' if target else image


def _full_size(record: Record, folder: OutputFolder) -> str:
    """URL of the overlay, or of the time in the video, if either was saved."""
    overlay = ("overlay", *frame_file(record.name, record.is_video, record.frame, ".png"))
    if folder.root.joinpath(*overlay).exists():
        return quote("../" + "/".join(overlay))
    video = ("video", f"{record.name}.mp4")
    if record.is_video and folder.root.joinpath(*video).exists():
        return f"{quote('../' + '/'.join(video))}#t={record.time or 0:.3f}"
    return ""


def _prediction(record: Record) -> str:
    said = f" {_text(record.text)}" if record.text else ""
    heading = f"<h3>{record.task.value} <q>{_text(_prompt(record))}</q>{said}</h3>"
    chips = [_chip(segment, record) for segment in record.segments]
    if not chips:
        return f"{heading}<ul><li><small>nothing found</small></li></ul>"
    shown, more = chips[:_CHIPS], chips[_CHIPS:]
    folded = f"<details><summary>{len(more)} more</summary>{_list(more)}</details>" if more else ""
    return heading + _list(shown) + folded


def _prompt(record: Record) -> str:
    if isinstance(record.prompt, str):
        return record.prompt
    if len(record.prompt) > _NAMES:
        return f"{len(record.prompt)} names"
    return ", ".join(record.prompt)


def _list(chips: Sequence[str]) -> str:
    return f"<ul>{''.join(chips)}</ul>"


def _chip(segment: Segment, record: Record) -> str:
    share = segment.area / (record.width * record.height)
    numbers = f"<small>{segment.score:.2f} · {share:.1%}</small>"
    return f"<li>{_text(segment.label)} {numbers}</li>"


def _text(text: str) -> str:
    """Escaped, and isolated so that its text direction does not affect its surroundings."""
    return f"<bdi>{_escaped(text)}</bdi>"


def _escaped(text: str) -> str:
    """Escaped for HTML as valid UTF-8, which a file's name need not be."""
    return escape(text.encode("utf-8", "replace").decode())


_CARDS = 500  # of a page


def write_gallery(records: Iterable[Record], folder: OutputFolder) -> None:
    """Write ``index.html``, ``page-2.html``, … beside the thumbnails of the sink."""
    template = Template(files("vlseg_cli.outputs").joinpath("gallery.html").read_text("utf-8"))
    total = sum(1 for _ in _make_cards(records, folder))
    results = sum(len(record.segments) for record in records)
    pages = max(1, -(-total // _CARDS))
    cards = _make_cards(records, folder)
    for page in range(1, pages + 1):
        html = template.substitute(
            title="vlseg",
            counts=f"{_counted(total, 'picture')}, {_counted(results, 'result')}",
            navigation=_navigation(page, pages),
            cards="\n".join(card_html(card, folder) for card in islice(cards, _CARDS)),
        )
        folder.write(html.encode(), "html", page_name(page))


def page_name(page: int) -> str:
    """The file of page 1, 2, …."""
    return "index.html" if page == 1 else f"page-{page}.html"


def _make_cards(records: Iterable[Record], folder: OutputFolder) -> Iterator[GalleryCard]:
    """Every image, and the frames of a video that have a thumbnail (else its first)."""
    for name, of_item in groupby(records, key=lambda record: record.name):
        frames = by_frame(of_item)
        first = next(frames)
        drawn = _thumbnail_frames(first[0], folder)
        if not drawn:
            yield GalleryCard(first, None)
        for frame in chain([first], frames):
            number = frame[0].frame
            if number in drawn:
                parts = frame_file(name, frame[0].is_video, number, ".jpg")
                yield GalleryCard(frame, "/".join((PICTURES[-1], *parts)))


def _thumbnail_frames(record: Record, folder: OutputFolder) -> set[int]:
    """Indices of the frames of an item that have a thumbnail."""
    pictures = folder.root.joinpath(*PICTURES)
    if not record.is_video:
        return {record.frame} if (pictures / f"{record.name}.jpg").exists() else set()
    found = (pictures / record.name).glob("*.jpg")
    return {int(path.stem) for path in found if path.stem.isdecimal()}


def _navigation(page: int, pages: int) -> str:
    if pages == 1:
        return ""
    before = f'<a href="{page_name(page - 1)}" rel="prev">← back</a>' if page > 1 else ""
    after = f'<a href="{page_name(page + 1)}" rel="next">next →</a>' if page < pages else ""
    return f"{before}<span>page {page} of {pages}</span>{after}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
