"""MVP-LM for use: frames and prompts in, predictions on each frame's own grid out."""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vlseg_cli.models.mask2former.image_processing import fit_pixels
from vlseg_cli.models.mask2former.segmenter import EncodedFrames
from vlseg_cli.models.mvp_lm.generation import generate_captions
from vlseg_cli.models.mvp_lm.modeling import MVPLM, DecoderLevel, InstructionSpan
from vlseg_cli.models.mvp_lm.postprocessing import BoxedOutput, describe
from vlseg_cli.models.mvp_lm.prompts import MVPLMPrompts
from vlseg_cli.models.mvp_lm.vocabulary import NAMES_AT_ONCE, read_names_apart
from vlseg_cli.nn.postprocessing import ImageGeometry
from vlseg_cli.schema import (
    Categories,
    Frame,
    NotFiniteError,
    Prediction,
    PromptRequest,
    Regions,
    Task,
    UsageError,
)
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.sequence import TokenSequence
from vlseg_cli.text.tokenizer import END, Tokenizer

_Key = tuple[int, int, str]  # number of the frame, identity of the prompt, how it is asked
_ROWS = 16  # prompts answered in one go


class _PromptRow(NamedTuple):
    """One prompt for the language model. names: those of a list that is too long for one prompt,
    whose sequence holds none of them."""

    key: _Key
    picture: int
    kind: ConditionKind
    stuff: bool
    sequence: TokenSequence
    names: tuple[str, ...] = ()


