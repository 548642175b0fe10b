"""PSALM for use: frames and prompts in, predictions on each frame's own grid out."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from vlseg_cli.models.empty import build_empty
from vlseg_cli.models.official import check_vocabulary
from vlseg_cli.models.pixels import fit_pixels, fit_regions
from vlseg_cli.models.psalm import PSALM, Seen
from vlseg_cli.models.psalm_answers import Part, describe
from vlseg_cli.models.psalm_config import PSALMConfig
from vlseg_cli.models.psalm_official import open_official_psalm
from vlseg_cli.models.steps import Answered
from vlseg_cli.nn.segments import Canvas
from vlseg_cli.prompts.condition import ConditionKind
from vlseg_cli.prompts.psalm import PSALMPrompts
from vlseg_cli.prompts.sequence import TokenSequence
from vlseg_cli.prompts.tokenizer import Tokenizer
from vlseg_cli.schema import (
    Ask,
    Categories,
    Frame,
    NotFiniteError,
    Prediction,
    Regions,
    Task,
    UsageError,
)
from vlseg_cli.weights.convert.coverage import require_complete
from vlseg_cli.weights.fit import load_into
from vlseg_cli.weights.folder import TOKENIZER, load_settings, load_tensors, placed

_Key = tuple[int, int]  # number of the frame, identity of the prompt
_ROWS = 32  # prompts answered in one go


@dataclass(frozen=True, slots=True, eq=False)
class EncodedFrames:
    """Frames, the sizes they passed through, and what the model saw; seconds spent looking."""

    frames: tuple[Frame, ...]
    canvases: tuple[Canvas, ...]
    seen: Seen
    seconds: float


class _Row(NamedTuple):
    """One sequence for the language model; several regions of an ask may be rows of their own."""

    key: _Key
    ask: Ask
    sequence: TokenSequence
    regions: Tensor | None


class PSALMSegmenter:
    """See ``Segmenter``. Deterministic: the same frames and prompts, the same answer."""

    tasks = frozenset(
        (
            Task.PANOPTIC,
            Task.SEMANTIC,
            Task.INSTANCE,
            Task.DETECT,
            Task.GROUND,
            Task.REFER,
            Task.REASON,
            Task.INTERACTIVE,
        )
    )

    def __init__(
        self,
        name: str,
        model: PSALM,
        tokenizer: Tokenizer,
        categories: Sequence[str],
        stuff: Sequence[bool],
        device: str = "cpu",
    ) -> None:
        config = model.config
        self.name, self.categories, self.stuff = name, tuple(categories), tuple(stuff)
        self.model, self.device = model.eval().to(device), torch.device(device)
        single = config.single_queries or config.queries
        self.prompts = PSALMPrompts(tokenizer, config.prompt_style, config.queries, single)

    @classmethod
    def load(
        cls, directory: Path, name: str, device: str = "cpu", dtype: torch.dtype = torch.float32
    ) -> "PSALMSegmenter":
        """Read a model folder of ours. Raises WeightsError naming what does not fit."""
        settings = load_settings(directory)
        config = PSALMConfig.from_dict(settings["config"])
        model = build_empty(lambda: PSALM(config))
        load_into(model, load_tensors(directory, dtype, device), directory)
        tokenizer = Tokenizer.load(directory / TOKENIZER)
        check_vocabulary(tokenizer, config.vocabulary, directory)
        known = settings.get("categories", {"names": (), "stuff": ()})
        return cls(name, model, tokenizer, known["names"], known["stuff"], device)

    @classmethod
    def load_official(
        cls, directory: Path, name: str, device: str = "cpu", dtype: torch.dtype = torch.float32
    ) -> "PSALMSegmenter":
        """Read a folder as PSALM's authors publish it, converting on the way; nothing is written.

        Raises WeightsError naming every tensor that does not fit.
        """
        official = open_official_psalm(directory)
        require_complete(official.coverage, directory)
        config = PSALMConfig.from_dict(official.sizes)
        model = build_empty(lambda: PSALM(config))
        ours = official.read(official.sources)
        load_into(model, {n: placed(t, dtype).to(device) for n, t in ours}, directory)
        return cls(name, model, official.tokenizer, (), (), device)

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
            Canvas((size, size), content, (frame.height, frame.width))
            for frame, (_, content) in zip(frames, fitted, strict=True)
        )
        seen = self.model.see(pixels)
        return EncodedFrames(tuple(frames), canvases, seen, time.perf_counter() - start)

    @torch.inference_mode()
    def answer(self, encoded: EncodedFrames, asks: Sequence[Ask]) -> list[Prediction]:
        """Steps 2 to 4; prompts of one kind share batches. Raises NotFiniteError."""
        start = time.perf_counter()
        found = self._read_and_answer(encoded, {_key(ask): ask for ask in asks})
        for ask in asks:
            _check_finite(found[_key(ask)], encoded.frames[ask.frame])
        seconds = {"see": encoded.seconds, "answer": time.perf_counter() - start}
        return [
            describe(
                ask,
                encoded.frames[ask.frame],
                encoded.canvases[ask.frame],
                found[_key(ask)],
                self.model.config,
                seconds,
            )
            for ask in asks
        ]

    def _read_and_answer(
        self, encoded: EncodedFrames, asks: Mapping[_Key, Ask]
    ) -> dict[_Key, list[Part]]:
        """Scores and masks of each different prompt; prompts of one kind share batches."""
        rows = [row for key, ask in asks.items() for row in self._rows(key, ask)]
        parts: dict[_Key, list[Part]] = {key: [] for key in asks}
        for kind in ConditionKind:
            mine = [row for row in rows if _kind(row.ask) is kind]
            for first in range(0, len(mine), _ROWS):
                chunk = mine[first : first + _ROWS]
                answered = self._run(encoded, chunk, kind)
                for place, row in enumerate(chunk):
                    scores = answered.scores[-1][place][:, : row.sequence.conditions]
                    parts[row.key].append((scores, answered.pred_masks[-1][place]))
        return parts

    def _run(self, encoded: EncodedFrames, rows: Sequence[_Row], kind: ConditionKind) -> Answered:
        pictures = torch.tensor([row.ask.frame for row in rows], device=self.device)
        masks = [row.regions for row in rows if row.regions is not None]
        regions = torch.cat(masks).to(self.device) if masks else None
        sequences = [row.sequence for row in rows]
        answered: Answered = self.model(encoded.seen, sequences, pictures, kind, regions)
        return answered

    def _rows(self, key: _Key, ask: Ask) -> list[_Row]:
        match ask.prompt:
            case Categories(names=()):
                raise UsageError("There is no category to look for: give at least one name.")
            case Categories(names=names):
                return [_Row(key, ask, self.prompts.categories(names), None)]
            case Regions(regions=()):
                raise UsageError("There is no region to answer for: give at least one.")
            case Regions(regions=regions):
                masks = np.stack([region.mask for region in regions])
                placed = torch.from_numpy(fit_regions(masks, self.model.config.image_size))
                if self.model.config.regions_together:
                    return [_Row(key, ask, self.prompts.regions(len(placed)), placed)]
                return [_Row(key, ask, self.prompts.regions(1), one[None]) for one in placed]
            case sentence:
                return [_Row(key, ask, self.prompts.sentence(sentence.text), None)]


def _key(ask: Ask) -> _Key:
    """Asks with one key have one answer, described in different ways by different tasks."""
    return ask.frame, id(ask.prompt)


def _check_finite(parts: Sequence[Part], frame: Frame) -> None:
    """Masks made of NaN would look like empty ones; half precision on large inputs makes them."""
    if not all(bool(tensor.isfinite().all()) for part in parts for tensor in part):
        raise NotFiniteError(
            f"{frame.source}: the model's numbers are not finite, so there is no answer; try"
            " --device cpu, or other weights."
        )


def _kind(ask: Ask) -> ConditionKind:
    if isinstance(ask.prompt, Categories):
        return ConditionKind.CATEGORY
    return ConditionKind.REGION if isinstance(ask.prompt, Regions) else ConditionKind.SENTENCE
