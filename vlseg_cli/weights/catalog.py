"""``weights.toml``: which published weights there are, as typed entries.

The file lies at the top of the repository for people to read and inside the package once that is
installed from a wheel. An unknown key or a wrong type is an error.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal

from vlseg_cli.schema import WeightsError
from vlseg_cli.schema.errors import nearest
from vlseg_cli.schema.tables import Positive, read_table

Format = Literal["safetensors", "bin", "pth", "detectron2", "deepspeed", "transformers", "vlseg"]

_FILE = "weights.toml"
_HUB_FILES = ("*.json", "*.txt", "*.model", "*.safetensors", "pytorch_model*.bin")


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One table; weights.toml itself explains the keys. gigabytes are 10^9 bytes."""

    title: str
    role: Literal["model", "base"]
    architecture: str
    format: Format
    repository: str = ""
    url: str = ""
    revision: str = "main"
    files: tuple[str, ...] = _HUB_FILES
    license: str = ""
    gigabytes: Positive | None = None
    bases: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    dtype: Literal["", "float32", "float16", "bfloat16"] = ""
    numbers: Mapping[str, float] = field(default_factory=dict)
    notes: str = ""

    def __post_init__(self) -> None:
        """Files come from at most one source."""
        if self.repository and self.url:
            raise ValueError("an entry has a repository or a url, not both")


def read_catalog(text: str) -> dict[str, CatalogEntry]:
    """Entries by name. Raises TableError naming table and key of what does not belong."""
    return {
        name: read_table(CatalogEntry, table, f"{_FILE} [{name}]")
        for name, table in tomllib.loads(text).items()
    }


@cache
def catalog() -> Mapping[str, CatalogEntry]:
    """The entries that vlseg ships with."""
    package = Path(__file__).parent
    inside, top = package / _FILE, package.parents[1] / _FILE
    return read_catalog((inside if inside.is_file() else top).read_text("utf-8"))


def find_entry(name: str) -> CatalogEntry:
    """The entry of a name. Raises WeightsError with the nearest name there is."""
    entries = catalog()
    if name not in entries:
        raise WeightsError(
            f"there are no weights named {name!r}{nearest(name, entries)} ('vlseg weights list')"
        )
    return entries[name]


def find_published(name: str) -> CatalogEntry:
    """The entry of a name whose files are fetched. Raises WeightsError for the embedded one."""
    entry = find_entry(name)
    if entry.format == "vlseg":
        raise WeightsError(f"{name} comes with vlseg: there is nothing to fetch, check or delete")
    return entry


def facts(entry: CatalogEntry) -> dict[str, Any]:
    """What is known of an entry, keys in their order, the unknown left out."""
    return {key: value for key in CatalogEntry.__slots__ if (value := getattr(entry, key))}
