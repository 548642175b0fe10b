"""No command but a download touches the network: the interpreter reports every attempt."""

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

# An audit hook sees what Python code asks of the system, in all libraries, before it happens.
_WATCHED = """
import socket, sys
def refuse(event, arguments):
    reaches_out = event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
    if event == "socket.connect":
        reaches_out = arguments[0].family != getattr(socket, "AF_UNIX", None)
    if reaches_out:
        print("NETWORK", event, arguments, file=sys.stderr)
        raise OSError("no network")
sys.addaudithook(refuse)
from vlseg_cli.cli.entry import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("reason", str(EXAMPLES / "kitchen.png"), "what keeps food cold?", "--out", "out"),
        ("doctor",),
        ("world", "drawn", "--scenes", "1", "--seeds", "42:43"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_the_network_is_left_alone(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED, *arguments],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "NETWORK" not in done.stderr
    assert done.returncode == 0, done.stderr
