"""MVP-LM for inference: frames and prompts in, predictions on each frame's own grid out."""

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from vlseg_cli.models.base import check_finite
from vlseg_cli.models.mask2former.image_processing import fit_frames
from vlseg_cli.models.mask2former.segmenter import EncodedFrames
from vlseg_cli.models.mvp_lm.language import NAMES_PER_PASS, encode_names, generate_captions
from vlseg_cli.models.mvp_lm.modeling import MVPLM, DecoderLevel, InstructionSpan
from vlseg_cli.models.mvp_lm.postprocessing import BoxedOutput, build_prediction
from vlseg_cli.models.mvp_lm.prompts import MVPLMPrompts
from vlseg_cli.schema import (
    Categories,
    Frame,
    Prediction,
    PromptRequest,
    Regions,
    Task,
    UsageError,
)
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.sequence import TokenSequence
from vlseg_cli.text.tokenizer import END, Tokenizer

_Key = tuple[int, int, str]  # index of the frame, identity of the prompt, its wording
_BATCH = 16  # prompts


class _PromptRow(NamedTuple):
    """One prompt for the language model. names: those of a list too long for one prompt, whose
    sequence has none of them."""

    key: _Key
    image: int
    kind: ConditionKind
    stuff: bool
    sequence: TokenSequence
    names: tuple[str, ...] = ()


