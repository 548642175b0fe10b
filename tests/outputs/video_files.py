"""Small videos with audio and uneven timestamps, and the overlay that a sink makes of one."""

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


class VideoSpec(NamedTuple):
    """A video to write: by default of odd size, with uneven timestamps. start: s."""

    codec: str = "libx264"
    sound: str | None = "aac"
    width: int = 61
    height: int = 45
    frames: int = 20
    start: Fraction = Fraction(0)
    time_base: Fraction = Fraction(1, 1000)
    even: bool = False


ODD = VideoSpec()
WHOLE = FrameRange()


class Packet(NamedTuple):
    """time: presentation timestamp, s. data: the payload."""

    time: Fraction
    data: bytes


def write_video(path: Path, spec: VideoSpec = ODD) -> Path:
    """Write a video in the container that the file extension names."""
    with av.open(str(path), "w") as container:
        video = container.add_stream(spec.codec, rate=25)
        video.width, video.height = spec.width, spec.height
        video.pix_fmt = "yuv444p" if spec.width % 2 or spec.height % 2 else "yuv420p"
        video.codec_context.time_base = spec.time_base
        sound = container.add_stream(spec.sound, rate=RATE) if spec.sound else None
        if sound is not None:
            sound.layout = "stereo"
        time = spec.start
        for number in range(spec.frames):
            pixels = np.full((spec.height, spec.width, 3), 60, np.uint8)
            pixels[:, 2 * number : 2 * number + 9] = 220
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            frame.pts, frame.time_base = round(time / spec.time_base), spec.time_base
            container.mux(video.encode(frame))
            time += Fraction(1, 25) if spec.even else Fraction(17 + number * 13 % 40, 1000)
        container.mux(video.encode(None))
        if sound is not None:
            for frame in _tone(sound.codec_context.format.name, spec.start, time):
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


def frame_times(path: Path) -> list[Fraction]:
    """Presentation timestamps of the decoded frames, s."""
    with av.open(str(path)) as container:
        return [frame.pts * frame.time_base for frame in container.decode(video=0)]


def video_item(path: Path) -> Item:
    """A video as an item of a job."""
    return Item(3, str(path), path.stem, is_video=True, bytes=1, modified=1)


def write_overlay_video(
    sink: Sink,
    path: Path,
    records: list[Record],
    chunk: int = 7,
    clip: FrameRange = WHOLE,
    stumble: bool = False,
) -> None:
    """Send a video to a sink as a job does. stumble: abandon each chunk once, in its middle."""
    item = video_item(path)
    frames = list(read_video(path, clip))
    chunks = [frames[first : first + chunk] for first in range(0, len(frames), chunk)]
    for number, chunk_frames in enumerate(chunks):
        if stumble:
            for frame in chunk_frames[: len(chunk_frames) // 2]:
                sink.write(frame, item, number, records)
            sink.abandon()
        for frame in chunk_frames:
            sink.write(frame, item, number, records)
        sink.end_chunk(item, number)
    sink.end_item(item, len(chunks))
    sink.end_item(item, len(chunks))  # as after a kill before the journal was written
    sink.remove_chunks(item)
