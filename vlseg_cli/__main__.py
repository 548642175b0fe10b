"""``python -m vlseg_cli`` and the console script ``vlseg``."""

import sys

from vlseg_cli.cli.main import main as run_command


def main() -> None:
    """Run the command line of this process and leave with its exit code."""
    sys.exit(run_command(sys.argv[1:]))


if __name__ == "__main__":
    main()
