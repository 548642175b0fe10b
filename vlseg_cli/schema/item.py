"""One input of a job: which file, the name its results carry, and how to tell if it changed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Input:
    """A file that was asked for, as it is now.

    source: the path as the user wrote it. bytes, modified: size, and time of the last change in ns
    since 1970; -1 and 0 for a file that a list names but that is not there.
    """

    source: str
    is_video: bool
    bytes: int
    modified: int


@dataclass(frozen=True, slots=True)
class Item:
    """An image or a video that a job answers.

    number: place in the job, from 0; it never changes. name: safe file name without extension,
    unlike that of any other item of the job. The rest as in Input, when it was listed.
    """

    number: int
    source: str
    name: str
    is_video: bool
    bytes: int
    modified: int
