"""Videos of any length that are cheap to make."""

from fractions import Fraction
from itertools import count
from pathlib import Path

import av
import numpy as np


def write_stream(path: Path, frames: int, width: int, height: int) -> Path:
    """A video in which one line moves."""
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
    return path


def repeat_film(source: Path, path: Path, frames: int) -> Path:
    """A video repeated up to a number of frames."""
    with av.open(str(source)) as film, av.open(str(path), "w") as container:
        track = film.streams.video[0]
        packets = [packet for packet in film.demux(track) if packet.size]
        stream = container.add_stream_from_template(track)
        once = sum(packet.duration for packet in packets)
        data = [(bytes(p), p.pts, p.dts, p.duration, p.is_keyframe) for p in packets]
        for number, round_ in ((n, r) for r in count() for n in range(len(data))):
            if round_ * len(data) + number == frames:
                break
            content, pts, dts, duration, is_keyframe = data[number]
            packet = av.Packet(content)
            packet.stream, packet.time_base = stream, track.time_base
            packet.pts, packet.dts = pts + round_ * once, dts + round_ * once
            packet.duration, packet.is_keyframe = duration, is_keyframe
            container.mux(packet)
    return path
