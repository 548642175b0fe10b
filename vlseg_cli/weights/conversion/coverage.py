"""Whether a conversion accounts for every official tensor and for every one of ours."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from torch import Tensor

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.conversion.rules import Drop, Fill, Rule, find_fill, find_rule

Shapes = Mapping[str, tuple[int, ...]]


def shapes_of(tensors: Mapping[str, Tensor]) -> Shapes:
    """The shape of each tensor."""
    return {name: tuple(tensor.shape) for name, tensor in tensors.items()}


_NAMED = 4  # at most so many names of a kind in one sentence


@dataclass(frozen=True, slots=True)
class Coverage:
    """used: official name to ours. dropped: official name to the reason. made: our name to the
    reason why no file has it. The rest should be empty: unknown official names, missing names of
    ours, misshapen ones with both shapes."""

    used: Mapping[str, tuple[str, ...]]
    dropped: Mapping[str, str]
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    misshapen: tuple[str, ...]
    made: Mapping[str, str] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        """True if nothing is left over on either side."""
        return not (self.unknown or self.missing or self.misshapen)

    def sentence(self) -> str:
        """What does not fit, by name."""
        problems = (
            ("lacks", self.missing),
            ("has unknown", self.unknown),
            ("has", self.misshapen),
        )
        return "; ".join(f"{what} {_listed(names)}" for what, names in problems if names)

    def lines(self) -> list[str]:
        """The whole report for people, a line per finding."""
        filled = sum(len(names) for names in self.used.values())
        return [
            f"{len(self.used)} official tensors used, which fill {filled} of ours",
            *(f"{n} dropped: {reason}" for reason, n in Counter(self.dropped.values()).items()),
            *(f"{n} of ours made: {reason}" for reason, n in Counter(self.made.values()).items()),
            *(f"unknown: {name}" for name in self.unknown),
            *(f"missing: {name}" for name in self.missing),
            *(f"misshapen: {what}" for what in self.misshapen),
        ]


def cover(
    rules: Sequence[Rule], official: Mapping[str, Tensor], own: Shapes, fills: Sequence[Fill] = ()
) -> Coverage:
    """Convert shapes alone and compare.

    own: shapes of our modules at the checkpoint's sizes. fills: for what no file has.
    """
    used: dict[str, tuple[str, ...]] = {}
    dropped: dict[str, str] = {}
    unknown: list[str] = []
    misshapen: list[str] = []
    for name, tensor in official.items():
        found = find_rule(rules, name)
        if found is None:
            unknown.append(name)
            continue
        rule, match = found
        if isinstance(rule, Drop):
            dropped[name] = rule.reason
            continue
        try:
            converted = rule.apply(match, tensor.to("meta"))
        except ValueError as error:
            misshapen.append(f"{name} {tuple(tensor.shape)}, which {error}")
            used[name] = ()
            continue
        used[name] = tuple(converted)
        unknown += [name for ours in converted if ours not in own]
        misshapen += [
            f"{name} {tuple(tensor.shape)}: {ours} would be {tuple(part.shape)}, not {own[ours]}"
            for ours, part in converted.items()
            if ours in own and tuple(part.shape) != own[ours]
        ][:1]
    filled = {ours for names in used.values() for ours in names}
    lacking = sorted(own.keys() - filled)
    made = {ours: fill.reason for ours in lacking if (fill := find_fill(fills, ours))}
    missing = tuple(ours for ours in lacking if ours not in made)
    return Coverage(used, dropped, tuple(unknown), missing, tuple(misshapen), made)


def require_complete(coverage: Coverage, source: object) -> None:
    """Raise WeightsError naming what does not fit."""
    if not coverage.complete:
        raise WeightsError(f"{source} is no complete checkpoint: it {coverage.sentence()}")


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")
