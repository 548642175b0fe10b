"""Scenes that the tests of the drawn world share, drawn once."""

import pytest

from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.scene import Scene


@pytest.fixture(scope="session")
def scenes() -> list[Scene]:
    """Sixty scenes of small size, of every place and with all kinds of rivals."""
    return [draw_scene(seed, 128) for seed in range(60)]
