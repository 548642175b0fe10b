"""What can become of an official tensor: renamed, split, cut, or dropped for a stated reason.

A converter is a tuple of rules; exactly one pattern matches a name that the converter knows. Rules
touch shapes alone, so they work on tensors without numbers (device ``meta``) just as well.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

Converted = dict[str, Tensor]


class Rule(Protocol):
    """pattern: regular expression of official names."""

    @property
    def pattern(self) -> str: ...

    def apply(self, match: "re.Match[str]", tensor: Tensor) -> Converted:
        """Ours by name; empty if dropped. Raises ValueError for a shape that cannot be."""
        ...


@dataclass(frozen=True, slots=True)
class Rename:
    """The same tensor under ``target``, in which \\1 is the pattern's first group."""

    pattern: str
    target: str

    def apply(self, match: "re.Match[str]", tensor: Tensor) -> Converted:
        """One tensor."""
        return {match.expand(self.target): tensor}


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same tensor under several names: ours keeps a copy where theirs shares one."""

    pattern: str
    targets: tuple[str, ...]

    def apply(self, match: "re.Match[str]", tensor: Tensor) -> Converted:
        """As many tensors as targets."""
        return {match.expand(target): tensor.clone() for target in self.targets}


@dataclass(frozen=True, slots=True)
class FromConvolution:
    """The kernel of a 1 × 1 convolution as the matrix of a linear layer."""

    pattern: str
    target: str

    def apply(self, match: "re.Match[str]", tensor: Tensor) -> Converted:
        """One tensor."""
        if tensor.dim() != 4 or tuple(tensor.shape[2:]) != (1, 1):
            raise ValueError("is no kernel of a 1 × 1 convolution")
        return {match.expand(self.target): tensor.flatten(1)}


@dataclass(frozen=True, slots=True)
class SplitRows:
    """Equal blocks of rows become a tensor each; {} in ``target`` is the part's letter."""

    pattern: str
    target: str
    parts: str = "qkv"

    def apply(self, match: "re.Match[str]", tensor: Tensor) -> Converted:
        """As many tensors as parts."""
        if tensor.dim() == 0 or tensor.shape[0] % len(self.parts):
            raise ValueError(f"cannot be split into {len(self.parts)} equal blocks of rows")
        target = match.expand(self.target)
        return {
            target.format(part): block
            for part, block in zip(self.parts, tensor.chunk(len(self.parts)), strict=True)
        }


@dataclass(frozen=True, slots=True)
class SplitHeads:
    """Rows ordered head, then part, then channel of the head, as GPT-NeoX fuses its projections."""

    pattern: str
    target: str
    heads: int
    parts: str = "qkv"

    def apply(self, match: "re.Match[str]", tensor: Tensor) -> Converted:
        """As many tensors as parts."""
        count = len(self.parts)
        if tensor.dim() == 0 or tensor.shape[0] % (self.heads * count):
            raise ValueError(f"cannot be split into {self.heads} heads of {count} projections")
        rows = tensor.reshape(self.heads, count, -1, *tensor.shape[1:])
        target = match.expand(self.target)
        return {target.format(part): rows[:, i].flatten(0, 1) for i, part in enumerate(self.parts)}


@dataclass(frozen=True, slots=True)
class FirstRows:
    """The first ``rows``; those beyond belong to ids that no token has."""

    pattern: str
    target: str
    rows: int

    def apply(self, match: "re.Match[str]", tensor: Tensor) -> Converted:
        """One tensor."""
        return {match.expand(self.target): tensor[: self.rows] if tensor.dim() else tensor}


@dataclass(frozen=True, slots=True)
class Drop:
    """No counterpart in ours, for ``reason``."""

    pattern: str
    reason: str

    def apply(self, match: "re.Match[str]", tensor: Tensor) -> Converted:  # noqa: ARG002
        """Nothing."""
        return {}


@dataclass(frozen=True, slots=True)
class Fill:
    """One of ours that the authors' files may lack: always ``value`` there, for ``reason``.

    pattern: regular expression of our names. Statistics that training updates are never filled.
    """

    pattern: str
    reason: str
    value: float = 0.0
    dtype: torch.dtype = torch.float32

    def made(self, shape: tuple[int, ...]) -> Tensor:
        """The tensor that stands in."""
        return torch.full(shape, self.value, dtype=self.dtype)


def renames(theirs: str, ours: str, modules: Mapping[str, str]) -> tuple[Rename, ...]:
    """A rule for each module below two prefixes, by its official name and ours.

    theirs: a pattern; ours: may refer to its groups.
    """
    return tuple(
        Rename(rf"{theirs}{re.escape(name)}\.(?P<tensor>.+)", rf"{ours}{own}.\g<tensor>")
        for name, own in modules.items()
    )


def find_rule(rules: Sequence[Rule], name: str) -> "tuple[Rule, re.Match[str]] | None":
    """The rule that knows a name."""
    for rule in rules:
        if match := re.fullmatch(rule.pattern, name):
            return rule, match
    return None


def find_fill(fills: Sequence[Fill], ours: str) -> Fill | None:
    """What stands in for one of ours."""
    return next((fill for fill in fills if re.fullmatch(fill.pattern, ours)), None)


def convert(rules: Sequence[Rule], name: str, tensor: Tensor) -> Converted:
    """One official tensor as ours: several when split, none when dropped or not known."""
    found = find_rule(rules, name)
    return found[0].apply(found[1], tensor) if found else {}
