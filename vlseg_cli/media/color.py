"""From any Pillow mode to 8-bit RGB, as a person would see the picture on a white page.

Pillow's own ``convert`` clips 16-bit and float pixels to 255 and drops alpha; both are put right
here, before the models see anything.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms

_TIFF_BITS_PER_SAMPLE = 258


def to_rgb(image: Image.Image) -> Image.Image:
    """Convert to mode RGB: wide pixels scaled to 8 bits, transparency laid on white."""
    if image.mode.startswith("I;16"):
        return _from_16_bit(image).convert("RGB")
    if image.mode in ("I", "F"):
        return _from_unbounded(image).convert("RGB")
    if image.mode == "LAB":
        return _from_lab(image)
    if image.has_transparency_data:
        return _on_white(image.convert("RGBA"))
    return image.convert("RGB")


def _from_16_bit(image: Image.Image) -> Image.Image:
    """Scale by the range the file declares: 16 bits, or fewer where a TIFF packs 10 or 12."""
    bits = max(getattr(image, "tag_v2", {}).get(_TIFF_BITS_PER_SAMPLE, (16,)))
    top = (1 << bits) - 1
    table = np.minimum(np.arange(1 << 16) * 255.0 / top + 0.5, 255).astype(np.uint8)
    return Image.fromarray(table[np.asarray(image)])


def _from_unbounded(image: Image.Image) -> Image.Image:
    """Scale 32-bit integers and floats, whose range no header tells, by what is in the picture."""
    values = np.nan_to_num(np.asarray(image, np.float32), nan=0.0, posinf=0.0, neginf=0.0)
    low, high = _range(values, is_float=image.mode == "F")
    scaled = (values - low) * (255.0 / (high - low)) + 0.5
    return Image.fromarray(np.clip(scaled, 0, 255).astype(np.uint8))


def _range(values: NDArray[np.float32], is_float: bool) -> tuple[float, float]:
    """The values that mean black and white: the smallest usual range they fit, else their own."""
    low, high = float(values.min()), float(values.max())
    usual = (1.0, 255.0, 65535.0) if is_float else (255.0, 65535.0)
    for top in usual:
        if low >= 0 and high <= top:
            return 0.0, top
    return low, high if high > low else low + 1.0


def _from_lab(image: Image.Image) -> Image.Image:
    transform = ImageCms.buildTransform(
        ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB"
    )
    rgb = ImageCms.applyTransform(image, transform)
    assert rgb is not None  # None only when told to work in place
    return rgb


def _on_white(image: Image.Image) -> Image.Image:
    page = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(page, image).convert("RGB")
