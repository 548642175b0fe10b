"""One card of the gallery: the picture, the questions, and a chip for everything found."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple
from urllib.parse import quote

from vlseg_cli.outputs.folder import OutputFolder, frame_file
from vlseg_cli.schema import Record, Segment

_CHIPS = 8  # seen at once; the others unfold
_NAMES = 6  # of a prompt, written out


class Card(NamedTuple):
    """A frame with everything answered about it, and where its small picture is, if it has one."""

    records: Sequence[Record]
    picture: str | None


def card_html(card: Card, folder: OutputFolder) -> str:
    """The card; all that users or files have named is escaped."""
    first = card.records[0]
    when = "" if first.time is None else f" <small>{clock_time(first.time)}</small>"
    answers = "".join(map(_answer, card.records))
    caption = f"<h2>{_text(first.input)}{when}</h2>{answers}"
    return f"<figure>{_picture(card, folder)}<figcaption>{caption}</figcaption></figure>"


def clock_time(seconds: float) -> str:
    """'1:02:03.5' or '2:03.5'."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    front = f"{hours}:{minutes:02d}" if hours else str(minutes)
    return f"{front}:{rest // 10:02d}.{rest % 10}"


def _picture(card: Card, folder: OutputFolder) -> str:
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
    """Where the whole picture is: the overlay, or the place in the video, if either was saved."""
    overlay = ("overlay", *frame_file(record.name, record.is_video, record.frame, ".png"))
    if folder.root.joinpath(*overlay).exists():
        return quote("../" + "/".join(overlay))
    video = ("video", f"{record.name}.mp4")
    if record.is_video and folder.root.joinpath(*video).exists():
        return f"{quote('../' + '/'.join(video))}#t={record.time or 0:.3f}"
    return ""


def _answer(record: Record) -> str:
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
    """Escaped, and kept from turning the direction of what stands around it."""
    return f"<bdi>{_escaped(text)}</bdi>"


def _escaped(text: str) -> str:
    """Valid UTF-8, which a file's name need not be, that means nothing in HTML."""
    return escape(text.encode("utf-8", "replace").decode())
