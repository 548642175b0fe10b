"""One line of a doctor's report."""

from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """What a finding means for work with vlseg."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """What was looked at, what there is, and how to mend it: a sentence, '' if all is well."""

    name: str
    found: str
    state: CheckState = CheckState.OK
    mend: str = ""


def warning(name: str, found: str, mend: str) -> CheckFinding:
    """Something that works, but not as it could."""
    return CheckFinding(name, found, CheckState.WARNING, mend)


def broken(name: str, found: str, mend: str) -> CheckFinding:
    """Something that has to be mended before vlseg can be relied on."""
    return CheckFinding(name, found, CheckState.BROKEN, mend)
