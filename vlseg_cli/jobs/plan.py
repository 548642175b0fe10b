"""An estimate of a job: lengths from the headers of inputs, cost from a trial of a few of them.

The trial runs exactly as the job would, into a temporary folder on the same disk.
"""

import math
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import psutil

from vlseg_cli.jobs.job import Job, JobSettings
from vlseg_cli.jobs.run import BuildRequests, JobProgress, run_job
from vlseg_cli.jobs.work_units import Shard
from vlseg_cli.media.probe import Probe, probe
from vlseg_cli.models.base import Segmenter
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import FrameRange, Input, InputError

_HEADERS = 200  # inputs whose headers are read
_TRIED = 4  # images, and as many videos, in the trial
_TRIED_FRAMES = 16  # of each of these videos


@dataclass(frozen=True, slots=True)
class JobPlan:
    """What a whole job takes; everything but the counts of inputs is an estimate.

    looked_at: number of inputs whose headers were read. unreadable: those of them, and of the
    trial, that fail, with the error. frames: None if no video has its length in its header.
    seconds: of inference, bytes: of results; None if frames is, or if the trial had no result.
    memory: bytes at the peak. free: bytes on the disk.
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
    inputs: Sequence[Input],
    load: Callable[[], Segmenter],
    requests_for: BuildRequests,
) -> JobPlan:
    """Estimate a job; leaves no files behind.

    Raises what ``run_job`` raises, and KeyboardInterrupt if a signal stops the trial.
    """
    images = [one for one in inputs if not one.is_video]
    videos = [one for one in inputs if one.is_video]
    lengths, unreadable = _read_headers(spread_evenly(inputs, _HEADERS), settings.clip)
    video_frames = _total(lengths, len(videos))
    frames = {False: len(images), True: video_frames}
    limit = min(_TRIED_FRAMES, settings.clip.max_frames or _TRIED_FRAMES)
    short = replace(settings, clip=replace(settings.clip, max_frames=limit))
    load_once = cache(load)
    profiles = {
        some[0].is_video: profile_job(
            job, short, spread_evenly(some, _TRIED), load_once, requests_for
        )
        for some in (images, videos)
        if some
    }
    for profile in profiles.values():
        unreadable |= profile.failed
    costs = [
        profile.cost(count) if profile.done and (count := frames[kind]) is not None else None
        for kind, profile in profiles.items()
    ]
    known = [cost for cost in costs if cost is not None]
    is_known = len(known) == len(costs)
    return JobPlan(
        len(images),
        len(videos),
        min(len(inputs), _HEADERS),
        unreadable,
        None if video_frames is None else len(images) + video_frames,
        sum(seconds for seconds, _ in known) if is_known else None,
        round(sum(size for _, size in known)) if is_known else None,
        max((profile.memory for profile in profiles.values()), default=0),
        shutil.disk_usage(_existing_folder(settings.folder.root)).free,
    )


def selected_frames(video: Probe, clip: FrameRange) -> int | None:
    """How many frames of a video a range selects, None if its header has no length."""
    if not video.frames:
        return None
    frames = float(video.frames)
    if video.seconds:
        start, end = clip.start or 0.0, min(clip.end or math.inf, video.seconds)
        frames *= max(0.0, end - start) / video.seconds
    selected = math.ceil(frames / clip.stride)
    return min(selected, clip.max_frames or selected)


def spread_evenly(inputs: Sequence[Input], count: int) -> list[Input]:
    """At most ``count`` of the inputs, evenly spread over all."""
    step = max(1.0, len(inputs) / count)
    return [inputs[int(index * step)] for index in range(min(len(inputs), count))]


def _read_headers(inputs: Sequence[Input], clip: FrameRange) -> tuple[list[int], dict[str, str]]:
    """The lengths of videos, as far as their headers have them, and the unreadable inputs."""
    lengths: list[int] = []
    unreadable: dict[str, str] = {}
    for one in inputs:
        try:
            header = probe(Path(one.source))
        except InputError as error:
            unreadable[one.source] = str(error)
            continue
        selected = selected_frames(header, clip) if header.kind == "video" else None
        if selected is not None:
            lengths.append(selected)
    return lengths, unreadable


def _total(lengths: Sequence[int], videos: int) -> int | None:
    """Frames of all videos, from the mean of the known lengths."""
    if not videos:
        return 0
    return round(sum(lengths) / len(lengths) * videos) if lengths else None


@dataclass(slots=True)
class Profile(JobProgress):
    """The cost of a trial, from its progress.

    done: frames. written: bytes of results. memory: bytes in use at the peak, children included.
    failed: errors by input.
    """

    done: int = 0
    written: int = 0
    memory: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    begun: float = field(default_factory=time.perf_counter)
    seconds: float = 0.0

    def cost(self, frames: int) -> tuple[float, float]:
        """Seconds and bytes of that many frames."""
        return frames * self.seconds / self.done, frames * self.written / self.done

    def frames(self, count: int) -> None:
        """See ``JobProgress``."""
        self.done += count
        processes = psutil.Process(), *psutil.Process().children(recursive=True)
        self.memory = max(self.memory, sum(one.memory_info().rss for one in processes))

    def item(self, source: str, error: str | None) -> None:
        """See ``JobProgress``."""
        if error is not None:
            self.failed[source] = error


def profile_job(
    job: Job,
    settings: JobSettings,
    inputs: Sequence[Input],
    load: Callable[[], Segmenter],
    requests_for: BuildRequests,
) -> Profile:
    """Run the inputs; time is measured from when the model is loaded.

    Raises what ``run_job`` raises, and KeyboardInterrupt if a signal stopped it.
    """
    profile = Profile()

    def load_first() -> Segmenter:
        model = load()
        profile.begun = time.perf_counter()
        return model

    with tempfile.TemporaryDirectory(
        prefix=".vlseg-plan-", dir=_existing_folder(settings.folder.root)
    ) as name:
        folder = Path(name)
        alone = replace(settings, folder=OutputFolder(folder), shard=Shard(), overwrite=False)
        summary = run_job(job, alone, inputs, load_first, requests_for, profile)
        profile.seconds = time.perf_counter() - profile.begun
        profile.written = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    if summary.stopped:
        raise KeyboardInterrupt
    return profile


def _existing_folder(out: Path) -> Path:
    """The nearest existing folder above ``out``, on the disk that results are written to."""
    return next(one for one in out.absolute().parents if one.is_dir())
