"""The miniature of every system, by the registry's names."""

from collections.abc import Mapping

from miniatures import hrseg, hyperseg, mvp_lm, psalm, self1e
from miniatures.golden import Miniature

MINIATURES: Mapping[str, Miniature] = {
    "psalm": psalm,
    "hyperseg": hyperseg,
    "mvp-lm": mvp_lm,
    "self1e": self1e,
    "hrseg": hrseg,
}
