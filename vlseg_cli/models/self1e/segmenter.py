"""SELF1E for use: frames and prompts in, predictions on each frame's own grid out.

A mask is wanted: the answer is put into the model's mouth and read in one pass. Words are wanted:
the model speaks, and if it says ``[SEG]`` what it said is read again for the masks.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vlseg_cli.models.self1e.image_processing import fit_tiles, tile_layout
from vlseg_cli.models.self1e.modeling import SELF1E, SELF1EFeatures
from vlseg_cli.models.self1e.postprocessing import TASKS, SELF1EAnswer, check_ask, describe
from vlseg_cli.models.self1e.prompts import Conversation, SELF1EPrompts, until_seg
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    NotFiniteError,
    Prediction,
    Prompt,
    PromptRequest,
    Question,
    Regions,
    Task,
    UsageError,
)
from vlseg_cli.text.tokenizer import Tokenizer

_Key = tuple[int, int, bool]  # number of the frame, identity of the prompt, are words wanted
_ROWS = 8  # conversations read in one go: each has a picture's pixels of its own


@dataclass(frozen=True, slots=True, eq=False)
class SELF1EEncodedFrames:
    """Frames and what the model saw of them. ``seen``: one entry per layout of tiles; ``places``:
    of each frame, the entry and its number within it. seconds: spent looking."""

    frames: tuple[Frame, ...]
    seen: tuple[SELF1EFeatures, ...]
    places: tuple[tuple[int, int], ...]
    seconds: float

    def tiles(self, frame: int) -> int:
        """Into how many tiles a frame was cut."""
        rows, columns = self.seen[self.places[frame][0]].layout
        return rows * columns


class _ConversationRow(NamedTuple):
    """One conversation about a picture; the names of one ask are rows of their own."""

    key: _Key
    conversation: Conversation


class SELF1ESegmenter:
    """See ``Segmenter``. Deterministic: the same frames and prompts, the same answer."""

    tasks = frozenset(TASKS)

    def __init__(
        self,
        name: str,
        model: SELF1E,
        tokenizer: Tokenizer,
        categories: Sequence[str],
        stuff: Sequence[bool],
        device: str = "cpu",
    ) -> None:
        self.name, self.categories, self.stuff = name, tuple(categories), tuple(stuff)
        self.model, self.device = model.eval().to(device), torch.device(device)
        config = model.config
        self.prompts = SELF1EPrompts(tokenizer, config.prompt_style, config.image_tokens)

    def unknown_words(self, text: str) -> list[str]:
        """Words of a prompt that its tokenizer cannot tell from one another."""
        return self.prompts.tokenizer.unknown_words(text)

    @torch.inference_mode()
    def encode(self, frames: Sequence[Frame]) -> SELF1EEncodedFrames:
        """Step 1 for a batch of frames of any sizes; frames cut alike share a pass."""
        start, config = time.perf_counter(), self.model.config
        size = config.image_size
        layouts = [tile_layout(frame, size, config.max_tiles) for frame in frames]
        order = list(dict.fromkeys(layouts))
        seen = []
        for layout in order:
            mine = [f for f, one in zip(frames, layouts, strict=True) if one == layout]
            tiles = np.concatenate([fit_tiles(frame, size, layout) for frame in mine])
            pixels = torch.from_numpy(tiles).to(self.device, self._dtype)
            seen.append(self.model.encode_image(pixels, layout))
        places = tuple(
            (order.index(layout), layouts[:number].count(layout))
            for number, layout in enumerate(layouts)
        )
        return SELF1EEncodedFrames(tuple(frames), tuple(seen), places, time.perf_counter() - start)

    @torch.inference_mode()
    def predict(
        self, encoded: SELF1EEncodedFrames, requests: Sequence[PromptRequest]
    ) -> list[Prediction]:
        """Steps 2 to 4. Raises UsageError for what SELF1E cannot be asked, NotFiniteError."""
        start = time.perf_counter()
        for ask in requests:
            check_ask(ask)
        found = self._find(encoded, {_key(ask): ask for ask in requests})
        for ask in requests:
            _check_finite(found[_key(ask)], encoded.frames[ask.frame])
        seconds = {"see": encoded.seconds, "answer": time.perf_counter() - start}
        return [
            describe(ask, encoded.frames[ask.frame], found[_key(ask)], seconds) for ask in requests
        ]

    @property
    def _dtype(self) -> torch.dtype:
        return next(self.model.parameters()).dtype

    def _find(
        self, encoded: SELF1EEncodedFrames, requests: Mapping[_Key, PromptRequest]
    ) -> dict[_Key, SELF1EAnswer]:
        """Masks and words of each different prompt."""
        chats = {key: ask for key, ask in requests.items() if ask.task is Task.CHAT}
        answers = self._say(encoded, chats)
        rows = [
            _ConversationRow(key, answer)
            for key, (answer, _) in answers.items()
            if bool(answer.seg.any())
        ]
        for key, ask in requests.items():
            if key not in answers:
                forced = self._forced(ask.prompt, encoded.tiles(ask.frame))
                rows += [_ConversationRow(key, conversation) for conversation in forced]
        masks = self._masks(encoded, rows)
        nothing = torch.zeros(0, 1, 1)
        return {
            key: SELF1EAnswer(
                torch.stack(masks[key]) if key in masks else nothing,
                answers[key][1] if key in answers else "",
            )
            for key in requests
        }

    def _forced(self, prompt: Prompt, tiles: int) -> list[Conversation]:
        """Conversations in which the mask has been promised already."""
        match prompt:
            case Categories(names=names):
                return [self.prompts.phrase(name, tiles) for name in names]
            case Question(text=text):
                return [self.prompts.sentence(text, tiles)]
            case Expression(text=text):
                return [self.prompts.phrase(text, tiles)]
            case Regions():
                raise UsageError("SELF1E cannot be shown a place in the picture.")

    def _say(
        self, encoded: SELF1EEncodedFrames, requests: Mapping[_Key, PromptRequest]
    ) -> dict[_Key, tuple[Conversation, str]]:
        """What the model says to questions: the whole conversation, and its own words."""
        rows = [
            _ConversationRow(key, self.prompts.question(ask.prompt.text, encoded.tiles(ask.frame)))
            for key, ask in requests.items()
            if isinstance(ask.prompt, Expression | Question)
        ]
        answers: dict[_Key, tuple[Conversation, str]] = {}
        for seen, pictures, chunk in self._chunks(encoded, rows):
            conversations = [row.conversation for row in chunk]
            ids = self.model.generate(
                seen, conversations, pictures, self.prompts.end, self.model.config.answer_tokens
            )
            for row, answer in zip(chunk, ids.tolist(), strict=True):
                answers[row.key] = self.prompts.answered(row.conversation, answer)
        return answers

    def _masks(
        self, encoded: SELF1EEncodedFrames, rows: Sequence[_ConversationRow]
    ) -> dict[_Key, list[Tensor]]:
        """(h, w) logits of every ``[SEG]``, in order."""
        masks: dict[_Key, list[Tensor]] = {}
        for seen, pictures, chunk in self._chunks(encoded, rows):
            conversations = [until_seg(row.conversation) for row in chunk]
            answered = self.model(seen, conversations, pictures)
            precise = torch.promote_types(answered.pred_masks.dtype, torch.float32)
            for mask, owner in zip(answered.pred_masks, answered.owner.tolist(), strict=True):
                masks.setdefault(chunk[owner].key, []).append(mask.to(precise))
        return masks

    def _chunks(
        self, encoded: SELF1EEncodedFrames, rows: Sequence[_ConversationRow]
    ) -> Iterator[tuple[SELF1EFeatures, Tensor, Sequence[_ConversationRow]]]:
        """Rows that are read in one go, and which pictures of ``SELF1EFeatures`` they are about."""
        for group, seen in enumerate(encoded.seen):
            mine = [row for row in rows if encoded.places[row.key[0]][0] == group]
            for first in range(0, len(mine), _ROWS):
                chunk = mine[first : first + _ROWS]
                pictures = [encoded.places[row.key[0]][1] for row in chunk]
                yield seen, torch.tensor(pictures, device=self.device), chunk


def _key(ask: PromptRequest) -> _Key:
    """Asks with one key have one answer, described in different ways."""
    return ask.frame, id(ask.prompt), ask.task is Task.CHAT


def _check_finite(found: SELF1EAnswer, frame: Frame) -> None:
    """Masks made of NaN would look like empty ones; half precision on large inputs makes them."""
    if not bool(found.pred_masks.isfinite().all()):
        raise NotFiniteError(
            f"{frame.source}: the model's numbers are not finite, so there is no answer; try"
            " --device cpu, or other weights."
        )
