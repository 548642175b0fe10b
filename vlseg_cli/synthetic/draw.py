"""Draw a scene: plan it from its seed, paint it far to near, shade it, and measure its facts."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from vlseg_cli.schema.errors import UsageError
from vlseg_cli.synthetic.drawing.canvas import Brush, DrawingCanvas, Pose
from vlseg_cli.synthetic.drawing.ground import paint_background
from vlseg_cli.synthetic.drawing.layout import plan_scene
from vlseg_cli.synthetic.drawing.plan import Light, PlacedObject, ScenePlan
from vlseg_cli.synthetic.drawing.styles import STYLES, styled
from vlseg_cli.synthetic.hands import DEFAULT_HAND, Hand, hand_named
from vlseg_cli.synthetic.rng import DrawingRng
from vlseg_cli.synthetic.scene import GROUND, Scene, SceneItem

MIN_AREA = 0.0004  # share of the image; smaller visible areas become void
MIN_VISIBLE = 0.25  # share of the object; less visible objects become void
_NOISE_CELLS = 14  # of low-frequency noise, per side


def draw_scene(
    seed: int,
    size: int = 256,
    scene_type: str | None = None,
    shape: tuple[int, int] | None = None,
    hand: str = DEFAULT_HAND,
) -> Scene:
    """Draw the scene of ``seed``; the same seed at another size shows the same scene.

    size: longest side, px; the seed chooses 1:1, 4:3 or 3:4. scene_type: a key of
    ``scene_types.SCENE_TYPES``, the seed's choice if None. shape: (H, W) px instead of size.
    hand: a key of ``hands.HANDS``. Raises UsageError for a size, seed, scene type or hand that does
    not exist.
    """
    drawn_by = hand_named(hand)
    if min((size,) if shape is None else shape) < 1:
        raise UsageError(f"a scene cannot be {shape or size} px large: ask for 1 px or more")
    plan = plan_scene(seed, drawn_by, scene_type, None if shape is None else shape[1] / shape[0])
    return render(plan, shape or shape_of(plan, size), drawn_by)


def shape_of(plan: ScenePlan, size: int) -> tuple[int, int]:
    """(H, W) px of a plan whose longest side has ``size`` px."""
    longest = max(plan.width, plan.height)
    return max(1, round(size * plan.height / longest)), max(1, round(size * plan.width / longest))


def render(plan: ScenePlan, shape: tuple[int, int], hand: Hand) -> Scene:
    """Draw a plan of a hand on (H, W) px."""
    height, width = shape
    canvas = DrawingCanvas(height, width)
    paint_background(canvas, plan, height, width)
    scale = (height * width) ** 0.5
    sizes: dict[int, float] = {}
    full_areas: dict[int, float] = {}
    for thing in sorted(plan.things, key=lambda thing: thing.depth):
        brush = _paint(canvas, thing, scale, plan.shift)
        x0, y0, x1, y1 = brush.box
        sizes[thing.id] = ((x1 - x0) * (y1 - y0)) ** 0.5
        full_areas[thing.id] = canvas.painted(thing.id, brush.box)
    owners = canvas.owners()
    pixels = canvas.pixels()
    if all(STYLES[name].shaded for name in plan.styles):
        pixels = _lit(pixels, owners, _shading(plan), plan.light)
    pixels, owners = styled(pixels, owners, plan.styles, plan.light.seed)
    ids = _visible(owners, full_areas)
    return Scene(
        plan.seed,
        plan.scene_type,
        pixels,
        ids,
        _items(ids, plan, sizes),
        hand.categories,
        hand.language,
    )


def _paint(canvas: DrawingCanvas, thing: PlacedObject, scale: float, shift: float) -> Brush:
    x0, y0, x1, y1 = thing.box
    box = (x0 - shift) * scale, y0 * scale, (x1 - x0) * scale, (y1 - y0) * scale
    pose = Pose(*box, thing.mirrored, thing.angle)
    rng = DrawingRng(thing.random_numbers)
    brush = Brush(canvas, thing.id, pose, thing.rgb, rng, thing.outline * scale, thing.warp)
    thing.drawing.paint(brush)
    return brush


def _shading(plan: ScenePlan) -> NDArray[np.float32]:
    """Per owner: brightness at the image center, slopes to the right and down, noise factor."""
    table = np.zeros((256, 4), np.float32)
    table[:, 0], table[:, 3] = 1, 1
    rng = DrawingRng(plan.random_numbers)
    for number in range(1, len(plan.stuff) + 1):
        table[number, 1:3] = rng.uniform(-0.1, 0.1), rng.uniform(-0.1, 0.1)
    for thing in plan.things:
        across, down, bright = thing.random_numbers[-3:]
        slope_x = min(3.0, 0.12 / thing.width) * (across - 0.5) * 2 * plan.width
        slope_y = min(3.0, 0.1 / thing.height) * (down - 0.7) * 2 * plan.height
        x = (thing.x - plan.shift) / plan.width - 0.5
        y = (thing.bottom - thing.height / 2) / plan.height - 0.5
        level = 0.95 + 0.1 * bright
        table[thing.id] = level - slope_x * x - slope_y * y, slope_x, slope_y, 0.4 + bright
    return table


def _lit(
    pixels: NDArray[np.uint8], owners: NDArray[np.uint8], shading: NDArray[np.float32], light: Light
) -> NDArray[np.uint8]:
    """Apply shading, lighting and noise. pixels (H, W, 3), owners (H, W), shading (owners, 4)."""
    height, width = owners.shape
    y, x = _ramp(height)[:, None], _ramp(width)[None]
    table = shading[owners]
    factor = table[..., 0] + table[..., 1] * x + table[..., 2] * y
    factor += table[..., 3] * _shade_noise(light, height, width)
    factor *= 1 + light.gradient[0] * x + light.gradient[1] * y
    gain = np.asarray(light.tint, np.float32) * (light.contrast * light.brightness)
    lit: NDArray[np.float32] = pixels * (factor[..., None] * gain)
    lit += 128 * (1 - light.contrast)
    if light.pixel_noise:
        lit += _pixel_noise(light, height, width)
    np.clip(lit, 0, 255, out=lit)
    return lit.astype(np.uint8)


def _ramp(number: int) -> NDArray[np.float32]:
    return ((np.arange(number, dtype=np.float32) + 0.5) / number - 0.5).astype(np.float32)


def _shade_noise(light: Light, height: int, width: int) -> NDArray[np.float32]:
    """Low-frequency noise around 0, the same at every resolution."""
    coarse = np.random.default_rng(light.seed).random((_NOISE_CELLS, _NOISE_CELLS)) - 0.5
    image = Image.fromarray((coarse * light.shade_noise).astype(np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), np.float32)


def _pixel_noise(light: Light, height: int, width: int) -> NDArray[np.float32]:
    """Uniform noise per pixel and band, gray levels (74: standard deviation of random bytes)."""
    generator = np.random.default_rng((light.seed, 1 + light.frame))
    noise = np.frombuffer(generator.bytes(height * width * 3), np.uint8).reshape(height, width, 3)
    return (noise.astype(np.float32) - 127.5) * np.float32(light.pixel_noise / 74)


def _visible(owners: NDArray[np.uint8], full_areas: dict[int, float]) -> NDArray[np.uint8]:
    """Owners (H, W), void where too little of one is visible."""
    areas = np.bincount(owners.ravel(), minlength=256)
    keep = areas >= MIN_AREA * owners.size
    for number, area in full_areas.items():
        keep[number] &= bool(areas[number] >= MIN_VISIBLE * area)
    return np.where(keep, np.arange(256), 0).astype(np.uint8)[owners]


def _items(
    ids: NDArray[np.uint8], plan: ScenePlan, sizes: dict[int, float]
) -> tuple[SceneItem, ...]:
    """The facts of every visible id, measured on the ids (H, W)."""
    by_row, by_column = _profiles(ids)
    things = {thing.id: thing for thing in plan.things}
    colored = all(STYLES[name].shows_colors for name in plan.styles)
    present = np.flatnonzero(by_row.any(1)).tolist()
    items = []
    for number in present:
        if number in (0, GROUND):
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
            thing = things[number]
            name, color, on = thing.category, thing.color if colored else None, thing.on
            on = on if on in present else None
            items.append(SceneItem(number, name, True, color, box, center, area, sizes[number], on))
    return tuple(items)


def _profiles(ids: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number of pixels of each id by row (256, H), and by column (256, W)."""
    height, width = ids.shape
    owner = ids.astype(np.int64)
    down = (owner * height + np.arange(height)[:, None]).ravel()
    across = (owner * width + np.arange(width)).ravel()
    rows = np.bincount(down, minlength=256 * height)
    columns = np.bincount(across, minlength=256 * width)
    return rows.reshape(256, height), columns.reshape(256, width)
