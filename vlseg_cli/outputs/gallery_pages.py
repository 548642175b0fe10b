"""``html/index.html``: pages of cards, one per picture, with what was asked and what was found.

Self-contained, without a script from elsewhere and without the network; a million pictures make
many pages instead of one that no browser opens.
"""

from collections.abc import Iterable, Iterator
from importlib.resources import files
from itertools import chain, groupby, islice
from string import Template

from vlseg_cli.outputs.folder import OutputFolder, frame_file
from vlseg_cli.outputs.gallery import PICTURES
from vlseg_cli.outputs.gallery_card import Card, card_html
from vlseg_cli.outputs.store import by_frame
from vlseg_cli.schema import Record

_CARDS = 500  # of a page


def write_gallery(records: Iterable[Record], folder: OutputFolder) -> None:
    """Write ``index.html``, ``page-2.html``, … beside the pictures that the live half has drawn."""
    template = Template(files("vlseg_cli.outputs").joinpath("gallery.html").read_text("utf-8"))
    total = sum(1 for _ in _cards(records, folder))
    results = sum(len(record.segments) for record in records)
    pages = max(1, -(-total // _CARDS))
    cards = _cards(records, folder)
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


def _cards(records: Iterable[Record], folder: OutputFolder) -> Iterator[Card]:
    """Every image, and the frames of a video that have a picture (else its first)."""
    for name, of_item in groupby(records, key=lambda record: record.name):
        frames = by_frame(of_item)
        first = next(frames)
        drawn = _drawn(first[0], folder)
        if not drawn:
            yield Card(first, None)
        for frame in chain([first], frames):
            number = frame[0].frame
            if number in drawn:
                parts = frame_file(name, frame[0].is_video, number, ".jpg")
                yield Card(frame, "/".join((PICTURES[-1], *parts)))


def _drawn(record: Record, folder: OutputFolder) -> set[int]:
    """Numbers of the frames of an item that have a picture."""
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
