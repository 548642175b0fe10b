"""Captions that models wrote about pictures: which to keep, and the file that holds them.

Source: MVP-LM section 3.2 of the paper: too short or long ones and those of little information go,
and so do sentences that only suppose something. The thresholds are ours; the paper gives none.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vlseg_cli.schema import InputError

CAPTIONS = "captions.jsonl"

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
# "may" in lower case alone: May is a month.
_HEDGE = re.compile(
    r"\b(?:(?i:indicat\w*|impl(?:y|ies|ied|ying)|suggest\w*|might|could|perhaps|possibly|probably"
    r"|presumably|likely|seem\w*|appears? to|apparently)|may)\b"
)


@dataclass(frozen=True, slots=True)
class CaptionRules:
    """least, most: words of a caption. information: at least so much of the entropy that as many
    different words would have, from 0 to 1; a caption that repeats itself has little."""

    least: int = 4
    most: int = 150
    information: float = 0.6

    def refine(self, caption: str) -> str | None:
        """The caption without sentences that suppose, None if what is left is not worth keeping."""
        sentences = _SENTENCE.split(" ".join(caption.split()))
        kept = " ".join(each for each in sentences if not _HEDGE.search(each))
        words = [word.lower() for word in _WORD.findall(kept)]
        if not self.least <= len(words) <= self.most or information(words) < self.information:
            return None
        return kept


def information(words: list[str]) -> float:
    """Entropy of a text's words, as a share of that of as many different ones: from 0 to 1."""
    if len(words) < 2:
        return float(len(words))
    shares = [count / len(words) for count in Counter(words).values()]
    return -sum(share * math.log2(share) for share in shares) / math.log2(len(words))


@dataclass(frozen=True, slots=True)
class CaptionedImage:
    """What one model said about one picture. image: the path as the user wrote it. refused: how
    many captions did not pass the rules."""

    image: str
    model: str
    captions: tuple[str, ...]
    refused: int

    def line(self) -> str:
        """As a line of the file."""
        return json.dumps(
            {
                "image": self.image,
                "model": self.model,
                "captions": self.captions,
                "refused": self.refused,
            }
        )


def read_captioned(file: Path) -> Iterator[CaptionedImage]:
    """The lines of a caption file, in order. Raises InputError naming a damaged line."""
    with file.open(encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                fields = json.loads(line)
                yield CaptionedImage(
                    fields["image"],
                    fields["model"],
                    tuple(map(str, fields["captions"])),
                    int(fields["refused"]),
                )
            except (ValueError, KeyError, TypeError) as error:
                raise InputError(f"{file}, line {number}, is no line of captions") from error


def captions_by_image(pictures: Iterable[CaptionedImage]) -> dict[str, tuple[str, ...]]:
    """All that was said about each picture, by whichever model, each text once."""
    found: dict[str, dict[str, None]] = {}
    for picture in pictures:
        found.setdefault(picture.image, {}).update(dict.fromkeys(picture.captions))
    return {image: tuple(texts) for image, texts in found.items()}
