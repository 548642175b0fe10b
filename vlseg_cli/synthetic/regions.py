"""Region prompts of an item: a point, box, scribble or rough mask that a person might draw.

Built like COCO-Interactive's, with radii that grow with the image; never the exact ground truth.
"""

import math

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from vlseg_cli.schema.prompt import Region, RegionKind
from vlseg_cli.schema.region import box_region, mask_region, point_region, scribble_region
from vlseg_cli.synthetic.scene import Scene, SceneItem

REGION_KINDS: tuple[RegionKind, ...] = ("point", "box", "scribble", "mask")
_TRIES = 20
_JITTER = 0.1  # of a box's side


def region_prompt(scene: Scene, rng: Generator, kind: RegionKind, item: SceneItem) -> Region:
    """A prompt of ``kind`` for an item; the region (H, W) always overlaps its visible mask."""
    mask = scene.ids == item.id
    if kind == "point":
        return _point(rng, mask, item)
    if kind == "box":
        return _box(rng, mask, item)
    if kind == "scribble":
        return _scribble(rng, mask, item)
    return _rough_mask(rng, mask, item)


def _point(rng: Generator, mask: NDArray[np.bool_], item: SceneItem) -> Region:
    """A point inside the item, near its center if that belongs to it."""
    x0, y0, x1, y1 = item.box
    reach = min(x1 - x0, y1 - y0) / 2
    for _ in range(_TRIES):
        angle, dx, dy = rng.random(3) * (2 * math.pi, reach, reach)
        x = int(item.center[0] + dx * math.cos(angle))
        y = int(item.center[1] + dy * math.sin(angle))
        if x0 <= x < x1 and y0 <= y < y1 and mask[y, x]:
            return point_region([(x, y)], *mask.shape)
    return point_region([_any_pixel(rng, mask)], *mask.shape)


def _box(rng: Generator, mask: NDArray[np.bool_], item: SceneItem) -> Region:
    """The item's box with each side moved by up to ``_JITTER``."""
    x0, y0, x1, y1 = item.box
    dx, dy = (x1 - x0) * _JITTER, (y1 - y0) * _JITTER
    moved = np.array(item.box) + rng.uniform(-1, 1, 4) * (dx, dy, dx, dy)
    left, top = math.floor(moved[0]), math.floor(moved[1])
    right, bottom = max(left + 2, math.ceil(moved[2])), max(top + 2, math.ceil(moved[3]))
    return box_region((left, top, right, bottom), *mask.shape)


def _scribble(rng: Generator, mask: NDArray[np.bool_], item: SceneItem) -> Region:
    """A wavy line across part of the item, interrupted outside it."""
    x0, y0, x1, y1 = item.box
    t = np.linspace(0, 1, 24)
    for _ in range(_TRIES):
        (ax, bx), (ay, by) = rng.uniform(x0, x1, 2), rng.uniform(y0, y1, 2)
        waves, phase, swing = rng.uniform((0.3, 0, 0.02), (1.0, 2 * math.pi, 0.12))
        sway = swing * min(x1 - x0, y1 - y0) * np.sin(2 * math.pi * waves * t + phase)
        x = np.clip(ax + (bx - ax) * t, x0, x1 - 1).astype(int)
        y = np.clip(ay + (by - ay) * t + sway, y0, y1 - 1).astype(int)
        inside = mask[y, x]
        long_enough = abs(bx - ax) > 0.3 * (x1 - x0) or abs(by - ay) > 0.3 * (y1 - y0)
        if long_enough and inside.mean() > 0.6:
            line = list(zip(x[inside].tolist(), y[inside].tolist(), strict=True))
            return _only_inside(scribble_region(line, *mask.shape), mask)
    return _only_inside(scribble_region([_any_pixel(rng, mask)], *mask.shape), mask)


def _only_inside(region: Region, mask: NDArray[np.bool_]) -> Region:
    return Region(region.kind, region.mask & mask)


def _rough_mask(rng: Generator, mask: NDArray[np.bool_], item: SceneItem) -> Region:
    """The item's mask blurred and thresholded at a random level: shrunk or grown."""
    x0, y0, x1, y1 = item.box
    sigma = max(1.0, rng.uniform(0.01, 0.06) * math.sqrt((x1 - x0) * (y1 - y0)))
    pad = math.ceil(2 * sigma)
    rows = slice(max(0, y0 - pad), y1 + pad)
    columns = slice(max(0, x0 - pad), x1 + pad)
    part = Image.fromarray(mask[rows, columns].astype(np.uint8) * 255)
    soft = np.asarray(part.filter(ImageFilter.GaussianBlur(sigma)))
    painted = np.zeros_like(mask)
    painted[rows, columns] = soft > min(255 * rng.uniform(0.25, 0.7), 0.8 * float(soft.max()))
    if not (painted & mask).any():  # thin shapes can vanish in the blur
        painted = mask.copy()
    if (painted == mask).all():
        painted[item.box[1]] = False  # never the exact ground truth
    return mask_region(painted if (painted & mask).any() else mask)


def _any_pixel(rng: Generator, mask: NDArray[np.bool_]) -> tuple[int, int]:
    rows, columns = np.nonzero(mask)
    index = int(rng.random() * len(rows))
    return int(columns[index]), int(rows[index])
