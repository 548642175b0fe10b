"""Referring expressions of a scene: every sentence has exactly one reading, by construction."""

from collections.abc import Mapping
from types import MappingProxyType

from numpy.random import Generator

from vlseg_cli.synthetic.language import noun_phrases as phrases
from vlseg_cli.synthetic.language.absent import no_target
from vlseg_cli.synthetic.language.clues import (
    ClueMaker,
    all_clue,
    category_clue,
    color_clue,
    ordinal_clue,
    position_clue,
    size_clue,
)
from vlseg_cli.synthetic.language.relation_clue import relation_clue
from vlseg_cli.synthetic.language.rng import weighted_order
from vlseg_cli.synthetic.scene import Scene, Sentence

__all__ = ["KIND_WEIGHTS", "no_target", "refer"]

# How often each kind is tried first; kinds that few scenes offer weigh more.
KIND_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {
        "category": 1.0,
        "color": 1.0,
        "position": 1.3,
        "ordinal": 1.35,
        "size": 4.0,
        "relation": 1.0,
        "all": 1.0,
    }
)

_CLUES: dict[str, ClueMaker] = {
    "category": category_clue,
    "color": color_clue,
    "position": position_clue,
    "ordinal": ordinal_clue,
    "size": size_clue,
    "relation": relation_clue,
    "all": all_clue,
}


def refer(
    scene: Scene,
    rng: Generator,
    kind: str | None = None,
    weights: Mapping[str, float] = KIND_WEIGHTS,
) -> Sentence | None:
    """Say one thing about a scene that means exactly its targets.

    kind: one of ``sentence.KINDS``, or None for any, drawn by ``weights``. Returns None if the
    scene offers no sentence of that kind.
    """
    for name in [kind] if kind else weighted_order(rng, weights):
        clue = _CLUES[name](scene, rng)
        if clue is not None:
            return Sentence(phrases.asked(rng, clue.phrase, clue.plural), name, clue.targets)
    return None
