"""What a job costs beside its model: a video against bare decoding and encoding, photos against
the model's own time. The model is a stub that only waits, so every second measured is ours.

    python benchmarks/jobs.py [FOLDER FOR TEMPORARY FILES]
"""

import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
from PIL import Image

from vlseg_cli.cli.run_job import BATCH_SIZE
from vlseg_cli.jobs import Job, JobSettings, run_job
from vlseg_cli.media import list_inputs
from vlseg_cli.models.base import Segmenter
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.encoder import encoder_options
from vlseg_cli.schema import Expression, Frame, Item, Prediction, PromptRequest, Record, Task

FRAMES, PHOTOS, MODEL_SECONDS, ROUNDS = 1200, 500, 0.05, 3  # 40 s of video, 25 s of model


class WaitingModel:
    """A model with empty predictions, after so many seconds per frame."""

    name, tasks, categories, stuff = "waiting", frozenset(Task), (), ()
    tokenizer, positions = None, 2048  # its prompts are never tokens

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self.spent = 0.0

    def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        start = time.perf_counter()
        if self.seconds:
            time.sleep(self.seconds * len(frames))
        self.spent += time.perf_counter() - start
        return frames

    def predict(
        self, frames: Sequence[Frame], requests: Sequence[PromptRequest]
    ) -> list[Prediction]:
        one = frames[0]
        return [
            Prediction(one.source, one.index, one.height, one.width, each.task, each.prompt, ())
            for each in requests
        ]


class NoProgress:
    """Prints nothing."""

    def start(self, total: int, done: int) -> None: ...
    def frames(self, count: int) -> None: ...
    def item(self, source: str, error: str | None) -> None:
        assert error is None, error

    def records(self, records: Sequence[Record]) -> None: ...
    def note(self, text: str) -> None: ...


def run(source: Path, out: Path, formats: Sequence[str], model: WaitingModel) -> float:
    """Seconds that a job takes, from finding its inputs to its finished folder."""
    prompt = Expression("anything")

    def requests(_model: Segmenter, _item: Item, _frame: Frame) -> list[PromptRequest]:
        return [PromptRequest(0, Task.REFER, prompt)]

    job = Job(("refer",), "waiting", [], {"save": list(formats)})
    start = time.perf_counter()
    settings = JobSettings(OutputFolder(out), tuple(formats), batch_size=BATCH_SIZE)
    summary = run_job(
        job, settings, list(list_inputs([str(source)])), lambda: model, requests, NoProgress()
    )
    assert summary.finished
    return time.perf_counter() - start


def write_video(path: Path) -> None:
    """A 1080p video with structure and motion."""
    x, y = np.meshgrid(np.arange(1920), np.arange(1080))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30, options={"preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = 1920, 1080, "yuv420p"
        for number in range(FRAMES):
            red = (x + 3 * number) % 256
            green = (y + 2 * number) % 256
            blue = ((x // 40 + y // 40 + number // 10) % 2) * 180
            pixels = np.stack([red, green, blue], -1).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode(None))


def decode_and_encode(source: Path, target: Path) -> float:
    """Seconds that the decoder and the encoder alone take: no colors, no copies, no job."""
    start = time.perf_counter()
    codec, options = encoder_options()
    with av.open(str(source)) as opened, av.open(str(target), "w") as container:
        video = opened.streams.video[0]
        video.codec_context.thread_count = 2
        stream = container.add_stream(codec, rate=video.average_rate, options=options)
        stream.width, stream.height, stream.pix_fmt = video.width, video.height, "yuv420p"
        for frame in opened.decode(video):
            container.mux(stream.encode(frame.reformat(format="yuv420p")))
        container.mux(stream.encode(None))
    return time.perf_counter() - start


def write_photos(folder: Path) -> None:
    """JPEGs of a size usual in the field's data sets."""
    folder.mkdir()
    noise = np.random.default_rng(0).integers(0, 60, (480, 640, 3), dtype=np.uint8)
    x, y = np.meshgrid(np.arange(640), np.arange(480))
    for number in range(PHOTOS):
        base = np.stack([(x + number) % 190, (y + 2 * number) % 190, (x + y) % 190], -1)
        pixels = base.astype(np.uint8) + np.roll(noise, number, 0)
        Image.fromarray(pixels).save(folder / f"{number:04d}.jpg", quality=90)


def main() -> None:
    """Print the two figures, the median of three rounds each."""
    with tempfile.TemporaryDirectory(dir=sys.argv[1] if len(sys.argv) > 1 else None) as name:
        folder = Path(name)
        print(f"{os.cpu_count()} CPU cores")
        video = folder / "video.mp4"
        write_video(video)
        shares = []
        for number in range(ROUNDS):
            bare = decode_and_encode(video, folder / f"bare-{number}.mp4")
            whole = run(video, folder / f"out-{number}", ("video",), WaitingModel(0))
            shares.append(bare / whole)
            print(f"1080p: bare {FRAMES / bare:.0f} frames/s, job {FRAMES / whole:.0f} frames/s")
        print(f"video rate against bare decoder and encoder: {sorted(shares)[ROUNDS // 2]:.0%}")
        photos = folder / "photos"
        write_photos(photos)
        outside = []
        for number in range(ROUNDS):
            model = WaitingModel(MODEL_SECONDS)
            total = run(photos, folder / f"photos-{number}", ("overlay", "coco"), model)
            outside.append((total - model.spent) / total)
        print(f"time outside the model, photos: {sorted(outside)[ROUNDS // 2]:.1%}")


if __name__ == "__main__":
    main()
