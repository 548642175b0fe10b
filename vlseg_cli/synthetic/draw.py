"""Draw a scene: plan it from its seed, paint it far to near, light it, and write down its truth."""

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema.errors import UsageError
from vlseg_cli.synthetic.drawing.backdrop import paint_backdrop
from vlseg_cli.synthetic.drawing.canvas import Brush, DrawingCanvas, Pose
from vlseg_cli.synthetic.drawing.layout import plan_scene
from vlseg_cli.synthetic.drawing.objects import DRAWINGS
from vlseg_cli.synthetic.drawing.plan import Placed, ScenePlan
from vlseg_cli.synthetic.drawing.rng import DrawingRng
from vlseg_cli.synthetic.drawing.shading import finished
from vlseg_cli.synthetic.scene import Scene, SceneItem

SMALLEST = 0.0004  # of the picture: what shows less is nobody's
HIDDEN = 0.25  # of itself: what shows less is nobody's


def draw_scene(
    seed: int, size: int = 256, place: str | None = None, shape: tuple[int, int] | None = None
) -> Scene:
    """Draw the scene of ``seed``.

    size: longest side in px; the seed picks 1:1, 4:3 or 3:4. place: one of ``layout.PLACES``, the
    seed's choice if None. shape: (H, W) px instead of size. The same seed at another size shows
    the same scene.
    """
    if min((size,) if shape is None else shape) < 1:
        raise UsageError(f"a scene cannot be {shape or size} px large: ask for 1 px or more")
    plan = plan_scene(seed, place, None if shape is None else shape[1] / shape[0])
    return render(plan, shape or shape_of(plan, size))


def shape_of(plan: ScenePlan, size: int) -> tuple[int, int]:
    """(H, W) px of a plan whose longest side has ``size`` px."""
    longest = max(plan.width, plan.height)
    return max(1, round(size * plan.height / longest)), max(1, round(size * plan.width / longest))


def render(plan: ScenePlan, shape: tuple[int, int]) -> Scene:
    """Draw a plan on (H, W) px."""
    height, width = shape
    canvas = DrawingCanvas(height, width)
    paint_backdrop(canvas, plan, height, width)
    scale = (height * width) ** 0.5
    things = sorted(plan.things, key=lambda thing: thing.depth)
    sizes: dict[int, float] = {}
    whole: dict[int, float] = {}
    for thing in things:
        brush = _paint(canvas, thing, scale, plan.shift)
        x0, y0, x1, y1 = brush.box
        sizes[thing.id] = ((x1 - x0) * (y1 - y0)) ** 0.5
        whole[thing.id] = canvas.painted(thing.id, brush.box)
    owners = canvas.owners()
    pixels = finished(canvas.pixels(), owners, _shading(plan), plan.light)
    ids = _seen(owners, whole)
    return Scene(plan.seed, plan.place, pixels, ids, _items(ids, plan, sizes))


def _paint(canvas: DrawingCanvas, thing: Placed, scale: float, shift: float) -> Brush:
    x0, y0, x1, y1 = thing.box
    pose = Pose(
        (x0 - shift) * scale,
        y0 * scale,
        (x1 - x0) * scale,
        (y1 - y0) * scale,
        thing.mirrored,
        thing.degrees,
    )
    outline = thing.outline * scale
    brush = Brush(canvas, thing.id, pose, thing.rgb, DrawingRng(thing.traits), outline)
    DRAWINGS[thing.category].paint(brush)
    return brush


def _shading(plan: ScenePlan) -> NDArray[np.float32]:
    """Per owner: brightness at the picture's middle, slopes to the right and down, cloudiness."""
    last = max((thing.id for thing in plan.things), default=len(plan.stuff))
    table = np.zeros((last + 1, 4), np.float32)
    table[:, 0], table[:, 3] = 1, 1
    dice = DrawingRng(plan.ground)
    for number in range(1, len(plan.stuff) + 1):
        table[number, 1:3] = dice.between(-0.1, 0.1), dice.between(-0.1, 0.1)
    for thing in plan.things:
        across, down, bright = thing.traits[-3], thing.traits[-2], thing.traits[-1]
        slope_x = min(3.0, 0.12 / thing.wide) * (across - 0.5) * 2 * plan.width
        slope_y = min(3.0, 0.1 / thing.tall) * (down - 0.7) * 2 * plan.height
        x = (thing.x - plan.shift) / plan.width - 0.5
        y = (thing.base - thing.tall / 2) / plan.height - 0.5
        level = 0.95 + 0.1 * bright
        table[thing.id] = level - slope_x * x - slope_y * y, slope_x, slope_y, 0.4 + bright
    return table


def _seen(owners: NDArray[np.uint8], whole: dict[int, float]) -> NDArray[np.uint8]:
    """Owners with everything that shows too little turned into void."""
    areas = np.bincount(owners.ravel(), minlength=256)
    keep = areas >= SMALLEST * owners.size
    for number, area in whole.items():
        keep[number] &= bool(areas[number] >= HIDDEN * area)
    return np.where(keep, np.arange(256), 0).astype(np.uint8)[owners]


def _items(
    ids: NDArray[np.uint8], plan: ScenePlan, sizes: dict[int, float]
) -> tuple[SceneItem, ...]:
    """The facts of every id that is left, measured on the ids themselves."""
    by_row, by_column = _profiles(ids)
    things = {thing.id: thing for thing in plan.things}
    present = np.flatnonzero(by_row.any(1)).tolist()
    items = []
    for number in present:
        if not number:
            continue
        down, across = by_row[number], by_column[number]
        ys, xs = np.flatnonzero(down), np.flatnonzero(across)
        area = int(down.sum())
        box = (int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1)
        center = (float(xs @ across[xs]) / area, float(ys @ down[ys]) / area)
        if number <= len(plan.stuff):
            name, size = plan.stuff[number - 1], ((box[2] - box[0]) * (box[3] - box[1])) ** 0.5
            items.append(SceneItem(number, name, False, None, box, center, area, float(size)))
        else:
            name, word, on = things[number].category, things[number].word, things[number].on
            on = on if on in present else None
            items.append(SceneItem(number, name, True, word, box, center, area, sizes[number], on))
    return tuple(items)


def _profiles(ids: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pixels of each id by row, (256, H), and by column, (256, W)."""
    height, width = ids.shape
    owner = ids.astype(np.int64)
    down = (owner * height + np.arange(height)[:, None]).ravel()
    across = (owner * width + np.arange(width)).ravel()
    rows = np.bincount(down, minlength=256 * height)
    columns = np.bincount(across, minlength=256 * width)
    return rows.reshape(256, height), columns.reshape(256, width)
