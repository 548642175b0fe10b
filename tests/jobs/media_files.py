"""Small images and videos for tests of jobs, and a fingerprint of an output folder."""

import hashlib
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image


def write_photos(folder: Path, count: int, broken: tuple[int, ...] = ()) -> Path:
    """Images of different sizes; those in ``broken`` are truncated."""
    folder.mkdir(parents=True, exist_ok=True)
    random = np.random.default_rng(count)
    for number in range(count):
        height, width = 20 + 3 * number % 11, 30 + 5 * number % 13
        pixels = random.integers(0, 255, (height, width, 3), dtype=np.uint8)
        path = folder / f"{number:03d}.png"
        Image.fromarray(pixels).save(path)
        if number in broken:
            path.write_bytes(path.read_bytes()[:60])
    return folder


def write_film(path: Path, frames: int, width: int = 48, height: int = 32) -> Path:
    """A short video whose frames differ, with uneven times."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25, options={"threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.time_base = stream.codec_context.time_base = Fraction(1, 1000)
        for number in range(frames):
            pixels = np.full((height, width, 3), 40, np.uint8)
            pixels[:, number % width :: 7] = 200
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = number * 40 + number % 3, Fraction(1, 1000)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def tree(root: Path) -> dict[str, str]:
    """Every file below a folder, hidden ones too, with a digest of its content."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def stamps(root: Path) -> dict[str, tuple[int, int]]:
    """Time of change and inode of everything below a folder, and of the folder."""
    found = {}
    for path in (root, *sorted(root.rglob("*"))):
        status = path.lstat()
        found[str(path.relative_to(root))] = (status.st_mtime_ns, status.st_ino)
    return found
