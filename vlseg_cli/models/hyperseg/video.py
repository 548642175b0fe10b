"""HyperSeg watching a video: each frame is seen with what was read of the one before.

The language model is causal and the fine-grained tokens stand before every prompt, so one chain of
carried queries serves all prompts of a session.
"""

import time
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from vlseg_cli.models.base import SessionState
from vlseg_cli.models.hyperseg.prompt_tracking import PromptTracker, TrackedOutput
from vlseg_cli.models.hyperseg.segmenter import HyperSegSegmenter
from vlseg_cli.models.mask2former.modeling import Queries
from vlseg_cli.models.mask2former.postprocessing import check_finite
from vlseg_cli.models.mask2former.segmenter import ROWS, EncodedFrames
from vlseg_cli.nn.reid import InstanceEmbeddings
from vlseg_cli.schema import Frame, Prediction, PromptRequest
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.sequence import TokenSequence


class PromptRow(NamedTuple):
    """One sequence about the present frame. vectors (R, D) of its REGION marks; past: conditions
    (K, d) of the frames before, which the present ones are averaged with."""

    watch: int
    sequence: TokenSequence
    vectors: Tensor | None
    past: tuple[Tensor, ...]


class HyperSegSession:
    """See ``Session``. Remembered are the carried queries and what each prompt's watch needs."""

    def __init__(
        self,
        segmenter: HyperSegSegmenter,
        requests: Sequence[PromptRequest],
        state: SessionState | None = None,
    ) -> None:
        self.segmenter = segmenter
        self.carried: Tensor | None = None
        if state is not None and "carried" in state:
            self.carried = torch.from_numpy(state["carried"]).to(segmenter.device)
        self.watches = [
            PromptTracker(segmenter, ask, _of(state, number)) for number, ask in enumerate(requests)
        ]

    @torch.inference_mode()
    def step(self, frame: Frame) -> list[Prediction]:
        """Look at the next frame. Raises NotFiniteError, and then remembers nothing of it."""
        start, segmenter = time.perf_counter(), self.segmenter
        encoded = segmenter.encode_frames([frame], self.carried)
        rows = [
            PromptRow(number, *row)
            for number, watch in enumerate(self.watches)
            for row in watch.rows(encoded)
        ]
        answers: list[list[TrackedOutput]] = [[] for _ in self.watches]
        for kind in ConditionKind:
            mine = [row for row in rows if self.watches[row.watch].kind is kind]
            for first in range(0, len(mine), ROWS):
                chunk = mine[first : first + ROWS]
                for row, answer in zip(chunk, self._answer(encoded, chunk, kind), strict=True):
                    answers[row.watch].append(answer)
        check_finite([answer.part for each in answers for answer in each], frame)
        carried = segmenter.model.carry(encoded.features, segmenter.prompts.regions(1, video=True))
        check_finite([(carried, carried)], frame)
        self.carried = carried
        seconds = {"see": encoded.seconds, "answer": time.perf_counter() - start - encoded.seconds}
        return [
            watch.tell(encoded, each, seconds)
            for watch, each in zip(self.watches, answers, strict=True)
        ]

    def state(self) -> SessionState:
        """Everything that the next step depends on, bounded by a constant."""
        arrays: dict[str, NDArray[Any]] = {}
        if self.carried is not None:
            arrays["carried"] = self.carried.float().cpu().numpy()
        for number, watch in enumerate(self.watches):
            arrays |= {f"{number}/{name}": array for name, array in watch.state().items()}
        return arrays

    def _answer(
        self, encoded: EncodedFrames, rows: Sequence[PromptRow], kind: ConditionKind
    ) -> list[TrackedOutput]:
        """Steps 2 to 4 for rows of one kind; conditions are averaged over frames on the way."""
        model = self.segmenter.model
        pictures = torch.zeros(len(rows), dtype=torch.long, device=self.segmenter.device)
        vectors = [row.vectors for row in rows if row.vectors is not None]
        regions = torch.cat(vectors) if vectors else None
        read = model.run_language_model(
            encoded.features, [row.sequence for row in rows], pictures, regions
        )
        now = model.build_queries(read, kind)
        conditions = now.conditions.clone()
        for place, row in enumerate(rows):
            count = row.sequence.conditions
            every = torch.stack([*row.past, now.conditions[place, :count]])
            conditions[place, :count] = every.mean(0)
        asked = Queries(now.queries, conditions, now.present)
        answered = model.decode_masks(encoded.features, pictures, asked, kind)
        identified = model.instance_embeddings(answered)
        return [
            TrackedOutput(
                (answered.scores[-1][place][:, :count], answered.pred_masks[-1][place]),
                InstanceEmbeddings(identified.boxes[place], identified.embeddings[place]),
                now.conditions[place, :count],
            )
            for place, row in enumerate(rows)
            for count in [row.sequence.conditions]
        ]


class HyperSegVideoSegmenter(HyperSegSegmenter):
    """HyperSeg for use on pictures and videos alike: see ``VideoSegmenter``."""

    def session(
        self, requests: Sequence[PromptRequest], state: SessionState | None = None
    ) -> HyperSegSession:
        """See ``VideoSegmenter``."""
        return HyperSegSession(self, requests, state)


def _of(state: SessionState | None, number: int) -> SessionState | None:
    """The part of a session's state that belongs to one prompt."""
    if state is None:
        return None
    prefix = f"{number}/"
    return {
        name.removeprefix(prefix): np.asarray(array)
        for name, array in state.items()
        if name.startswith(prefix)
    }
