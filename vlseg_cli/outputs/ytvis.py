"""Tracks as YouTube-VIS has them: ``ytvis.json``, a data set, and the list ``ytvis_results.json``.

An annotation is an object with its mask in every frame, null where it is not visible. Records come
frame by frame, so the masks of a video are stored in a temporary file and read again by object:
memory holds 16 bytes a mask. Images and segments without a track are left out.
"""

import json
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain, groupby
from typing import IO, Any

from vlseg_cli import __version__
from vlseg_cli.outputs.coco import CategoryTable
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.outputs.records import by_frame, json_list, json_object
from vlseg_cli.schema import Record, Segment


@dataclass(slots=True)
class _YTVISTrack:
    """One object. frames: indices of the frames in which it is visible; offsets: of its masks in
    the file; scores: their sum for each category."""

    frames: "array[int]" = field(default_factory=lambda: array("Q"))
    offsets: "array[int]" = field(default_factory=lambda: array("Q"))
    scores: dict[int, float] = field(default_factory=dict)

    @property
    def category(self) -> int:
        """The id of the category with the largest sum of scores."""
        return max(self.scores, key=lambda name: self.scores[name])

    @property
    def score(self) -> float:
        """Mean over the frames in which it is visible."""
        return sum(self.scores.values()) / len(self.frames)


@dataclass(frozen=True, slots=True)
class _Video:
    """The tracks of a video by number, its length in frames, and the file of their masks."""

    number: int
    length: int
    tracks: dict[int, _YTVISTrack]
    masks: IO[bytes]

    def along(self, track: _YTVISTrack, key: str) -> Iterator[Any]:
        """A property of an object in each frame, None where it is not visible."""
        visible = iter(zip(track.frames, track.offsets, strict=True))
        frame, offset = next(visible)
        for index in range(self.length):
            if index != frame:
                yield None
                continue
            self.masks.seek(offset)
            yield json.loads(self.masks.readline())[key]
            frame, offset = next(visible, (-1, 0))


def write_youtube_vis(records: Iterable[Record], folder: OutputFolder) -> None:
    """Write both files; a video's id is its index among the videos, from 1."""
    categories = CategoryTable()
    data = json_object(
        [
            ("info", {"description": f"Predictions of vlseg {__version__}"}),
            ("videos", json_list(_videos(records, categories))),
            ("categories", json_list(categories.records())),
            ("annotations", json_list(_annotations(records, categories, folder))),
        ]
    )
    folder.write_stream(data, "ytvis.json")
    folder.write_stream(json_list(_results(records, categories, folder)), "ytvis_results.json")


def _by_video(records: Iterable[Record]) -> Iterator[tuple[int, Iterator[Record]]]:
    in_videos = (record for record in records if record.is_video)
    for number, (_, of_video) in enumerate(groupby(in_videos, key=lambda one: one.name), start=1):
        yield number, of_video


def _videos(records: Iterable[Record], categories: CategoryTable) -> Iterator[Iterator[bytes]]:
    """All videos; adds the categories of all prompts on the way."""
    for number, of_video in _by_video(records):
        frames = _add_categories(by_frame(of_video), categories)
        first = next(frames)
        lengths: list[int] = []
        yield json_object(
            [
                ("id", number),
                ("file_name", first.input),
                ("width", first.width),
                ("height", first.height),
                ("file_names", json_list(_file_names(chain([first], frames), lengths))),
                ("length", (str(length).encode() for length in lengths)),
            ]
        )


def _add_categories(frames: Iterable[list[Record]], categories: CategoryTable) -> Iterator[Record]:
    """The first record of each frame."""
    for frame in frames:
        for record in frame:
            categories.add(record)
        yield frame[0]


def _file_names(frames: Iterable[Record], lengths: list[int]) -> Iterator[str]:
    """Frames named as in the data set; at the end their number is appended to ``lengths``."""
    length = 0
    for record in frames:
        length += 1
        yield f"{record.name}/{record.frame:05d}.jpg"
    lengths.append(length)


def _tracked_videos(
    records: Iterable[Record], categories: CategoryTable, folder: OutputFolder
) -> Iterator[_Video]:
    """Every video with its tracks; its masks can be read until the next video."""
    for number, of_video in _by_video(records):
        with tempfile.TemporaryFile(dir=folder.root) as masks:
            tracks: dict[int, _YTVISTrack] = {}
            length = 0
            for length, frame in enumerate(by_frame(of_video), start=1):
                for record in frame:
                    for segment in record.segments:
                        if segment.track_id is not None:
                            track = tracks.setdefault(segment.track_id, _YTVISTrack())
                            name = categories.id_of(record, segment)
                            _add_mask(track, segment, name, length - 1, masks)
            yield _Video(number, length, tracks, masks)


def _add_mask(
    track: _YTVISTrack, segment: Segment, name: int, frame: int, masks: IO[bytes]
) -> None:
    track.frames.append(frame)
    track.offsets.append(masks.tell())
    track.scores[name] = track.scores.get(name, 0.0) + segment.score
    known = {"segmentation": segment.rle, "bbox": segment.bbox, "area": segment.area}
    masks.write(json.dumps(known).encode() + b"\n")


def _annotations(
    records: Iterable[Record], categories: CategoryTable, folder: OutputFolder
) -> Iterator[Iterator[bytes]]:
    number = 0
    for video in _tracked_videos(records, categories, folder):
        for track_id, track in sorted(video.tracks.items()):
            number += 1
            yield json_object(
                [
                    ("id", number),
                    ("video_id", video.number),
                    ("category_id", track.category),
                    ("track_id", track_id),
                    ("iscrowd", 0),
                    ("score", track.score),
                    ("segmentations", json_list(video.along(track, "segmentation"))),
                    ("bboxes", json_list(video.along(track, "bbox"))),
                    ("areas", json_list(video.along(track, "area"))),
                ]
            )


def _results(
    records: Iterable[Record], categories: CategoryTable, folder: OutputFolder
) -> Iterator[Iterator[bytes]]:
    for video in _tracked_videos(records, categories, folder):
        for _, track in sorted(video.tracks.items()):
            yield json_object(
                [
                    ("video_id", video.number),
                    ("category_id", track.category),
                    ("segmentations", json_list(video.along(track, "segmentation"))),
                    ("score", track.score),
                ]
            )
