"""One line of a doctor's report."""

from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """What a finding means for work with vlseg."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was looked at, what there is, and how to mend it: a sentence, '' if all is well."""

    name: str
    found: str
    state: State = State.OK
    mend: str = ""


def warning(name: str, found: str, mend: str) -> Finding:
    """Something that works, but not as it could."""
    return Finding(name, found, State.WARNING, mend)


def broken(name: str, found: str, mend: str) -> Finding:
    """Something that has to be mended before vlseg can be relied on."""
    return Finding(name, found, State.BROKEN, mend)
