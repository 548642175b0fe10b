"""From flat paint to a picture: shading of every owner, clouds of light, grain, contrast, cast."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlseg_cli.synthetic.drawing.plan import Light

_CLOUD_CELLS = 14


def finished(
    pixels: NDArray[np.uint8], owners: NDArray[np.uint8], shading: NDArray[np.float32], light: Light
) -> NDArray[np.uint8]:
    """Light a flat picture.

    pixels: (H, W, 3). owners: (H, W). shading: (owners, 4), for each owner its brightness at the
    picture's middle, its slopes per picture width and height, and how strongly clouds show on it.
    """
    height, width = owners.shape
    y, x = _ramp(height)[:, None], _ramp(width)[None]
    table = shading[owners]
    factor = table[..., 0] + table[..., 1] * x + table[..., 2] * y
    factor += table[..., 3] * _clouds(light, height, width)
    factor *= 1 + light.slope[0] * x + light.slope[1] * y
    gain = np.asarray(light.cast, np.float32) * (light.contrast * light.brightness)
    lit: NDArray[np.float32] = pixels * (factor[..., None] * gain)
    lit += 128 * (1 - light.contrast)
    if light.grain:
        lit += _grain(light, height, width)
    np.clip(lit, 0, 255, out=lit)
    return lit.astype(np.uint8)


def _ramp(number: int) -> NDArray[np.float32]:
    return ((np.arange(number, dtype=np.float32) + 0.5) / number - 0.5).astype(np.float32)


def _clouds(light: Light, height: int, width: int) -> NDArray[np.float32]:
    """Low-frequency noise around 0: the same at every resolution."""
    coarse = np.random.default_rng(light.seed).random((_CLOUD_CELLS, _CLOUD_CELLS)) - 0.5
    image = Image.fromarray((coarse * light.cloud).astype(np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), np.float32)


def _grain(light: Light, height: int, width: int) -> NDArray[np.float32]:
    """Noise of single pixels and bands in grey levels, uniform (74 is its deviation in bytes)."""
    generator = np.random.default_rng((light.seed, 1 + light.frame))
    noise = np.frombuffer(generator.bytes(height * width * 3), np.uint8).reshape(height, width, 3)
    return (noise.astype(np.float32) - 127.5) * np.float32(light.grain / 74)
