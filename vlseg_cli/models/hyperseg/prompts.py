"""HyperSeg's instructions, letter by letter where the authors' code has them (section 4).

Its category and region wordings are not public: ours follow the sentence wording and PSALM's, and a
configuration can have others. 'plain' is the short wording of the embedded miniature.
"""

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np

from vlseg_cli.text.placeholders import tokenize
from vlseg_cli.text.sequence import TokenSequence, assemble, assemble_chat
from vlseg_cli.text.tokenizer import END, Tokenizer

Style = Literal["hyperseg", "plain"]

BACKGROUND = "background"
CATEGORY_INSTRUCTION = (
    ", Please do Panoptic Segmentation.\nThis is all the candidate categories: {}.\n"
)
REGION_INSTRUCTION = ", Please segment by given regions\nThis is all regions:  {}.\n"
_SYSTEM = (
    "A chat between a curious user and an artificial intelligence assistant. The assistant gives "
    "helpful, detailed, and polite answers to the user's questions."
)
_SENTENCE_INSTRUCTION = (
    ", Please doing {} Segmentation according to the following instruction:\n<refer>"
)
_FRAME_INSTRUCTION = (
    ", Please doing Reasoning Segmentation according to the following instruction.\n"
    "This is all the instruction: <refer>\n"
)
_SURE = "\nSure, the segmentation result is <gt><seg>"
_GENERATED = "<gt>"  # position of the generated text


def chat_turn(human: str, answer: str) -> str:
    """One turn with its answer."""
    return f"{_SYSTEM} USER: {human} ASSISTANT: {answer}{END}"


def question_text(question: str) -> str:
    """A question about the image without its answer."""
    return f"{_SYSTEM} USER: <image>\n{question} ASSISTANT:"


def image_text(video: bool) -> str:
    """The introduction of an image or a frame, with its fine-grained tokens."""
    return f"This is {'a frame' if video else 'an image'} <image>\n<temporal>\n"


class Wording(Protocol):
    """The part of a configuration that prompts depend on; see ``HyperSegConfig``."""

    @property
    def prompt_style(self) -> Style: ...
    @property
    def queries(self) -> int: ...
    @property
    def single_queries(self) -> int | None: ...
    @property
    def category_instruction(self) -> str: ...
    @property
    def region_instruction(self) -> str: ...


