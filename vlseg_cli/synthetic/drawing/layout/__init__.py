"""From a seed to a plan: the place, its ground, its cast, their spots, the light."""

from vlseg_cli.schema.errors import UsageError
from vlseg_cli.synthetic.drawing.layout.arrange import put, put_crowd
from vlseg_cli.synthetic.drawing.layout.placement import Placement
from vlseg_cli.synthetic.drawing.layout.scene_types import PLACES, Ground, Role
from vlseg_cli.synthetic.drawing.plan import Light, ScenePlan
from vlseg_cli.synthetic.drawing.rng import DrawingRng

__all__ = ["PLACES", "plan_scene"]

_ASPECTS = (1.0, 1.0, 4 / 3, 3 / 4)
MOST = 13
# Places with many categories of their own are drawn twice as often, so that each is seen enough.
_OFTEN = (*PLACES, "kitchen", "room", "street", "field")


def plan_scene(seed: int, place: str | None = None, aspect: float | None = None) -> ScenePlan:
    """Plan the scene of ``seed``; ``place`` and ``aspect`` (width / height) override its choice."""
    if seed < 0:
        raise UsageError(f"a scene's seed cannot be negative, but {seed} is: use 0 or more")
    if place is not None and place not in PLACES:
        raise UsageError(f"no place is called {place!r}: choose one of {', '.join(PLACES)}")
    dice = DrawingRng.seeded(seed)
    chosen_place, chosen_aspect = dice.pick(_OFTEN), dice.pick(_ASPECTS)
    place, aspect = place or chosen_place, aspect or chosen_aspect
    ground = PLACES[place].ground(dice)
    stage = Placement(
        dice, aspect**0.5, aspect**-0.5, len(ground.stuff) + 1, dice.pick((0.0, 0.0, 0.3, 1.0))
    )
    traits = tuple(dice.roll() for _ in range(251))
    _fill(stage, ground, PLACES[place].roles)
    return ScenePlan(
        seed, place, aspect, ground.levels, ground.stuff, traits, tuple(stage.things), _light(dice)
    )


def _fill(stage: Placement, ground: Ground, roles: tuple[Role, ...]) -> None:
    """The usual furniture first, then a crowd in half of the scenes, then whoever comes by."""
    dice, target = stage.dice, stage.dice.pick((3, 4, 5, 6, 7, 7, 8, 9, 10, 11, 12, 13))
    for role in roles:
        if dice.chance(role.chance):
            put(stage, ground, role)
    if dice.chance(0.5):
        put_crowd(stage, ground, _someone(dice, roles), dice.pick((2, 2, 3, 3, 4)))
    for _ in range(target - len(stage.things)):
        put(stage, ground, _someone(dice, roles))
    del stage.things[MOST:]


def _someone(dice: DrawingRng, roles: tuple[Role, ...]) -> Role:
    """One role, by weight."""
    left = dice.roll() * sum(role.weight for role in roles)
    for role in roles:
        left -= role.weight
        if left < 0:
            return role
    return roles[-1]


def _light(dice: DrawingRng) -> Light:
    cast = dice.between(-0.06, 0.06), dice.between(-0.025, 0.025), dice.between(-0.06, 0.06)
    return Light(
        contrast=dice.between(0.85, 1.12),
        brightness=dice.between(0.9, 1.08),
        cast=(1 + cast[0], 1 + cast[1], 1 + cast[2]),
        slope=(dice.between(-0.15, 0.15), dice.between(-0.12, 0.12)),
        cloud=dice.between(0.04, 0.16),
        grain=dice.between(0, 6) if dice.chance(0.8) else 0.0,
        seed=int(dice.roll() * 2**31),
    )
