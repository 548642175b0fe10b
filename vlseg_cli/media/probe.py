"""Size, codec, duration and frame rate of a file, from its header and first frame."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from vlseg_cli.media.formats import is_video
from vlseg_cli.media.image import probe_image
from vlseg_cli.media.limits import DEFAULT_LIMITS, Limits, check_size


@dataclass(frozen=True, slots=True)
class Probe:
    """Facts of an image or a video.

    width, height: as displayed, px. codec: its name in lower case. seconds, frames, fps: None for
    an image, or if the file lacks them; frames is an estimate. time_base: unit of timestamps in
    seconds. first_pts: timestamp of frame 0, None if frames have none. rotation: degrees
    counterclockwise from stored to upright frames.
    """

    kind: Literal["image", "video"]
    width: int
    height: int
    codec: str
    seconds: float | None = None
    frames: int | None = None
    fps: Fraction | None = None
    time_base: Fraction | None = None
    first_pts: int | None = None
    rotation: int = 0
    has_audio: bool = False


def probe(path: Path, limits: Limits = DEFAULT_LIMITS) -> Probe:
    """Probe a file, decoding at most one frame; raises as reading it would."""
    if is_video(path):
        return _probe_video(path, limits)
    codec, width, height = probe_image(path, limits)
    return Probe("image", width, height, codec)


def _probe_video(path: Path, limits: Limits) -> Probe:
    from vlseg_cli.media.container import open_video
    from vlseg_cli.media.decoding import decode_packets, display_matrix

    with open_video(path, limits) as (container, stream):
        first = next(decode_packets(path, container, stream))
        check_size(path, first.width, first.height, limits)
        width, height = first.width, first.height
        if display_matrix(first).swaps_sides:
            width, height = height, width
        seconds = None
        if stream.duration and stream.time_base:
            seconds = float(stream.duration * stream.time_base)
        elif container.duration:
            seconds = container.duration / 1e6
        fps = stream.average_rate or stream.guessed_rate
        frames = stream.frames or (round(seconds * fps) if seconds and fps else None)
        return Probe(
            "video",
            width,
            height,
            stream.codec_context.codec.canonical_name,
            seconds,
            frames,
            fps,
            stream.time_base,
            first.pts,
            first.rotation % 360,
            bool(container.streams.audio),
        )
