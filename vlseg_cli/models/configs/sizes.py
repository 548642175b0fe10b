"""A system's configuration from the plain values of a JSON or TOML file."""

from collections.abc import Mapping
from typing import Any, TypeVar

from vlseg_cli.schema import TableError, WeightsError
from vlseg_cli.schema.tables import read_table

C = TypeVar("C")


def read_sizes(kind: type[C], values: Mapping[str, Any], system: str) -> C:
    """Make the dataclass ``kind``; lists become tuples.

    Raises WeightsError for unknown keys, wrong types and words that are none of a key's choices.
    """
    try:
        return read_table(kind, values, f"the {system} configuration")
    except TableError as error:
        raise WeightsError(str(error)) from error
