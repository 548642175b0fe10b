"""Masks of damaged files never crash the process: each decodes to its size, or is one sentence."""

import json
import subprocess
import sys
from pathlib import Path


def test_mutated_masks_are_read_or_refused(mutants: int, record_property) -> None:
    script = Path(__file__).with_name("masks.py")
    ran = subprocess.run(
        [sys.executable, script, str(mutants), "1"], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    outcomes = json.loads(ran.stdout)
    for outcome, count in outcomes.items():
        record_property(outcome, count)
    assert sum(outcomes.values()) == mutants
    assert min(outcomes["decoded"], outcomes["refused"]) > mutants / 20