class HyperSegPrompts:
    """Token sequences of prompts. ``queries``: mask tokens for category prompts,
    ``single``: mask tokens for one sentence or region."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        style: Style,
        queries: int,
        single: int,
        category_instruction: str = CATEGORY_INSTRUCTION,
        region_instruction: str = REGION_INSTRUCTION,
    ) -> None:
        self.tokenizer, self.style = tokenizer, style
        self.queries, self.single = queries, single
        self.category_instruction = category_instruction
        self.region_instruction = region_instruction

    def categories(
        self, names: Sequence[str], video: bool = False, entities: Sequence[str] = ()
    ) -> TokenSequence:
        """Names in this order, then ``background``, the no-object class. entities: generated names
        of what is present, which stand before the mask tokens."""
        every = [*names, BACKGROUND]
        ids = self._tokens(self._category_text(len(every), video), self.entities(entities))
        return assemble(ids, self.queries, names=[self._marked(name) for name in every])

    def category_question(self, names: Sequence[str], video: bool = False) -> TokenSequence:
        """The same up to the names that the model generates."""
        every = [*names, BACKGROUND]
        text = self._category_text(len(every), video).split(_GENERATED)[0] + "<seg>"
        tokens = [self._marked(name) for name in every]
        return assemble(self._tokens(text, []), 0, names=tokens)

    def sentence(self, prompt: str, reasoning: bool = False, video: bool = False) -> TokenSequence:
        """One expression or question, ``reasoning`` for questions."""
        if self.style == "plain":
            text = "<image><temporal> find <refer> <gt><seg>"
        elif video:
            text = chat_turn(image_text(video) + _FRAME_INSTRUCTION, _SURE)
        else:
            task = "Reasoning" if reasoning else "Referring"
            text = chat_turn(image_text(video) + _SENTENCE_INSTRUCTION.format(task), _SURE)
        ids = self._tokens(text, [self.tokenizer.seg])
        tokens = self._sentence_tokens(prompt, reasoning, video)
        return assemble(ids, self.single, expression=tokens)

    def regions(self, count: int, video: bool = False) -> TokenSequence:
        """``count`` regions in one prompt."""
        if self.style == "plain":
            text = "<image><temporal> point " + "<region> " * count + "<seg>"
        else:
            marks = ", ".join(["<region>"] * count)
            human = image_text(video) + self.region_instruction.format(marks)
            text = chat_turn(human, "\n[SEG]<seg>")
        return assemble(self._tokens(text, []), self.single)

    def question(self, text: str) -> TokenSequence:
        """A question with an answer in text."""
        whole = f"<image> {text}" if self.style == "plain" else question_text(text)
        return assemble_chat(tokenize(whole, self.tokenizer))

    def answered(self, question: str, answer: str) -> tuple[TokenSequence, int]:
        """A question with its answer, for training; the answer's number of tokens."""
        sequence = self.question(question)
        added = self.tokenizer.ids(f" {answer}{END}")
        ids = np.concatenate([sequence.ids, np.asarray(added, np.int64)])
        return TokenSequence(sequence.prefix, ids, np.full(len(ids), -1)), len(added)

    def entities(self, names: Sequence[str]) -> list[int]:
        """The format of generated names: each ends with ``[SEG]``, one more ends the list."""
        return [*(t for name in names for t in self._marked(name)), self.tokenizer.seg]

    def entities_end(self, generated: Sequence[int]) -> bool:
        """Whether a list of names is complete: at a second ``[SEG]`` in a row, or one alone."""
        seg = self.tokenizer.seg
        return bool(generated) and (
            generated[-1] == self.tokenizer.end
            or (generated[-1] == seg and (len(generated) == 1 or generated[-2] == seg))
        )

    def entities_of(self, generated: Sequence[int]) -> list[str]:
        """The different names in such a list, in order; a truncated one is left out."""
        names: list[str] = []
        name: list[int] = []
        for token in generated:
            if token != self.tokenizer.seg:
                name.append(token)
            elif name:
                names.append(self.tokenizer.text(name))
                name = []
        return [name for name in dict.fromkeys(names) if name]

    def _category_text(self, count: int, video: bool) -> str:
        if self.style == "plain":
            return "<image><temporal> segment " + "<cls> " * count + "<gt><seg>"
        marks = ", ".join(["<cls>"] * count)
        return chat_turn(image_text(video) + self.category_instruction.format(marks), _SURE)

    def _sentence_tokens(self, text: str, reasoning: bool, video: bool) -> list[int]:
        """Expressions end with a dot; questions and sentences about a video stay as they are."""
        if self.style == "hyperseg":
            text = text.strip()
            if video:
                text = text.replace("(s)", "")
            elif not reasoning:
                text = f"{text.removesuffix('.')}."
        return self._marked(text)

    def _marked(self, text: str) -> list[int]:
        return [*self.tokenizer.ids(text), self.tokenizer.seg]

    def _tokens(self, text: str, generated: Sequence[int]) -> list[int]:
        """Ids of an instruction with ``generated`` in its position."""
        before, mark, after = text.partition(_GENERATED)
        ids = tokenize(before, self.tokenizer)
        return [*ids, *generated, *tokenize(after, self.tokenizer)] if mark else ids


def hyperseg_prompts(tokenizer: Tokenizer, config: Wording) -> HyperSegPrompts:
    """The prompts of a model of this configuration."""
    return HyperSegPrompts(
        tokenizer,
        config.prompt_style,
        config.queries,
        config.single_queries or config.queries,
        config.category_instruction,
        config.region_instruction,
    )
