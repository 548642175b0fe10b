"""From a seed to a plan: scene type, background, objects with their positions, lighting, styles."""

from vlseg_cli.schema.errors import UsageError
from vlseg_cli.synthetic.drawing.free_layouts import FREE_LAYOUTS
from vlseg_cli.synthetic.drawing.placement import Placement, place_objects
from vlseg_cli.synthetic.drawing.plan import Light, ScenePlan
from vlseg_cli.synthetic.drawing.scene_types import SCENE_TYPES
from vlseg_cli.synthetic.drawing.styles import STYLES
from vlseg_cli.synthetic.drawing.wide_scene_types import WIDE_SCENE_TYPES
from vlseg_cli.synthetic.hands import Hand
from vlseg_cli.synthetic.rng import DrawingRng

_ASPECTS = (1.0, 1.0, 4 / 3, 3 / 4)
# Scene types with many categories of their own are drawn twice as often, to balance categories.
_TYPE_CHOICES = (*SCENE_TYPES, "kitchen", "room", "street", "field")
_WIDE_CHOICES = (*WIDE_SCENE_TYPES, *("kitchen", "room") * 3, "street", "garden")
_OUTLINED = (0.0, 0.0, 0.3, 1.0)
_BACKGROUND_NUMBERS = 251
_FREE, _TWO_STYLES = 0.45, 0.25  # shares of scenes
_LONG_STREAM = 7, 16384  # a seed's random numbers for hands that draw more than the first


def plan_scene(
    seed: int, hand: Hand, scene_type: str | None = None, aspect: float | None = None
) -> ScenePlan:
    """Plan the scene of ``seed``.

    scene_type, aspect (width / height): override the seed's choice. Raises UsageError for a
    negative seed or a scene type that the hand does not draw.
    """
    if seed < 0:
        raise UsageError(f"a scene's seed cannot be negative, but {seed} is: use 0 or more")
    choices = scene_types(hand)
    if scene_type is not None and scene_type not in choices:
        names = ", ".join(choices)
        raise UsageError(f"there is no scene type {scene_type!r}: choose one of {names}")
    if "free" in hand.layouts:
        return _plan_varied(seed, hand, scene_type, aspect)
    rng = DrawingRng.seeded(seed)
    seed_type, seed_aspect = rng.choice(_TYPE_CHOICES), rng.choice(_ASPECTS)
    return _planned(rng, seed, hand, scene_type or seed_type, aspect or seed_aspect, hand.styles)


def scene_types(hand: Hand) -> tuple[str, ...]:
    """The names of all scene types and free layouts of a hand."""
    return (*WIDE_SCENE_TYPES, *FREE_LAYOUTS) if "free" in hand.layouts else tuple(SCENE_TYPES)


def _plan_varied(seed: int, hand: Hand, scene_type: str | None, aspect: float | None) -> ScenePlan:
    """Any scene type or free layout, any shape, one or two styles."""
    stream, length = _LONG_STREAM
    rng = DrawingRng.seeded(seed, stream, length)
    seed_type = rng.choice(tuple(FREE_LAYOUTS) if rng.bernoulli(_FREE) else _WIDE_CHOICES)
    seed_aspect = 2.0 ** rng.uniform(-1, 1)
    seed_aspect = rng.choice((*_ASPECTS, seed_aspect, seed_aspect))
    styles = tuple(rng.sample(hand.styles, 2 if rng.bernoulli(_TWO_STYLES) else 1))
    return _planned(rng, seed, hand, scene_type or seed_type, aspect or seed_aspect, styles)


def _planned(
    rng: DrawingRng,
    seed: int,
    hand: Hand,
    scene_type: str,
    aspect: float,
    styles: tuple[str, ...],
) -> ScenePlan:
    known = WIDE_SCENE_TYPES if "free" in hand.layouts else SCENE_TYPES
    layout = FREE_LAYOUTS.get(scene_type)
    background = known[scene_type].background(rng) if layout is None else layout.ground(rng)
    first_id, outlined = len(background.stuff) + 1, rng.choice(_OUTLINED)
    if any(STYLES[name].outlined for name in styles):
        outlined = 1.0
    placement = Placement(rng, aspect**0.5, aspect**-0.5, first_id, outlined, hand)
    numbers = tuple(rng.random() for _ in range(_BACKGROUND_NUMBERS))
    if layout is None:
        place_objects(placement, background, known[scene_type].priors)
    else:
        placement.turn = rng.choice((0.0, 0.0, 25.0))
        layout.place(placement)
    things, light = tuple(placement.things), _light(rng)
    levels, stuff = background.levels, background.stuff
    return ScenePlan(seed, scene_type, aspect, levels, stuff, numbers, things, light, styles)


def _light(rng: DrawingRng) -> Light:
    tint = rng.uniform(-0.06, 0.06), rng.uniform(-0.025, 0.025), rng.uniform(-0.06, 0.06)
    return Light(
        contrast=rng.uniform(0.85, 1.12),
        brightness=rng.uniform(0.9, 1.08),
        tint=(1 + tint[0], 1 + tint[1], 1 + tint[2]),
        gradient=(rng.uniform(-0.15, 0.15), rng.uniform(-0.12, 0.12)),
        shade_noise=rng.uniform(0.04, 0.16),
        pixel_noise=rng.uniform(0, 6) if rng.bernoulli(0.8) else 0.0,
        seed=int(rng.random() * 2**31),
    )
