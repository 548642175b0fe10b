"""What a job would take: inputs and frames from their headers, the rest from a trial."""

import math
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from vlseg_cli.jobs.job import Job, JobSettings
from vlseg_cli.jobs.profiling import existing_folder, profile_job
from vlseg_cli.jobs.run import AskAbout
from vlseg_cli.media.probe import Probe, probe
from vlseg_cli.models.base import Segmenter
from vlseg_cli.schema import FrameRange, Input, InputError

_HEADERS = 200  # inputs whose headers are looked at
_TRIED = 4  # images and as many videos that are answered
_TRIED_FRAMES = 16  # of each of these videos


@dataclass(frozen=True, slots=True)
class JobPlan:
    """What is to be expected of a whole job; all but the counts of inputs is an estimate.

    unreadable: inputs among the ``looked_at`` that fail, and why. frames: None where no video tells
    its length. seconds: of answering, bytes: of results; None if frames is, or if nothing of the
    trial could be answered. memory: bytes at its peak. free: bytes of the disk.
    """

    images: int
    videos: int
    looked_at: int
    unreadable: dict[str, str]
    frames: int | None
    seconds: float | None
    bytes: int | None
    memory: int
    free: int


def plan_job(
    job: Job,
    settings: JobSettings,
    found: Sequence[Input],
    load: Callable[[], Segmenter],
    ask: AskAbout,
) -> JobPlan:
    """Look, try and extrapolate; nothing is left behind.

    Raises what ``run_job`` raises, and KeyboardInterrupt if a signal stops the trial.
    """
    images = [one for one in found if not one.is_video]
    videos = [one for one in found if one.is_video]
    lengths, unreadable = _look(spread_evenly(found, _HEADERS), settings.clip)
    of_videos = _total(lengths, len(videos))
    frames = {False: len(images), True: of_videos}
    limit = min(_TRIED_FRAMES, settings.clip.max_frames or _TRIED_FRAMES)
    brief = replace(settings, clip=replace(settings.clip, max_frames=limit))
    load_once = cache(load)
    trials = {
        some[0].is_video: profile_job(job, brief, spread_evenly(some, _TRIED), load_once, ask)
        for some in (images, videos)
        if some
    }
    for trial in trials.values():
        unreadable |= trial.failed
    costs = [
        trial.cost(count) if trial.answered and (count := frames[kind]) is not None else None
        for kind, trial in trials.items()
    ]
    known = [cost for cost in costs if cost is not None]
    is_known = len(known) == len(costs)
    return JobPlan(
        len(images),
        len(videos),
        min(len(found), _HEADERS),
        unreadable,
        None if of_videos is None else len(images) + of_videos,
        sum(seconds for seconds, _ in known) if is_known else None,
        round(sum(size for _, size in known)) if is_known else None,
        max((trial.memory for trial in trials.values()), default=0),
        shutil.disk_usage(existing_folder(settings.folder.root)).free,
    )


def selected_frames(video: Probe, clip: FrameRange) -> int | None:
    """How many frames of a video a clip selects, None if the video does not tell its length."""
    if not video.frames:
        return None
    frames = float(video.frames)
    if video.seconds:
        start, end = clip.start or 0.0, min(clip.end or math.inf, video.seconds)
        frames *= max(0.0, end - start) / video.seconds
    selected = math.ceil(frames / clip.stride)
    return min(selected, clip.max_frames or selected)


def spread_evenly(found: Sequence[Input], count: int) -> list[Input]:
    """At most ``count`` of the inputs, evenly spread over all."""
    step = max(1.0, len(found) / count)
    return [found[int(place * step)] for place in range(min(len(found), count))]


def _look(found: Sequence[Input], clip: FrameRange) -> tuple[list[int], dict[str, str]]:
    """The frames of those videos that tell, and what cannot be read."""
    lengths: list[int] = []
    unreadable: dict[str, str] = {}
    for one in found:
        try:
            facts = probe(Path(one.source))
        except InputError as error:
            unreadable[one.source] = str(error)
            continue
        selected = selected_frames(facts, clip) if facts.kind == "video" else None
        if selected is not None:
            lengths.append(selected)
    return lengths, unreadable


def _total(lengths: Sequence[int], videos: int) -> int | None:
    """Frames of all videos, if they are like those that tell."""
    if not videos:
        return 0
    return round(sum(lengths) / len(lengths) * videos) if lengths else None
