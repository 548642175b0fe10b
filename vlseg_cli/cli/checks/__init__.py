"""What ``vlseg doctor`` looks at, a file for each area; what can be tried is really tried."""

from vlseg_cli.cli.checks.examine import AREAS, examine
from vlseg_cli.cli.checks.finding import CheckFinding, CheckState

__all__ = ["AREAS", "CheckFinding", "CheckState", "examine"]