class MVPLMSegmenter:
    """See ``Segmenter``. Deterministic: the same frames and prompts, the same answer.

    names_at_once: how many names of a list that is too long for one prompt are read in one pass;
    it decides the memory, not the answer.
    """

    tasks = frozenset(
        (
            Task.PANOPTIC,
            Task.SEMANTIC,
            Task.INSTANCE,
            Task.DETECT,
            Task.GROUND,
            Task.REFER,
            Task.REASON,
        )
    )

    def __init__(
        self,
        name: str,
        model: MVPLM,
        tokenizer: Tokenizer,
        categories: Sequence[str],
        stuff: Sequence[bool],
        device: str = "cpu",
    ) -> None:
        config = model.config
        self.name, self.categories, self.stuff = name, tuple(categories), tuple(stuff)
        self.model, self.device = model.eval().to(device), torch.device(device)
        self.prompts = MVPLMPrompts(tokenizer, config.prompt_style, config.summary_token)
        self.names_at_once = NAMES_AT_ONCE
        ends = (config.summary_token, tokenizer.rust.token_to_id(END))
        self._stops = frozenset(end for end in ends if end is not None)

    def unknown_words(self, text: str) -> list[str]:
        """Words of a prompt that its tokenizer cannot tell from one another."""
        return self.prompts.tokenizer.unknown_words(text)

    @torch.inference_mode()
    def encode(self, frames: Sequence[Frame]) -> EncodedFrames:
        """Step 1 for a batch of frames of any sizes."""
        start, size = time.perf_counter(), self.model.config.image_size
        fitted = [fit_pixels(frame, size) for frame in frames]
        pixels = torch.from_numpy(np.stack([pixels for pixels, _ in fitted])).to(self.device)
        canvases = tuple(
            ImageGeometry((size, size), content, (frame.height, frame.width))
            for frame, (_, content) in zip(frames, fitted, strict=True)
        )
        seen = self.model.encode_image(pixels)
        return EncodedFrames(tuple(frames), canvases, seen, time.perf_counter() - start)

    @torch.inference_mode()
    def predict(
        self, encoded: EncodedFrames, requests: Sequence[PromptRequest]
    ) -> list[Prediction]:
        """Steps 2 to 4; prompts of one kind share batches. Raises NotFiniteError, and UsageError
        for what MVP-LM cannot be asked."""
        start = time.perf_counter()
        rows = {_key(ask): self._row(ask) for ask in requests}
        found = self._read_and_answer(encoded, rows)
        for ask in requests:
            _check_finite(found[_key(ask)], encoded.frames[ask.frame])
        seconds = {"see": encoded.seconds, "answer": time.perf_counter() - start}
        return [
            describe(
                ask,
                encoded.frames[ask.frame],
                encoded.geometries[ask.frame],
                found[_key(ask)],
                self.model.config,
                seconds,
            )
            for ask in requests
        ]

    def _row(self, ask: PromptRequest) -> _PromptRow:
        match ask.prompt:
            case _ if ask.task is Task.CHAT:
                raise UsageError(
                    f"The {self.name} model says what it sees, it does not hold conversations:"
                    " --model takes another."
                )
            case Categories(names=()):
                raise UsageError("There is no category to look for: give at least one name.")
            case Categories(names=names):
                return self._name_row(ask, names)
            case Regions():
                raise UsageError(
                    f"{self.name} finds names and sentences, not places that are pointed at: ask"
                    " in words, or take a PSALM."
                )
            case sentence:
                sequence = self.prompts.sentence(sentence.text, ask.task, ask.many)
                return _PromptRow(_key(ask), ask.frame, ConditionKind.SENTENCE, False, sequence)

    def _name_row(self, ask: PromptRequest, names: tuple[str, ...]) -> _PromptRow:
        # The authors ask for instances in detection, too.
        task = Task.INSTANCE if ask.task is Task.DETECT else ask.task
        stuff = task in (Task.PANOPTIC, Task.SEMANTIC)
        kind, long = ConditionKind.CATEGORY, len(names) > self.model.config.names_together
        if long:
            sequence = self.prompts.nameless(task)
            return _PromptRow(_key(ask), ask.frame, kind, stuff, sequence, names)
        return _PromptRow(_key(ask), ask.frame, kind, stuff, self.prompts.names(names, task))

    def _read_and_answer(
        self, encoded: EncodedFrames, rows: Mapping[_Key, _PromptRow]
    ) -> dict[_Key, BoxedOutput]:
        """Rows that may share a batch are answered together, long lists alone."""
        batches: dict[object, list[_PromptRow]] = {}
        for row in rows.values():
            alike = row.key if row.names else (row.kind, row.stuff, row.sequence.prefix)
            batches.setdefault(alike, []).append(row)
        found: dict[_Key, BoxedOutput] = {}
        for batch in batches.values():
            for first in range(0, len(batch), _ROWS):
                chunk = batch[first : first + _ROWS]
                for row, part in zip(chunk, self._run(encoded, chunk), strict=True):
                    found[row.key] = part
        return found

    def _run(self, encoded: EncodedFrames, rows: Sequence[_PromptRow]) -> list[BoxedOutput]:
        pictures = torch.tensor([row.picture for row in rows], device=self.device)
        instruction, captions = self._read(encoded, rows, pictures)
        kind, stuff = rows[0].kind, rows[0].stuff
        asked = self.model.build_queries(encoded.features, pictures, instruction, kind, stuff)
        (level,) = self.model.decode_masks(encoded.features, pictures, asked, kind).levels
        return [
            _part(level, row, int(asked.present[row].sum()), caption)
            for row, caption in enumerate(captions)
        ]

    def _read(
        self, encoded: EncodedFrames, rows: Sequence[_PromptRow], pictures: Tensor
    ) -> tuple[InstructionSpan, list[str]]:
        """Step 2, with the caption spoken before it where the model speaks."""
        sequences, captions = [row.sequence for row in rows], [""] * len(rows)
        if self.model.config.summary_token is not None:
            sequences, captions = self._spoken(encoded, sequences, pictures)
        read = self.model.run_language_model(encoded.features, sequences, pictures)
        if not (names := rows[0].names):
            return self.model.pool(read), captions
        apart = read_names_apart(
            self.model,
            encoded.features,
            rows[0].picture,
            rows[0].sequence,
            self.prompts.name_tokens(names),
            self.names_at_once,
        )
        present = torch.ones(1, len(apart), dtype=torch.bool, device=apart.device)
        return InstructionSpan(apart[None], present, read.hidden[:, -1]), captions

    def _spoken(
        self, encoded: EncodedFrames, sequences: Sequence[TokenSequence], pictures: Tensor
    ) -> tuple[list[TokenSequence], list[str]]:
        """The prompts with what the model said to them, and that as text."""
        said = generate_captions(self.model, encoded.features, sequences, pictures, self._stops)
        captions = [self.prompts.caption(tokens) for tokens in said]
        spoken = [self.prompts.spoken(s, c) for s, c in zip(sequences, captions, strict=True)]
        return spoken, [self.prompts.tokenizer.rust.decode(c).strip() for c in captions]


def _part(level: DecoderLevel, row: int, conditions: int, caption: str) -> BoxedOutput:
    scores = level.scores[row][:, :conditions]
    return BoxedOutput(scores, level.boxes[row], level.pred_masks[row], caption)


def _key(ask: PromptRequest) -> _Key:
    """Asks with one key have one answer, described in different ways by different tasks."""
    return ask.frame, id(ask.prompt), _manner(ask)


def _manner(ask: PromptRequest) -> str:
    """What of an ask changes the model's answer, beside its prompt."""
    if isinstance(ask.prompt, Categories):
        names = {Task.SEMANTIC: Task.PANOPTIC, Task.DETECT: Task.INSTANCE}
        return names.get(ask.task, ask.task)
    return f"{'reason' if ask.task is Task.REASON else 'refer'} {ask.many}"


def _check_finite(part: BoxedOutput, frame: Frame) -> None:
    """Masks made of NaN would look like empty ones; half precision on large inputs makes them."""
    if not all(bool(t.isfinite().all()) for t in (part.scores, part.boxes, part.pred_masks)):
        raise NotFiniteError(
            f"{frame.source}: the model's numbers are not finite, so there is no answer; try"
            " --device cpu, or other weights."
        )
