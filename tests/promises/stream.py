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
from jobs.stub import Listener, run_stub

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


def main() -> None:
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    if kind == "video":
        frames, width, height = (int(word) for word in sys.argv[3:6])
        film = folder / "long.mp4"
        write_stream(film, frames, width, height)
        run_stub(folder / "out", [film], formats=("jsonl",), part=240, listener=Watch(frames))
    else:
        photos = Path(sys.argv[3])
        watch = Watch(len(list(photos.iterdir())))
        run_stub(folder / "out", [photos], formats=("jsonl",), batch_size=4, listener=watch)


main()
