"""The scenes of specimens: sets that are drawn together are drawn from the same few."""

from functools import lru_cache

from vlseg_cli.worlds.draw import draw_scene
from vlseg_cli.worlds.scene import Scene


@lru_cache(maxsize=32)
def specimen_scene(seed: int, size: int) -> Scene:
    """The scene of a seed, ``size`` px along the longest side; the latest are remembered."""
    return draw_scene(seed, size)
