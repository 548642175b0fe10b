"""Options every test may use: where golden files lie, and how many threads torch may take."""

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--goldens",
        type=Path,
        help="directory of golden files to run against (default: the folder's own goldens/)",
    )
    parser.addoption(
        "--full-size",
        action="store_true",
        help="promises in full: 200 kills, 10,000 mutants, 100,000 frames (an hour or two)",
    )


@pytest.fixture(scope="session", autouse=True)
def _threads() -> None:
    import torch

    torch.set_num_threads(2)
