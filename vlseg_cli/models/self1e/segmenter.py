"""SELF1E for inference: frames and prompts in, predictions on each frame's own grid out.

For a mask the answer is given, not generated, and the conversation takes one pass. For text the
model generates; if it generates ``[SEG]``, the conversation takes another pass for the masks.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vlseg_cli.models.base import check_finite
from vlseg_cli.models.self1e.image_processing import fit_tiles, tile_layout
from vlseg_cli.models.self1e.modeling import SELF1E, SELF1EFeatures
from vlseg_cli.models.self1e.postprocessing import (
    TASKS,
    SELF1EPromptOutput,
    build_prediction,
    check_request,
)
from vlseg_cli.models.self1e.prompts import Conversation, SELF1EPrompts, until_seg
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    Prediction,
    Prompt,
    PromptRequest,
    Question,
    Regions,
    Task,
    UsageError,
)
from vlseg_cli.text.tokenizer import Tokenizer

_Key = tuple[int, int, bool]  # index of the frame, identity of the prompt, whether text is wanted
_BATCH = 8  # conversations in one pass: each has an image's pixels of its own


@dataclass(frozen=True, slots=True, eq=False)
class SELF1EEncodedFrames:
    """Frames and their features, one entry per layout of tiles. positions: of each frame, the entry
    and the row in it. seconds: of step 1."""

    frames: tuple[Frame, ...]
    features: tuple[SELF1EFeatures, ...]
    positions: tuple[tuple[int, int], ...]
    seconds: float

    def tiles(self, frame: int) -> int:
        """Number of tiles of a frame."""
        rows, columns = self.features[self.positions[frame][0]].layout
        return rows * columns


class _ConversationRow(NamedTuple):
    """One conversation about an image; the names of one request are rows of their own."""

    key: _Key
    conversation: Conversation


class SELF1ESegmenter:
    """See ``Segmenter``. Deterministic."""

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
        self.tokenizer, self.positions = tokenizer, config.positions
        self.prompts = SELF1EPrompts(tokenizer, config.prompt_style, config.image_tokens)

    @torch.inference_mode()
    def encode(self, frames: Sequence[Frame]) -> SELF1EEncodedFrames:
        """Step 1 for a batch of frames of any sizes; frames of one layout share a pass."""
        start, config = time.perf_counter(), self.model.config
        size, dtype = config.image_size, next(self.model.parameters()).dtype
        layouts = [tile_layout(frame, size, config.max_tiles) for frame in frames]
        order = list(dict.fromkeys(layouts))
        features = []
        for layout in order:
            same = [f for f, one in zip(frames, layouts, strict=True) if one == layout]
            tiles = np.concatenate([fit_tiles(frame, size, layout) for frame in same])
            pixels = torch.from_numpy(tiles).to(self.device, dtype)
            features.append(self.model.encode_image(pixels, layout))
        positions = tuple(
            (order.index(layout), layouts[:index].count(layout))
            for index, layout in enumerate(layouts)
        )
        seconds = time.perf_counter() - start
        return SELF1EEncodedFrames(tuple(frames), tuple(features), positions, seconds)

    @torch.inference_mode()
    def predict(
        self, encoded: SELF1EEncodedFrames, requests: Sequence[PromptRequest]
    ) -> list[Prediction]:
        """Steps 2 to 4. Raises UsageError for unsupported prompts, and NotFiniteError."""
        start = time.perf_counter()
        for request in requests:
            check_request(request)
        outputs = self._outputs(encoded, {_key(request): request for request in requests})
        for request in requests:
            check_finite(encoded.frames[request.frame], outputs[_key(request)].pred_masks)
        seconds = {"see": encoded.seconds, "answer": time.perf_counter() - start}
        return [
            build_prediction(
                request, encoded.frames[request.frame], outputs[_key(request)], seconds
            )
            for request in requests
        ]

    def _outputs(
        self, encoded: SELF1EEncodedFrames, requests: Mapping[_Key, PromptRequest]
    ) -> dict[_Key, SELF1EPromptOutput]:
        """Masks and text of each different prompt."""
        chats = {key: request for key, request in requests.items() if request.task is Task.CHAT}
        generated = self._generate(encoded, chats)
        rows = [
            _ConversationRow(key, conversation)
            for key, (conversation, _) in generated.items()
            if bool(conversation.seg.any())
        ]
        for key, request in requests.items():
            if key not in generated:
                forced = self._forced(request.prompt, encoded.tiles(request.frame))
                rows += [_ConversationRow(key, conversation) for conversation in forced]
        masks = self._masks(encoded, rows)
        nothing = torch.zeros(0, 1, 1)
        return {
            key: SELF1EPromptOutput(
                torch.stack(masks[key]) if key in masks else nothing,
                generated[key][1] if key in generated else "",
            )
            for key in requests
        }

    def _forced(self, prompt: Prompt, tiles: int) -> list[Conversation]:
        """Conversations whose answer with ``[SEG]`` is given."""
        match prompt:
            case Categories(names=names):
                return [self.prompts.phrase(name, tiles) for name in names]
            case Question(text=text):
                return [self.prompts.sentence(text, tiles)]
            case Expression(text=text):
                return [self.prompts.phrase(text, tiles)]
            case Regions():
                raise UsageError("SELF1E takes no region prompts.")

    def _generate(
        self, encoded: SELF1EEncodedFrames, requests: Mapping[_Key, PromptRequest]
    ) -> dict[_Key, tuple[Conversation, str]]:
        """Answers to questions: the whole conversation, and the generated text."""
        rows = [
            _ConversationRow(
                key, self.prompts.question(request.prompt.text, encoded.tiles(request.frame))
            )
            for key, request in requests.items()
            if isinstance(request.prompt, Expression | Question)
        ]
        answers: dict[_Key, tuple[Conversation, str]] = {}
        for features, image_index, batch in self._batches(encoded, rows):
            ids = self.model.generate(
                features,
                [row.conversation for row in batch],
                image_index,
                end=self.prompts.end,
                max_tokens=self.model.config.max_new_tokens,
            )
            for row, generated in zip(batch, ids.tolist(), strict=True):
                answers[row.key] = self.prompts.with_answer(row.conversation, generated)
        return answers

    def _masks(
        self, encoded: SELF1EEncodedFrames, rows: Sequence[_ConversationRow]
    ) -> dict[_Key, list[Tensor]]:
        """(h, w) logits of every ``[SEG]``, in order."""
        masks: dict[_Key, list[Tensor]] = {}
        for features, image_index, batch in self._batches(encoded, rows):
            output = self.model(
                features, [until_seg(row.conversation) for row in batch], image_index
            )
            precise = torch.promote_types(output.pred_masks.dtype, torch.float32)
            for mask, owner in zip(output.pred_masks, output.owner.tolist(), strict=True):
                masks.setdefault(batch[owner].key, []).append(mask.to(precise))
        return masks

    def _batches(
        self, encoded: SELF1EEncodedFrames, rows: Sequence[_ConversationRow]
    ) -> Iterator[tuple[SELF1EFeatures, Tensor, Sequence[_ConversationRow]]]:
        """Rows of one pass, with the features and the image index of each."""
        for layout, features in enumerate(encoded.features):
            same = [row for row in rows if encoded.positions[row.key[0]][0] == layout]
            for first in range(0, len(same), _BATCH):
                batch = same[first : first + _BATCH]
                image_index = [encoded.positions[row.key[0]][1] for row in batch]
                yield features, torch.tensor(image_index, device=self.device), batch


def _key(request: PromptRequest) -> _Key:
    """Requests with one key share one forward pass."""
    return request.frame, id(request.prompt), request.task is Task.CHAT
