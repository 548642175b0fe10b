"""HyperSeg on videos: the fine-grained tokens of one frame feed the perceiver of the next.

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

from vlseg_cli.models.base import SessionState, check_finite
from vlseg_cli.models.hyperseg.segmenter import HyperSegSegmenter
from vlseg_cli.models.hyperseg.tracking import PromptTracker, TrackedOutput
from vlseg_cli.models.mask2former.segmenter import ROWS, EncodedFrames
from vlseg_cli.nn.reid import InstanceEmbeddings
from vlseg_cli.schema import Frame, Prediction, PromptRequest
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.sequence import TokenSequence


class PromptRow(NamedTuple):
    """One sequence about the present frame. tracker: index of its tracker; embeddings (R, D) of
    its REGION placeholders; past: conditions (K, d) of earlier frames, averaged with the present
    ones."""

    tracker: int
    sequence: TokenSequence
    embeddings: Tensor | None
    past: tuple[Tensor, ...]


class HyperSegSession:
    """See ``VideoSession``. The state is the carried queries and that of each prompt's tracker."""

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
        self.trackers = [
            PromptTracker(segmenter, request, _own_state(state, number))
            for number, request in enumerate(requests)
        ]

    @torch.inference_mode()
    def step(self, frame: Frame) -> list[Prediction]:
        """See ``VideoSession``. A frame that raises NotFiniteError changes no state."""
        start, segmenter = time.perf_counter(), self.segmenter
        encoded = segmenter.encode_frames([frame], self.carried)
        rows = [
            PromptRow(number, *row)
            for number, tracker in enumerate(self.trackers)
            for row in tracker.rows(encoded)
        ]
        outputs: list[list[TrackedOutput]] = [[] for _ in self.trackers]
        for kind in ConditionKind:
            of_kind = [row for row in rows if self.trackers[row.tracker].kind is kind]
            for first in range(0, len(of_kind), ROWS):
                chunk = of_kind[first : first + ROWS]
                for row, output in zip(chunk, self._run(encoded, chunk, kind), strict=True):
                    outputs[row.tracker].append(output)
        check_finite(frame, *(tensor for each in outputs for one in each for tensor in one.output))
        sequence = segmenter.prompts.regions(1, video=True)
        carried = segmenter.model.carry(encoded.features, sequence)
        check_finite(frame, carried)
        self.carried = carried
        seconds = {"see": encoded.seconds, "answer": time.perf_counter() - start - encoded.seconds}
        return [
            tracker.update(encoded, each, seconds)
            for tracker, each in zip(self.trackers, outputs, strict=True)
        ]

    def state(self) -> SessionState:
        """See ``VideoSession``."""
        arrays: dict[str, NDArray[Any]] = {}
        if self.carried is not None:
            arrays["carried"] = self.carried.float().cpu().numpy()
        for number, tracker in enumerate(self.trackers):
            arrays |= {f"{number}/{name}": array for name, array in tracker.state().items()}
        return arrays

    def _run(
        self, encoded: EncodedFrames, rows: Sequence[PromptRow], kind: ConditionKind
    ) -> list[TrackedOutput]:
        """Steps 2 to 4 for rows of one kind; conditions are averaged over frames between."""
        model = self.segmenter.model
        image_index = torch.zeros(len(rows), dtype=torch.long, device=self.segmenter.device)
        embeddings = [row.embeddings for row in rows if row.embeddings is not None]
        language_output = model.run_language_model(
            encoded.features,
            [row.sequence for row in rows],
            image_index,
            torch.cat(embeddings) if embeddings else None,
        )
        queries = model.build_queries(language_output, kind)
        counts = [row.sequence.conditions for row in rows]
        averaged = queries.conditions.clone()
        for index, (row, count) in enumerate(zip(rows, counts, strict=True)):
            frames = torch.stack([*row.past, queries.conditions[index, :count]])
            averaged[index, :count] = frames.mean(0)
        output = model.decode_masks(
            encoded.features, image_index, queries._replace(conditions=averaged), kind
        )
        instances = model.instance_embeddings(output)
        return [
            TrackedOutput(
                (output.scores[-1][index][:, :count], output.pred_masks[-1][index]),
                InstanceEmbeddings(instances.boxes[index], instances.embeddings[index]),
                queries.conditions[index, :count],
            )
            for index, count in enumerate(counts)
        ]


class HyperSegVideoSegmenter(HyperSegSegmenter):
    """HyperSeg for images and videos: see ``VideoSegmenter``."""

    def session(
        self, requests: Sequence[PromptRequest], state: SessionState | None = None
    ) -> HyperSegSession:
        """See ``VideoSegmenter``."""
        return HyperSegSession(self, requests, state)


def _own_state(state: SessionState | None, number: int) -> SessionState | None:
    """The part of a session's state that belongs to one prompt."""
    if state is None:
        return None
    prefix = f"{number}/"
    return {
        name.removeprefix(prefix): np.asarray(array)
        for name, array in state.items()
        if name.startswith(prefix)
    }
