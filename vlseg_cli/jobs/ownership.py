"""Which files below an output folder are a job's own: nothing else is ever replaced or erased.

A job owns what its formats write for its items. Before ``job.json`` and the list of items name
them, nothing may be in their place; what is there later under these names is therefore the job's.
"""

import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from vlseg_cli.jobs.job import (
    ERASED,
    FAILURES,
    ITEMS,
    JOB,
    JOURNAL,
    LOCK,
    RECORDS,
    REMOVED_STATE,
    STATE_FOLDER,
    WORK,
    Job,
    read_job,
)
from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.lease import remove_staging
from vlseg_cli.outputs import FORMATS, OutputFolder
from vlseg_cli.outputs.atomic import LEFTOVER, remove_partial_files, write_error
from vlseg_cli.schema import OutputError, UsageError

_NAMED = 3  # foreign files in an error message


def existing_files(
    root: Path, formats: Sequence[str], names: Collection[str], shared: bool = True
) -> Iterator[str]:
    """The files of formats that exist: those of the items of these names, and shared ones."""
    paths = [path for name in formats for path in FORMATS[name].paths]
    pattern = re.compile("|".join(map(_expression, paths)))
    known = {name.casefold() for name in names}
    for top in dict.fromkeys(path.partition("/")[0] for path in paths):
        for file in _files_below(root / top):
            path = file.relative_to(root).as_posix()
            match = pattern.fullmatch(path)
            name = next((one for one in match.groups() if one), "") if match else ""
            is_shared = path == top if match is None else not name
            if shared if is_shared else name.casefold() in known:
                yield path


def check_foreign(
    root: Path, formats: Sequence[str], names: Collection[str], own: Collection[str], is_new: bool
) -> None:
    """Raise UsageError if files that no job of ours wrote are in the place of results.

    names: of new items. own: results of the job that is there. is_new: there is none, or it is
    erased, so that no further file is ours.
    """
    foreign = [one for one in existing_files(root, formats, names, is_new) if one not in own]
    if is_new and read_job(root) is None:
        foreign += [one for one in (JOURNAL, RECORDS, FAILURES) if (root / one).exists()]
    if foreign:
        more = f" and {len(foreign) - _NAMED} more" if len(foreign) > _NAMED else ""
        raise UsageError(
            f"{root} holds files that vlseg did not write, in the place of results:"
            f" {', '.join(sorted(foreign)[:_NAMED])}{more}. Move them, or give another --out."
        )


def files_of_job(folder: OutputFolder, job: Job) -> list[str]:
    """The results of a job that exist."""
    try:
        names = [item.name for item in Journal(folder, "").items]
    except OutputError:  # damaged: which items it had is unknown
        names = []
    formats = [one for one in job.options.get("save", ()) if one in FORMATS]
    return list(existing_files(folder.root, formats, names))


def begin_erasing(folder: OutputFolder) -> None:
    """The one step after which the folder holds no job; the caller holds the lock."""
    folder.check_staging()
    _attempt(folder.root / JOB, lambda path: path.rename(folder.root / ERASED))


def sweep(folder: OutputFolder, worker: str) -> None:
    """Remove what killed processes left, and jobs that are being erased; with the lock held."""
    root, state = folder.root, folder.root / STATE_FOLDER
    for path in root.iterdir():
        if LEFTOVER.fullmatch(path.name):
            path.unlink(missing_ok=True)
    if (root / REMOVED_STATE).exists():
        remove_partial_files(root)  # which releases before wrote beside the results
        shutil.rmtree(root / REMOVED_STATE, ignore_errors=True)
    erased = read_job(root, ERASED)
    if erased is not None:
        _remove_state(state, worker)
        for name in (*files_of_job(folder, erased), RECORDS, FAILURES, JOURNAL):
            _attempt(root / name, lambda path: path.unlink(missing_ok=True))
            _remove_empty_folders(root / name, root)
        _attempt(root / ERASED, Path.unlink)
    elif not (state / ITEMS).exists():
        _remove_state(state, worker)


def has_leftovers(root: Path) -> bool:
    """Whether a finished job has anything that ``sweep`` or the next lock would remove."""
    hidden = (STATE_FOLDER, REMOVED_STATE, ERASED, f"{LOCK}.lease")
    return any(one.name in hidden or LEFTOVER.fullmatch(one.name) for one in root.iterdir())


def _remove_state(state: Path, worker: str) -> None:
    """Everything in the state folder but the staging folder of this process.

    Those of other processes come first: from then on they can put nothing in place.
    """
    for staging in _entries(state / WORK):
        if staging.name != worker:
            remove_staging(staging)
    for path in _entries(state):
        if path.is_dir() and not path.is_symlink():
            if path.name != WORK:
                shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _attempt(path: Path, step: Callable[[Path], object]) -> None:
    try:
        step(path)
    except OSError as error:
        raise write_error(path, error) from error


def _remove_empty_folders(path: Path, root: Path) -> None:
    with suppress(OSError):
        for folder in path.parents:
            if folder == root:
                break
            folder.rmdir()


def _expression(path: str) -> str:
    """``overlay/NAME/#.png`` as a regular expression."""
    return re.escape(path).replace("NAME", "([^/]+)").replace(r"\#", r"\d+")


def _files_below(top: Path) -> Iterator[Path]:
    if top.is_dir():
        for parent, _, names in os.walk(top):
            yield from (Path(parent, name) for name in names)
    elif top.exists() or top.is_symlink():
        yield top
