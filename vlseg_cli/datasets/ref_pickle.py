"""``refs(*).p``: RefCOCO's expressions, published as a Python pickle of plain lists.

A pickle may name any function to call; these name none, and one that does is refused.
"""

import io
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vlseg_cli.datasets.dataset import parsed
from vlseg_cli.schema import InputError


class Ref(NamedTuple):
    """One thing and what people called it."""

    id: int
    image: int
    annotation: int
    split: str
    sentences: Sequence[str]


def read_refs(path: Path) -> list[Ref]:
    """All refs of a file.

    Raises NoInputError if it is missing, InputError if it is no such file or holds more than data.
    """
    records = parsed(path, _unpickled)
    try:
        return [
            Ref(
                record["ref_id"],
                record["image_id"],
                record["ann_id"],
                record["split"],
                [sentence["sent"] for sentence in record["sentences"]],
            )
            for record in records
        ]
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} lacks {error}: it is no list of refs.") from error


class _PlainUnpickler(pickle.Unpickler):
    """Reads lists, dictionaries, numbers and strings; anything else has to be looked up here."""

    def find_class(self, module: str, name: str) -> Any:
        raise ValueError(f"it asks for {module}.{name}, and a list of refs needs no code")


def _unpickled(data: bytes) -> Any:
    try:
        return _PlainUnpickler(io.BytesIO(data)).load()
    except (pickle.UnpicklingError, EOFError, IndexError, KeyError, AttributeError) as error:
        raise ValueError(str(error) or "not a pickle") from error
