"""The size of these tests: to fit the suite, or in full with ``--full-size``."""

import pytest


@pytest.fixture(scope="session")
def full_size(request: pytest.FixtureRequest) -> bool:
    """Whether to test in full."""
    return bool(request.config.getoption("--full-size"))


@pytest.fixture(scope="session")
def kill_points(full_size: bool) -> int:
    """How often jobs of each of four kinds are killed."""
    return 52 if full_size else 6


@pytest.fixture(scope="session")
def mutants(full_size: bool) -> int:
    """How many damaged files are read."""
    return 10_000 if full_size else 500


@pytest.fixture(scope="session")
def stream_frames(full_size: bool) -> int:
    """How many frames the long stream has."""
    return 100_000 if full_size else 3_000
