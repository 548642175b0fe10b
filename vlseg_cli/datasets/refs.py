"""``refs(*).p`` and ``grefs(unc).json``: what people called the things of RefCOCO's pictures.

The first is published as a Python pickle of plain lists. A pickle may name any function to call;
these name none, and one that does is refused.
"""

import io
import json
import pickle
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from vlseg_cli.datasets.dataset import parsed
from vlseg_cli.schema import InputError

_NOTHING = -1  # the annotation of a generalised ref that means nothing in the picture


class Ref(NamedTuple):
    """What people called one thing; in gRefCOCO also several things, or none (no annotation)."""

    id: int
    image: int
    annotations: tuple[int, ...]
    split: str
    sentences: Sequence[str]


def read_refs(path: Path) -> list[Ref]:
    """All refs of a pickle or JSON file.

    Raises NoInputError if it is missing, InputError if it is no such file or holds more than data.
    """
    records = parsed(path, json.loads if path.suffix == ".json" else _unpickled)
    try:
        return [_ref(record) for record in records]
    except (KeyError, TypeError) as error:
        raise InputError(f"{path} lacks {error}: it is no list of refs.") from error


def _ref(record: Mapping[str, Any]) -> Ref:
    meant = record["ann_id"]
    annotations = meant if isinstance(meant, list) else [meant]
    return Ref(
        record["ref_id"],
        record["image_id"],
        tuple(one for one in annotations if one != _NOTHING),
        record["split"],
        [sentence["sent"] for sentence in record["sentences"]],
    )


class _PlainUnpickler(pickle.Unpickler):
    """Reads lists, dictionaries, numbers and strings; anything else has to be looked up here."""

    def find_class(self, module: str, name: str) -> Any:
        raise ValueError(f"it asks for {module}.{name}, and a list of refs needs no code")


def _unpickled(data: bytes) -> Any:
    try:
        return _PlainUnpickler(io.BytesIO(data)).load()
    except (pickle.UnpicklingError, EOFError, IndexError, KeyError, AttributeError) as error:
        raise ValueError(str(error) or "not a pickle") from error
