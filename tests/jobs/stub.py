"""A model that costs nothing and predicts from the pixels, and a job that runs it as a process.

Tests kill, pause and starve such jobs; their results can still be computed independently.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from vlseg_cli.jobs import Job, JobSettings, Summary, parse_shard, run_job
from vlseg_cli.media import list_inputs
from vlseg_cli.models.base import Segmenter, SessionState
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    FrameRange,
    Item,
    Prediction,
    PromptRequest,
    Record,
    Regions,
    Task,
    segment_from_mask,
)


class StubModel:
    """Segments what is greener than the mean of its row.

    seconds: of work per batch. count: a file with a line per encoded frame.
    """

    name = "stub"
    tasks = frozenset(Task)
    categories = ("bright",)
    stuff = (False,)
    tokenizer, positions = None, 2048  # its prompts are never tokens

    def __init__(self, seconds: float = 0.0, count: Path | None = None) -> None:
        self.seconds, self.count = seconds, count
        self.batches: list[int] = []  # frames of each

    def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        time.sleep(self.seconds)
        self.batches.append(len(frames))
        if self.count is not None:
            with self.count.open("a") as file:
                file.write("".join(f"{frame.source} {frame.index}\n" for frame in frames))
        return frames

    def predict(
        self, encoded: Sequence[Frame], requests: Sequence[PromptRequest]
    ) -> list[Prediction]:
        return [_prediction(encoded[request.frame], request) for request in requests]

    def session(
        self, requests: Sequence[PromptRequest], state: SessionState | None = None
    ) -> "StubSession":
        return StubSession(self, requests, state)


class StubSession:
    """Every score depends on all frames before."""

    def __init__(
        self, model: StubModel, requests: Sequence[PromptRequest], state: SessionState | None
    ) -> None:
        self.model, self.requests = model, requests
        self.past = np.zeros(1) if state is None else np.array(state["past"])

    def step(self, frame: Frame) -> list[Prediction]:
        (frame,) = self.model.encode([frame])
        self.past = (self.past * 0.9 + frame.pixels[..., 1].mean() / 255 + 0.001 * frame.index) % 1
        return [
            _tracked(_prediction(frame, request), float(self.past[0])) for request in self.requests
        ]

    def state(self) -> SessionState:
        return {"past": self.past}


def _tracked(prediction: Prediction, score: float) -> Prediction:
    segments = tuple(replace(one, score=score, track_id=1) for one in prediction.segments)
    return replace(prediction, segments=segments)


def _prediction(frame: Frame, request: PromptRequest) -> Prediction:
    green = frame.pixels[..., 1]
    mask = green > green.mean(1, keepdims=True)
    prompt = request.prompt
    label = prompt.names[0] if isinstance(prompt, Categories) else "it"
    if isinstance(prompt, Expression):
        label = prompt.text
    if isinstance(prompt, Regions):
        mask = mask & prompt.regions[0].mask
    category = 0 if isinstance(prompt, Categories) else None
    score = float(np.round(mask.mean(), 4))
    segments = (segment_from_mask(mask, score, label, category),) if mask.any() else ()
    return Prediction(
        frame.source, frame.index, frame.height, frame.width, request.task, prompt, segments
    )


class RecordingProgress:
    """Stores what a run reports."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str | None]] = []
        self.notes: list[str] = []
        self.stored: list[Record] = []
        self.total = self.before = self.frame_count = 0

    def start(self, total: int, done: int) -> None:
        self.total, self.before = total, done

    def frames(self, count: int) -> None:
        self.frame_count += count

    def item(self, source: str, error: str | None) -> None:
        self.done.append((source, error))

    def records(self, records: Sequence[Record]) -> None:
        self.stored += records

    def note(self, text: str) -> None:
        self.notes.append(text)


def requests_for(*texts: str) -> Callable[[Segmenter, Item, Frame], list[PromptRequest]]:
    """The expressions, for every frame."""
    prompts = [Expression(text) for text in texts]

    def build(_model: Segmenter, _item: Item, _frame: Frame) -> list[PromptRequest]:
        return [PromptRequest(0, Task.REFER, prompt) for prompt in prompts]

    return build


def job_for(
    texts: Sequence[str],
    formats: Sequence[str],
    batch_size: int,
    chunk_frames: int,
    clip: FrameRange,
) -> Job:
    """The Job of such a run."""
    options = {
        "clip": {name: getattr(clip, name) for name in ("stride", "start", "end", "max_frames")},
        "batch_size": batch_size,
        "part": chunk_frames,
        "save": list(formats),
    }
    return Job(("refer", *texts), "stub", list(texts), options)


def run_stub(
    out: Path,
    inputs: Sequence[Path | str],
    *,
    model: Segmenter | None = None,
    texts: Sequence[str] = ("the bright part",),
    formats: Sequence[str] = ("coco", "overlay"),
    batch_size: int = 2,
    chunk_frames: int = 8,
    clip: FrameRange | None = None,
    shard: str = "0/1",
    overwrite: bool = False,
    retry_failed: bool = False,
    fail_fast: bool = False,
    tracking: bool = False,
    progress: RecordingProgress | None = None,
) -> Summary:
    """Run a job with the stub model in this process."""
    clip = clip or FrameRange()
    settings = JobSettings(
        OutputFolder(out),
        tuple(formats),
        clip,
        batch_size,
        chunk_frames,
        parse_shard(shard),
        overwrite,
        retry_failed,
        fail_fast,
        tracking,
    )
    found = list(list_inputs([str(one) for one in inputs], exclude=out))
    job = job_for(texts, formats, batch_size, chunk_frames, clip)
    chosen = model or StubModel()
    reported = progress or RecordingProgress()
    return run_job(job, settings, found, lambda: chosen, requests_for(*texts), reported)


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("out", type=Path)
    parser.add_argument("inputs", nargs="+")
    parser.add_argument("--save", default="coco,overlay")
    parser.add_argument("--seconds", type=float, default=0.0)
    parser.add_argument("--count", type=Path)
    parser.add_argument("--shard", default="0/1")
    parser.add_argument("--chunk-frames", type=int, default=8)
    parser.add_argument("--track", action="store_true")
    chosen = parser.parse_args()
    summary = run_stub(
        chosen.out,
        chosen.inputs,
        model=StubModel(chosen.seconds, chosen.count),
        formats=tuple(filter(None, chosen.save.split(","))),
        shard=chosen.shard,
        chunk_frames=chosen.chunk_frames,
        tracking=chosen.track,
    )
    sys.exit(summary.exit_code)


if __name__ == "__main__":
    _main()
