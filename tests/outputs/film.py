"""A small film with sound and uneven times, the packets of any film, and a sink at work on one."""

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.resampler import AudioResampler

from vlseg_cli.media.video import read_video
from vlseg_cli.outputs import Sink
from vlseg_cli.schema import FrameRange, Item, Record

RATE = 44100


class Film(NamedTuple):
    """What to write: odd sizes and uneven times unless told otherwise. start: s."""

    codec: str = "libx264"
    sound: str | None = "aac"
    width: int = 61
    height: int = 45
    frames: int = 20
    start: Fraction = Fraction(0)
    time_base: Fraction = Fraction(1, 1000)
    even: bool = False


ODD = Film()
WHOLE = FrameRange()


class Packet(NamedTuple):
    """time: of its showing, s. data: its bytes."""

    time: Fraction
    data: bytes


def write_film(path: Path, film: Film = ODD) -> Path:
    """Write a film in the format of the path's ending."""
    with av.open(str(path), "w") as container:
        video = container.add_stream(film.codec, rate=25)
        video.width, video.height = film.width, film.height
        video.pix_fmt = "yuv444p" if film.width % 2 or film.height % 2 else "yuv420p"
        video.codec_context.time_base = film.time_base
        sound = container.add_stream(film.sound, rate=RATE) if film.sound else None
        if sound is not None:
            sound.layout = "stereo"
        time = film.start
        for number in range(film.frames):
            pixels = np.full((film.height, film.width, 3), 60, np.uint8)
            pixels[:, 2 * number : 2 * number + 9] = 220
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round(time / film.time_base), film.time_base
            container.mux(video.encode(frame))
            time += Fraction(1, 25) if film.even else Fraction(17 + number * 13 % 40, 1000)
        container.mux(video.encode(None))
        if sound is not None:
            for frame in _tone(sound.codec_context.format.name, film.start, time):
                container.mux(sound.encode(frame))
            container.mux(sound.encode(None))
    return path


def _tone(sample_format: str, start: Fraction, end: Fraction) -> list[AudioFrame]:
    samples = np.arange(int((end - start) * RATE))
    wave = (np.sin(samples / 20) * 0.3).astype(np.float32)
    resampler = AudioResampler(sample_format, "stereo", RATE)
    frames = []
    for first in range(0, len(wave), 1024):
        piece = wave[first : first + 1024]
        frame = AudioFrame.from_ndarray(np.stack([piece, piece]), "fltp", "stereo")
        frame.sample_rate, frame.time_base = RATE, Fraction(1, RATE)
        frame.pts = int(start * RATE) + first
        frames += resampler.resample(frame)
    return frames


def packets(path: Path, kind: str) -> list[Packet]:
    """The packets of the first 'video' or 'audio' stream in their order; [] if there is none."""
    with av.open(str(path)) as container:
        streams = [stream for stream in container.streams if stream.type == kind]
        if not streams:
            return []
        found = [one for one in container.demux(streams[0]) if one.pts is not None]
        return [Packet(one.pts * one.time_base, bytes(one)) for one in found if one.size]


def shown(path: Path) -> list[Fraction]:
    """When the frames that a player shows are shown, s."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def film_item(path: Path) -> Item:
    """A film as an input of a job."""
    return Item(3, str(path), path.stem, is_video=True, bytes=1, modified=1)


def draw_film(
    sink: Sink,
    path: Path,
    records: list[Record],
    part: int = 7,
    clip: FrameRange = WHOLE,
    stumble: bool = False,
) -> None:
    """Give a film to a sink as a job does. stumble: abandon each part once, in its middle."""
    item = film_item(path)
    frames = list(read_video(path, clip))
    parts = [frames[first : first + part] for first in range(0, len(frames), part)]
    for number, own in enumerate(parts):
        if stumble:
            for frame in own[: len(own) // 2]:
                sink.write(frame, item, number, records)
            sink.abandon()
        for frame in own:
            sink.write(frame, item, number, records)
        sink.end_chunk(item, number)
    sink.end_item(item, len(parts))
    sink.end_item(item, len(parts))  # a kill may have come before the journal knew
    sink.remove_chunks(item)
