"""Scenes of hands that speak the wide language, drawn once."""

import pytest

from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.scene import Scene


@pytest.fixture(scope="session")
def wide_scenes() -> list[Scene]:
    """Three hundred small scenes of the hand that models are trained on."""
    return [draw_scene(seed, 96, hand="wide") for seed in range(300)]
