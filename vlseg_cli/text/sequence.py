"""A prompt as input of the language model: token ids, with the image's position left open.

Everything before the image is shared by all prompts of a task and is computed once; everything
after the mask tokens cannot change a mask and is dropped (the language model is causal).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vlseg_cli.schema import UsageError
from vlseg_cli.text.placeholders import Placeholder


@dataclass(frozen=True, slots=True, eq=False)
class TokenSequence:
    """One prompt. ``prefix``: ids before the image. ``ids`` (L,): ids after it, where REGION
    stands for one pooled region vector and QUERIES for one mask token. ``condition`` (L,): the
    condition that a position is pooled into (category i, sentence 0, region k), -1 for none.
    ``between``: ids between the image and its fine-grained tokens, which ``ids`` then follow; None
    without them.
    """

    prefix: tuple[int, ...]
    ids: NDArray[np.int64]
    condition: NDArray[np.int64]
    between: tuple[int, ...] | None = None

    @property
    def conditions(self) -> int:
        """K, the number of conditions."""
        return int(self.condition.max(initial=-1)) + 1


def pad_rows(rows: Sequence[NDArray[np.int64]], fill: int) -> NDArray[np.int64]:
    """Rows of any length, filled up on the right to the longest: (P, L)."""
    padded = np.full((len(rows), max(map(len, rows))), fill)
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = row
    return padded


def assemble(
    ids: Sequence[int],
    queries: int,
    names: Sequence[Sequence[int]] = (),
    expression: Sequence[int] = (),
    keep_tail: bool = False,
) -> TokenSequence:
    """Replace placeholders by category names, the sentence and mask tokens.

    ids: a prompt with exactly one IMAGE, one QUERIES and at most one FINE_GRAINED, which only text
    separates from the image. queries: N. names: token ids per category, ``[SEG]`` included.
    expression: ids of the sentence, ``[SEG]`` included. keep_tail keeps the ids after the mask
    tokens. Raises UsageError if placeholders and contents differ in number, or if a placeholder
    precedes the image.
    """
    flat = list(ids)
    if flat.count(Placeholder.IMAGE) != 1 or flat.count(Placeholder.QUERIES) != 1:
        raise UsageError("a prompt needs exactly one <image> and one <seg>")
    if flat.count(Placeholder.CATEGORY) != len(names):
        raise UsageError(
            f"the prompt has {flat.count(Placeholder.CATEGORY)} <cls> for {len(names)} names"
        )
    if flat.count(Placeholder.EXPRESSION) != bool(expression):
        raise UsageError("a prompt needs one <refer> for a sentence and none without")
    image = flat.index(Placeholder.IMAGE)
    if any(token < 0 for token in flat[:image]):
        raise UsageError("<image> comes before every other mark of a prompt")
    if not keep_tail:
        flat = flat[: flat.index(Placeholder.QUERIES) + 1]
    between, after = _split_fine_grained(flat[image + 1 :])
    out: list[int] = []
    condition: list[int] = []
    category = region = 0
    for token in after:
        if token == Placeholder.CATEGORY:
            out += names[category]
            condition += [category] * len(names[category])
            category += 1
        elif token == Placeholder.EXPRESSION:
            out += expression
            condition += [0] * len(expression)
        elif token == Placeholder.REGION:
            out.append(token)
            condition.append(region)
            region += 1
        else:
            repeat = queries if token == Placeholder.QUERIES else 1
            out += [token] * repeat
            condition += [-1] * repeat
    return TokenSequence(
        tuple(flat[:image]), np.asarray(out, np.int64), np.asarray(condition, np.int64), between
    )


def assemble_chat(ids: Sequence[int]) -> TokenSequence:
    """A conversation about one image without masks: text before and after IMAGE."""
    flat = list(ids)
    if [token for token in flat if token < 0] != [Placeholder.IMAGE]:
        raise UsageError("a conversation needs exactly one <image> and no other mark")
    image = flat.index(Placeholder.IMAGE)
    after = np.asarray(flat[image + 1 :], np.int64)
    return TokenSequence(tuple(flat[:image]), after, np.full(len(after), -1))


def _split_fine_grained(ids: list[int]) -> tuple[tuple[int, ...] | None, list[int]]:
    """Ids after the image -> those before the fine-grained tokens, and those after them."""
    if Placeholder.FINE_GRAINED not in ids:
        return None, ids
    index = ids.index(Placeholder.FINE_GRAINED)
    if any(token < 0 for token in ids[:index]) or Placeholder.FINE_GRAINED in ids[index + 1 :]:
        raise UsageError("one <temporal> follows <image>, before every other mark")
    return tuple(ids[:index]), ids[index + 1 :]
