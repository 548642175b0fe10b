"""The relation clue: 'the small red car left of the tree'.

An anchor that is certain, a relation that holds for one candidate and clearly fails for its
rivals; color and size words narrow the candidates down first or are added where they are true.
"""

from collections.abc import Iterator

from numpy.random import Generator

from vlseg_cli.synthetic.language import noun_phrases as phrases
from vlseg_cli.synthetic.language.candidates import Group, by_category, thing_groups
from vlseg_cli.synthetic.language.clues import SIZE_RATIO, Clue, longest_side, sizes
from vlseg_cli.synthetic.language.noun_phrases import noun
from vlseg_cli.synthetic.language.relations import MARGIN, RELATIONS, Holds, distance
from vlseg_cli.synthetic.language.rng import pick, shuffled
from vlseg_cli.synthetic.language.templates import SIZE_WORDS
from vlseg_cli.synthetic.scene import Scene, SceneItem

_RIVALS_FIRST = 0.8  # share of sentences that look for candidates with rivals before others
_EXTRA_WORD = 0.25  # share of sentences with a true adjective more than needed


def relation_clue(scene: Scene, rng: Generator) -> Clue | None:
    """A target told apart by where it is beside one other thing that is told apart itself."""
    groups = shuffled(rng, thing_groups(scene))
    if rng.random() < _RIVALS_FIRST:
        groups.sort(key=lambda group: len(group.items) == 1)
    anchors = shuffled(rng, (group for group in groups if len(group.items) == 1))
    for group in groups:
        for anchor in anchors:
            if anchor.items[0] not in group.items:
                found = list(_told_apart(group, anchor.items[0], longest_side(scene)))
                if found:
                    relation, item, size = pick(rng, found)
                    phrase = _phrase(scene, rng, group, anchor, relation, item, size)
                    return Clue(phrase, (item.id,))
    return None


def _told_apart(
    group: Group, anchor: SceneItem, side: int
) -> Iterator[tuple[str, SceneItem, str | None]]:
    """Relation, item meant, and the size word needed with it (None if the relation suffices)."""
    for relation, holds in RELATIONS.items():
        answers = [(item, holds(item, anchor, side)) for item in group.items]
        meant = tuple(item for item, answer in answers if answer is Holds.YES)
        if not meant or any(answer is Holds.UNCLEAR for _, answer in answers):
            continue
        if len(meant) == 1:
            yield relation, meant[0], None
        else:
            sized = sizes(Group(group.category, group.color, meant))
            yield from ((relation, item, size) for size, item in sized.items())
    line = sorted(group.items, key=lambda item: distance(item, anchor))
    if len(line) > 1:
        near, next_near = distance(line[0], anchor), distance(line[1], anchor)
        if next_near >= SIZE_RATIO * near and next_near - near >= MARGIN * side:
            yield "closest to", line[0], None


def _phrase(
    scene: Scene,
    rng: Generator,
    group: Group,
    anchor: Group,
    relation: str,
    item: SceneItem,
    size: str | None,
) -> str:
    present = by_category(scene)
    everyone = Group(group.category, None, present[group.category])
    if size is None and rng.random() < _EXTRA_WORD:
        size = next((word for word, it in sizes(everyone).items() if it is item), None)
    color = group.color
    if color is None and rng.random() < _EXTRA_WORD:
        color = item.color
    anchor_color = anchor.color
    if anchor_color is None and rng.random() < _EXTRA_WORD:
        anchor_color = anchor.items[0].color
    adjectives = [pick(rng, SIZE_WORDS[size])] if size else []
    adjectives += [color] if color else []
    return phrases.relation_phrase(
        rng,
        adjectives,
        noun(rng, group.category, present),
        relation,
        phrases.head(noun(rng, anchor.category, present), anchor_color),
    )
