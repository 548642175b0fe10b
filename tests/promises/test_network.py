"""No command but a download touches the network: the interpreter reports every attempt."""

import json
import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"

# An audit hook is called before Python code, in any library, uses the network.
_WATCHED = """
import json, socket, sys
def refuse(event, arguments):
    reaches_out = event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.sendto")
    if event == "socket.connect":
        reaches_out = arguments[0].family != getattr(socket, "AF_UNIX", None)
    if reaches_out:
        print("NETWORK", event, arguments, file=sys.stderr)
        raise OSError("no network")
sys.addaudithook(refuse)
from vlseg_cli.cli.main import main
for words, code in json.loads(sys.argv[1]):
    if (found := main(words)) != code:
        sys.exit(f"{words} ended with {found}")
"""


def test_the_network_is_left_alone(official_psalm: Path, tmp_path: Path) -> None:
    """HF_HUB_OFFLINE is not even set: nothing tries, also where weights are missing."""
    official, reason = str(official_psalm), ["reason", str(EXAMPLES / "kitchen.png"), "what flies?"]
    commands = [
        (["weights", "list"], 0),
        (["weights", "show", "psalm"], 0),
        (["weights", "path", "psalm"], 0),
        (["weights", "verify", "psalm"], 5),
        (["weights", "convert", "psalm"], 5),
        (["weights", "convert", official, "ours"], 0),
        ([*reason, "--model", "psalm"], 5),
        ([*reason, "--model", official], 0),
        ([*reason, "--model", "ours"], 0),
        (reason, 0),
        (["doctor"], 0),
        (["world", "drawn", "--scenes", "1", "--seeds", "42:43"], 0),
    ]
    env = {name: value for name, value in os.environ.items() if "OFFLINE" not in name}
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED, json.dumps(commands)],
        cwd=tmp_path,
        env={**env, "HF_HOME": str(tmp_path / "home")},
        capture_output=True,
        text=True,
    )
    assert "NETWORK" not in done.stderr
    assert done.returncode == 0, done.stderr


def test_an_attempt_would_be_seen(tmp_path: Path) -> None:
    """A download tries, and the hook catches it: the test above can fail."""
    commands = [(["weights", "pull", "psalm"], 5)]
    done = subprocess.run(
        [sys.executable, "-c", _WATCHED, json.dumps(commands)],
        env={**os.environ, "HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"},
        capture_output=True,
        text=True,
    )
    assert "NETWORK socket.getaddrinfo" in done.stderr
    assert "cannot be reached; try again with a network" in done.stderr
