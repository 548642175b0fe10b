"""Official numbers: small data sets and what the official evaluators printed on them."""

import json
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

# A busy machine is no failure.
settings.register_profile("metrics", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("metrics")

COPY = Path(__file__).parent / "goldens"


@pytest.fixture(scope="session")
def goldens(request: pytest.FixtureRequest) -> Path:
    """The folder given by --goldens, or the repository's own copy."""
    folder = request.config.getoption("--goldens") or COPY
    assert (folder / "expected.json").is_file(), f"no expected.json in {folder}"
    return folder


@pytest.fixture(scope="session")
def expected(goldens: Path) -> dict[str, Any]:
    """All of expected.json."""
    return json.loads((goldens / "expected.json").read_text())


@pytest.fixture
def agrees(expected: dict[str, Any], request: pytest.FixtureRequest) -> Callable[..., None]:
    """Assert that ours is the whole entry of ``test_<entry>.py``, key by key and number by number.

    Counts (our ints) must be equal, floats within 1e-9; within 1e-6 of their size in those parts
    of the entry whose evaluator adds ``float32``.
    """

    def check(ours: dict[str, Any], float32: Collection[str] = ()) -> None:
        entry = request.path.stem.removeprefix("test_")
        compare(entry, dict.fromkeys(ours), dict.fromkeys(expected[entry]))
        for part, value in ours.items():
            tolerance = {"rel": 1e-6} if part in float32 else {"rel": 0.0, "abs": 1e-9}
            compare(f"{entry}.{part}", value, expected[entry][part], **tolerance)

    return check


def compare(where: str, ours: Any, theirs: Any, **tolerance: float) -> None:
    """Assert equality of two nested values, floats within the tolerance of ``pytest.approx``."""
    if isinstance(theirs, dict):
        assert isinstance(ours, dict), f"{where}: {ours} is no group of numbers"
        named = {str(key): value for key, value in ours.items()}
        assert named.keys() == theirs.keys(), f"{where}: {named.keys() ^ theirs.keys()}"
        for key, value in named.items():
            compare(f"{where}.{key}", value, theirs[key], **tolerance)
    elif isinstance(theirs, list):
        assert len(ours) == len(theirs), f"{where}: {len(ours)} entries, not {len(theirs)}"
        for number, pair in enumerate(zip(ours, theirs, strict=True)):
            compare(f"{where}[{number}]", *pair, **tolerance)
    elif isinstance(ours, float):
        assert isinstance(theirs, int | float), f"{where}: {ours} is not {theirs}"
        assert ours == pytest.approx(theirs, **tolerance), where
    else:
        assert ours == theirs, f"{where}: {ours} is not {theirs}"
