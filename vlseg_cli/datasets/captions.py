"""Captions that models generated for images: rules to filter them, and their file format.

Source: MVP-LM, section 3.2: captions that are too short, too long or of little information are
dropped, and so are speculative sentences. The thresholds are ours; the paper gives none.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from io import TextIOWrapper
from pathlib import Path

from vlseg_cli.schema import InputError
from vlseg_cli.schema.files import open_regular

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
    """least, most: number of words of a caption. information: its smallest ``information``, from 0
    to 1; repetition lowers it."""

    least: int = 4
    most: int = 150
    information: float = 0.6

    def refine(self, caption: str) -> str | None:
        """The caption without speculative sentences, None if the rest does not pass the rules."""
        sentences = _SENTENCE.split(" ".join(caption.split()))
        kept = " ".join(each for each in sentences if not _HEDGE.search(each))
        words = [word.lower() for word in _WORD.findall(kept)]
        if not self.least <= len(words) <= self.most or information(words) < self.information:
            return None
        return kept


def information(words: list[str]) -> float:
    """Entropy of the words divided by that of as many different words: from 0 to 1."""
    if len(words) < 2:
        return float(len(words))
    shares = [count / len(words) for count in Counter(words).values()]
    return -sum(share * math.log2(share) for share in shares) / math.log2(len(words))


@dataclass(frozen=True, slots=True)
class CaptionedImage:
    """Captions of one image by one model. image: the path as the user wrote it. refused: number of
    captions that did not pass the rules."""

    image: str
    model: str
    captions: tuple[str, ...]
    refused: int

    def line(self) -> str:
        """A line of the file."""
        return json.dumps(asdict(self))


def read_captioned(file: Path) -> Iterator[CaptionedImage]:
    """The lines of a caption file, in order. Raises InputError naming a damaged line."""
    with TextIOWrapper(open_regular(file, None), "utf-8") as lines:
        for number, line in enumerate(lines, 1):
            try:
                fields = json.loads(line)
                yield CaptionedImage(
                    fields["image"],
                    fields["model"],
                    tuple(map(str, fields["captions"])),
                    int(fields["refused"]),
                )
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                raise InputError(f"{file}, line {number}, is not a caption record") from error


def captions_by_image(records: Iterable[CaptionedImage]) -> dict[str, tuple[str, ...]]:
    """The different captions of each image, by all models."""
    found: dict[str, dict[str, None]] = {}
    for record in records:
        found.setdefault(record.image, {}).update(dict.fromkeys(record.captions))
    return {image: tuple(texts) for image, texts in found.items()}
