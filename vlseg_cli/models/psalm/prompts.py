"""PSALM's instructions, letter by letter as its checkpoint was trained with them (section 5).

'plain' is the short wording of the embedded miniature: the task's name and the conditions.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np

from vlseg_cli.models.mask2former.prompts import BACKGROUND, chat_turn, user_turn
from vlseg_cli.schema import Categories, Prompt, Regions
from vlseg_cli.text.placeholders import Placeholder, tokenize
from vlseg_cli.text.sequence import TokenSequence, assemble
from vlseg_cli.text.tokenizer import Tokenizer

Style = Literal["psalm", "plain"]

_SURE = "\nSure, the segmentation result is <seg>"


def category_text(count: int, style: Style) -> str:
    """Instruction for ``count`` categories."""
    if style == "plain":
        return "<image> segment " + "<cls> " * count + "<seg>"
    user = (
        f"This is an image <image>, Please do Panoptic Segmentation.\n"
        f"This is all the candidate categories: {', '.join(['<cls>'] * count)}.\n"
    )
    return chat_turn(user, _SURE)


def sentence_text(style: Style) -> str:
    """Instruction for an expression or a question."""
    if style == "plain":
        return "<image> find <refer> <seg>"
    user = (
        "This is an image <image>, Please doing Referring Segmentation according to the following "
        "instruction:\n<refer>"
    )
    return chat_turn(user, _SURE)


def region_text(count: int, style: Style) -> str:
    """Instruction for ``count`` regions."""
    if style == "plain":
        return "<image> point " + "<region> " * count + "<seg>"
    user = (
        "This is an image <image>, Please segment by given regions\n"
        f"This is all regions:  {', '.join(['<region>'] * count)}.\n"
    )
    return chat_turn(user, "\n[SEG]<seg>")


class PSALMPrompts:
    """Token sequences of prompts. ``queries``: mask tokens for category prompts,
    ``single``: mask tokens for one sentence or region; 0 where they stand before the prompt."""

    def __init__(self, tokenizer: Tokenizer, style: Style, queries: int, single: int) -> None:
        self.tokenizer, self.style = tokenizer, style
        self.queries, self.single = queries, single

    def of(self, prompt: Prompt) -> TokenSequence:
        """The sequence of any prompt."""
        match prompt:
            case Categories(names=names):
                return self.categories(names)
            case Regions(regions=regions):
                return self.regions(len(regions))
            case sentence:
                return self.sentence(sentence.text)

    def categories(self, names: Sequence[str]) -> TokenSequence:
        """Names in this order, then ``background``, which is the no-object class."""
        every = [*names, BACKGROUND]
        ids = tokenize(category_text(len(every), self.style), self.tokenizer)
        tokens = [[*self.tokenizer.ids(name), self.tokenizer.seg] for name in every]
        return assemble(ids, self.queries, names=tokens)

    def sentence(self, text: str) -> TokenSequence:
        """One expression or question; published weights expect `` text.`` with the space."""
        if self.style == "psalm":
            text = f" {text.strip().removesuffix('.')}."
        return self.expression([*self.tokenizer.ids(text), self.tokenizer.seg])

    def expression(self, tokens: Sequence[int]) -> TokenSequence:
        """A sentence that is tokens already, ``[SEG]`` last."""
        ids = tokenize(sentence_text(self.style), self.tokenizer)
        return assemble(ids, self.single, expression=tokens)

    def question(self, text: str) -> TokenSequence:
        """A question with an answer in text, whose tokens come after it."""
        ids = tokenize(user_turn(f"<image>\n{text.strip()}"), self.tokenizer)
        image = ids.index(Placeholder.IMAGE)
        rest = np.asarray(ids[image + 1 :], np.int64)
        return TokenSequence(tuple(ids[:image]), rest, np.full(len(rest), -1))

    def regions(self, count: int) -> TokenSequence:
        """``count`` regions in one prompt."""
        ids = tokenize(region_text(count, self.style), self.tokenizer)
        return assemble(ids, self.single)


class PSALMWording(Protocol):
    """The part of a configuration that prompts depend on; see ``PSALMConfig``."""

    @property
    def prompt_style(self) -> Style: ...
    @property
    def queries(self) -> int: ...
    @property
    def single_queries(self) -> int | None: ...
    @property
    def proposals_first(self) -> bool: ...


def psalm_prompts(tokenizer: Tokenizer, config: PSALMWording) -> PSALMPrompts:
    """The prompts of a model of this configuration."""
    if config.proposals_first:
        return PSALMPrompts(tokenizer, config.prompt_style, 0, 0)
    single = config.single_queries or config.queries
    return PSALMPrompts(tokenizer, config.prompt_style, config.queries, single)
