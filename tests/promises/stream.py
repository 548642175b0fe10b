"""A job with the stub model over a long video or many files, printing its memory as it goes.

Lines of two numbers: frames done, and bytes resident in this process and its decoder together.
"""

import sys
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import psutil

sys.path.insert(0, str(Path(__file__).parents[1]))
from jobs.stub import Listener, StubModel, job_for, run_stub

from vlseg_cli.jobs import Settings, run_job
from vlseg_cli.media import list_inputs
from vlseg_cli.models.registry import load_model
from vlseg_cli.models.segmenter import Segmenter
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import Ask, Categories, Expression, Frame, Item, Regions, Task
from vlseg_cli.schema.region import box_region

_SAMPLES = 100


class Watch(Listener):
    """Prints the memory a hundred times over the run."""

    def __init__(self, total: int) -> None:
        super().__init__()
        self.every = max(1, total // _SAMPLES)
        self.printed = 0

    def frames(self, count: int) -> None:
        super().frames(count)
        if self.frame_count >= self.printed + self.every:
            self.printed = self.frame_count
            print(self.frame_count, _resident(), flush=True)

    def records(self, records: object) -> None:
        """Nothing is kept: the measure must not grow by itself."""

    def item(self, source: str, error: str | None) -> None:
        assert error is None, error


def _resident() -> int:
    me = psutil.Process()
    return int(sum(one.memory_info().rss for one in (me, *me.children(recursive=True))))


def write_stream(path: Path, frames: int, width: int, height: int) -> None:
    """A cheap long video: a picture in which one line moves."""
    with av.open(str(path), "w") as container:
        options = {"threads": "2", "preset": "ultrafast", "tune": "zerolatency"}
        stream = container.add_stream("libx264", rate=Fraction(30), options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = 250
        planes = av.VideoFrame(width, height, "yuv420p")
        for plane in planes.planes:
            plane.update(bytes([128]) * plane.buffer_size)
        luma = np.full((height, planes.planes[0].line_size), 90, np.uint8)
        for number in range(frames):
            luma[number % height] ^= 0x40
            planes.planes[0].update(luma)
            planes.pts = number
            container.mux(stream.encode(planes))
        container.mux(stream.encode(None))


def track(film: Path, out: Path, frames: int, model: str) -> None:
    """Follow names and a sentence through a film; model: 'stub', or what load_model takes."""
    chosen: Segmenter = StubModel() if model == "stub" else load_model(model)
    names = Categories(chosen.categories, chosen.stuff)

    def ask(_model: Segmenter, _item: Item, frame: Frame) -> list[Ask]:
        return [
            Ask(frame.index, Task.VIS, names, 0.05),
            Ask(frame.index, Task.REFER, Expression("the wall")),
            Ask(
                frame.index,
                Task.VOS,
                Regions((box_region((9, 9, 99, 99), *frame.pixels.shape[:2]),)),
            ),
        ]

    settings = Settings(OutputFolder(out), ("jsonl",), through_time=True)
    job = job_for(["the wall"], ("jsonl",), 1, settings.part_frames, settings.clip)
    found = list(list_inputs([str(film)]))
    run_job(job, settings, found, lambda: chosen, ask, Watch(frames))


def main() -> None:
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    if kind in ("video", "track"):
        frames, width, height = (int(word) for word in sys.argv[3:6])
        film = folder / "long.mp4"
        write_stream(film, frames, width, height)
    if kind == "video":
        watch = Watch(frames)
        run_stub(folder / "out", [film], formats=("jsonl",), part=240, listener=watch)
        assert watch.frame_count == frames
    elif kind == "track":
        track(film, folder / "out", frames, sys.argv[6])
    else:
        photos = Path(sys.argv[3])
        watch = Watch(len(list(photos.iterdir())))
        run_stub(folder / "out", [photos], formats=("jsonl",), batch_size=4, listener=watch)


main()