class MVPLMSegmenter:
    """See ``Segmenter``. Deterministic.

    names_per_pass: of a list too long for one prompt; it decides the memory, not the result.
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
        self.tokenizer, self.positions = tokenizer, config.positions
        self.names_per_pass = NAMES_PER_PASS
        ends = (config.summary_token, tokenizer.rust.token_to_id(END))
        self._stops = frozenset(end for end in ends if end is not None)

    @torch.inference_mode()
    def encode(self, frames: Sequence[Frame]) -> EncodedFrames:
        """Step 1 for a batch of frames of any sizes."""
        start, size = time.perf_counter(), self.model.config.image_size
        pixels, geometries = fit_frames(frames, size)
        features = self.model.encode_image(torch.from_numpy(pixels).to(self.device))
        return EncodedFrames(tuple(frames), geometries, features, time.perf_counter() - start)

    @torch.inference_mode()
    def predict(
        self, encoded: EncodedFrames, requests: Sequence[PromptRequest]
    ) -> list[Prediction]:
        """Steps 2 to 4; prompts of one kind share batches. Raises NotFiniteError, and UsageError
        for unsupported prompts."""
        start = time.perf_counter()
        rows = {_key(request): self._row(request) for request in requests}
        outputs = self._outputs(encoded, rows)
        for request in requests:
            scores, boxes, masks, _ = outputs[_key(request)]
            check_finite(encoded.frames[request.frame], scores, boxes, masks)
        seconds = {"see": encoded.seconds, "answer": time.perf_counter() - start}
        return [
            build_prediction(
                request,
                encoded.frames[request.frame],
                encoded.geometries[request.frame],
                outputs[_key(request)],
                self.model.config,
                seconds,
            )
            for request in requests
        ]

    def _row(self, request: PromptRequest) -> _PromptRow:
        match request.prompt:
            case _ if request.task is Task.CHAT:
                raise UsageError(
                    f"The {self.name} model generates captions, it does not hold conversations:"
                    " --model takes another."
                )
            case Categories(names=()):
                raise UsageError("There is no category to look for: give at least one name.")
            case Categories(names=names):
                return self._name_row(request, names)
            case Regions():
                raise UsageError(
                    f"{self.name} takes names and sentences, no region prompts: use text, or a"
                    " PSALM."
                )
            case sentence:
                sequence = self.prompts.sentence(sentence.text, request.task, request.many)
                kind = ConditionKind.SENTENCE
                return _PromptRow(_key(request), request.frame, kind, False, sequence)

    def _name_row(self, request: PromptRequest, names: tuple[str, ...]) -> _PromptRow:
        # The authors prompt for instances in detection, too.
        task = Task.INSTANCE if request.task is Task.DETECT else request.task
        stuff = task in (Task.PANOPTIC, Task.SEMANTIC)
        key, kind = _key(request), ConditionKind.CATEGORY
        if len(names) > self.model.config.names_together:
            sequence = self.prompts.before_names(task)
            return _PromptRow(key, request.frame, kind, stuff, sequence, names)
        return _PromptRow(key, request.frame, kind, stuff, self.prompts.names(names, task))

    def _outputs(
        self, encoded: EncodedFrames, rows: Mapping[_Key, _PromptRow]
    ) -> dict[_Key, BoxedOutput]:
        """Rows of one kind share batches, long lists take a pass each."""
        groups: dict[object, list[_PromptRow]] = {}
        for row in rows.values():
            group = row.key if row.names else (row.kind, row.stuff, row.sequence.prefix)
            groups.setdefault(group, []).append(row)
        outputs: dict[_Key, BoxedOutput] = {}
        for same in groups.values():
            for first in range(0, len(same), _BATCH):
                batch = same[first : first + _BATCH]
                for row, output in zip(batch, self._run(encoded, batch), strict=True):
                    outputs[row.key] = output
        return outputs

    def _run(self, encoded: EncodedFrames, rows: Sequence[_PromptRow]) -> list[BoxedOutput]:
        features, image_index = (
            encoded.features,
            torch.tensor([row.image for row in rows], device=self.device),
        )
        instruction, captions = self._instruction(encoded, rows, image_index)
        kind, stuff = rows[0].kind, rows[0].stuff
        queries = self.model.build_queries(features, image_index, instruction, kind, stuff)
        (level,) = self.model.decode_masks(features, image_index, queries, kind).levels
        return [
            _prompt_output(level, row, int(queries.present[row].sum()), caption)
            for row, caption in enumerate(captions)
        ]

    def _instruction(
        self, encoded: EncodedFrames, rows: Sequence[_PromptRow], image_index: Tensor
    ) -> tuple[InstructionSpan, list[str]]:
        """Step 2, after a caption where the model generates one."""
        sequences, captions = [row.sequence for row in rows], [""] * len(rows)
        if self.model.config.summary_token is not None:
            sequences, captions = self._with_captions(encoded, sequences, image_index)
        output = self.model.run_language_model(encoded.features, sequences, image_index)
        if not (names := rows[0].names):
            return self.model.pool(output), captions
        pooled = encode_names(
            self.model,
            encoded.features,
            rows[0].image,
            rows[0].sequence,
            self.prompts.name_tokens(names),
            self.names_per_pass,
        )
        present = torch.ones(1, len(pooled), dtype=torch.bool, device=pooled.device)
        return InstructionSpan(pooled[None], present, output.hidden[:, -1]), captions

    def _with_captions(
        self, encoded: EncodedFrames, sequences: Sequence[TokenSequence], image_index: Tensor
    ) -> tuple[list[TokenSequence], list[str]]:
        """The prompts with their generated captions, and the captions as text."""
        generated = generate_captions(
            self.model, encoded.features, sequences, image_index, self._stops
        )
        captions = [self.prompts.caption(tokens) for tokens in generated]
        pairs = zip(sequences, captions, strict=True)
        prompts = [self.prompts.with_caption(sequence, caption) for sequence, caption in pairs]
        return prompts, [self.prompts.tokenizer.rust.decode(c).strip() for c in captions]


def _prompt_output(level: DecoderLevel, row: int, conditions: int, caption: str) -> BoxedOutput:
    scores = level.scores[row][:, :conditions]
    return BoxedOutput(scores, level.boxes[row], level.pred_masks[row], caption)


def _key(request: PromptRequest) -> _Key:
    """Requests with one key share one forward pass."""
    return request.frame, id(request.prompt), _wording(request)


def _wording(request: PromptRequest) -> str:
    """What of a request changes the token sequence, beside its prompt."""
    if isinstance(request.prompt, Categories):
        names = {Task.SEMANTIC: Task.PANOPTIC, Task.DETECT: Task.INSTANCE}
        return names.get(request.task, request.task)
    return f"{'reason' if request.task is Task.REASON else 'refer'} {request.many}"
