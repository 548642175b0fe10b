"""Scenes shared by the tests of synthetic data, drawn once."""

import pytest

from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.scene import Scene


@pytest.fixture(scope="session")
def scenes() -> list[Scene]:
    """Sixty small scenes of all types."""
    return [draw_scene(seed, 128) for seed in range(60)]
