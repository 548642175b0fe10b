"""The checks of ``vlseg doctor``, a file per area; what can be tried is really tried."""

from dataclasses import dataclass
from enum import StrEnum


class CheckState(StrEnum):
    """Whether vlseg works with what was found."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class CheckFinding:
    """What was checked, what was found, and the remedy: a sentence, '' if all is well."""

    name: str
    found: str
    state: CheckState = CheckState.OK
    remedy: str = ""

    def to_json(self) -> dict[str, str]:
        """JSON values for ``vlseg doctor --json``; the key of the remedy is ``mend``."""
        return {"name": self.name, "found": self.found, "state": self.state, "mend": self.remedy}


def warning(name: str, found: str, remedy: str) -> CheckFinding:
    """Something that works, but not as it could."""
    return CheckFinding(name, found, CheckState.WARNING, remedy)


def broken(name: str, found: str, remedy: str) -> CheckFinding:
    """Something without which vlseg cannot be relied on."""
    return CheckFinding(name, found, CheckState.BROKEN, remedy)
