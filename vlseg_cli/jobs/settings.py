"""How a job is run: everything that the caller chooses beside what is asked."""

from collections.abc import Callable
from dataclasses import dataclass, field

from vlseg_cli.jobs.frame_source import FrameSource
from vlseg_cli.jobs.shard import Shard
from vlseg_cli.outputs import OutputFolder, Sink
from vlseg_cli.schema import Clip

PART_FRAMES = 240  # of a video between two lines of the journal: what a kill can cost


@dataclass(frozen=True, slots=True)
class Settings:
    """How to run a job.

    formats: names of --save; () keeps nothing at all, unless keep_records asks for the record store
    alone. again: failed inputs are work to do, too. through_time: things are followed through
    videos; pictures are inputs only if pictures_too. open_source: where frames come from, None for
    the files that the inputs name. watchers: are given every answer that this process makes.
    """

    folder: OutputFolder
    formats: tuple[str, ...]
    clip: Clip = field(default_factory=Clip)
    batch_size: int = 1
    part_frames: int = PART_FRAMES
    shard: Shard = field(default_factory=Shard)
    overwrite: bool = False
    again: bool = False
    fail_fast: bool = False
    through_time: bool = False
    pictures_too: bool = False
    keep_records: bool = False
    open_source: Callable[[], FrameSource] | None = None
    watchers: tuple[Sink, ...] = ()
