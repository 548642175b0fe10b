"""No official number without a check, and no check without its numbers."""

from pathlib import Path
from typing import Any


def test_every_entry_has_its_check_and_every_check_its_entry(expected: dict[str, Any]) -> None:
    checks = {file.stem.removeprefix("test_") for file in Path(__file__).parent.glob("test_*.py")}
    assert set(expected) == checks - {"entries"}
