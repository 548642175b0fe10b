"""Which files below an output folder are a job's own: nothing else is ever replaced or erased.

A job owns what its formats write for its items. Before ``job.json`` and the list of items name
them, nothing may be in their place; what is there later under these names is therefore the job's.
"""

import json
import os
import re
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from vlseg_cli.jobs.job import (
    ERASED,
    EXPORT,
    EXPORTED,
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
from vlseg_cli.outputs.atomic import LEFTOVER, remove_partial_files
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
    root: Path,
    formats: Sequence[str],
    names: Collection[str],
    own: Collection[str] = (),
    shared: bool = True,
    job_files: bool = False,
) -> None:
    """Raise UsageError if files that no job of ours wrote are in the place of results.

    names: of the items. own: results that are known to be ours. shared: no file for all items is.
    job_files: no records or journal is.
    """
    foreign = [one for one in existing_files(root, formats, names, shared) if one not in own]
    if job_files:
        foreign += [one for one in (JOURNAL, RECORDS, FAILURES) if (root / one).exists()]
    if foreign:
        more = f" and {len(foreign) - _NAMED} more" if len(foreign) > _NAMED else ""
        raise UsageError(
            f"{root} holds files that this job did not write, in the place of its results:"
            f" {', '.join(sorted(foreign)[:_NAMED])}{more}. Move them, or give another --out."
        )


def files_of_job(folder: OutputFolder, job: Job) -> list[str]:
    """The results of a job that exist, with those that were exported to its folder."""
    try:
        names = [item.name for item in Journal(folder, "").items]
    except OutputError:  # damaged: which items it had is unknown
        names = []
    formats = dict.fromkeys((*formats_of(job), *exported_formats(folder.root, job)))
    return list(existing_files(folder.root, tuple(formats), names))


def formats_of(job: Job) -> list[str]:
    """The formats of a job, as far as this version has them."""
    return [one for one in job.options.get("save", ()) if one in FORMATS]


def exported_formats(root: Path, job: Job) -> dict[str, int]:
    """The formats of a job that were exported to a folder, each for its first so many items."""
    try:
        values = json.loads((root / EXPORTED).read_bytes())
        if values["fingerprint"] == job.fingerprint:
            return {name: int(n) for name, n in values["formats"].items() if name in FORMATS}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        pass
    return {}


def claim_exports(folder: OutputFolder, source: Path, job: Job, formats: Sequence[str]) -> None:
    """Record that formats of the job at ``source`` are written to a folder, with its lock held.

    Raises UsageError if files that the job did not write are in their place.
    """
    names = [item.name for item in Journal(OutputFolder(source), "").items]
    before = exported_formats(folder.root, job)
    own = {
        path
        for name, count in before.items()
        for path in existing_files(folder.root, (name,), names[:count])
    }
    if source.resolve() == folder.root.resolve():
        own.update(existing_files(folder.root, formats_of(job), names))
    check_foreign(folder.root, formats, names, own)
    claimed = before | dict.fromkeys(formats, len(names))
    values = {"fingerprint": job.fingerprint, "formats": claimed}
    folder.write((json.dumps(values) + "\n").encode(), EXPORTED)


def sweep_exports(folder: OutputFolder, worker: str) -> None:
    """Remove what killed exports left, with the lock of exports held."""
    _remove_drafts(folder.root)
    _remove_state(folder, EXPORT, worker)


def sweep(folder: OutputFolder, worker: str) -> None:
    """Remove what killed processes left, and the job that ``ERASED`` names; with the lock held.

    Writing that file is the one step after which its job does not count any more. Everything is
    removed through the staging folder, since this process, too, may be stopped and taken over.
    """
    root = folder.root
    _remove_drafts(root)
    if (root / REMOVED_STATE).exists():
        remove_partial_files(root)  # which releases before wrote beside the results
        shutil.rmtree(root / REMOVED_STATE, ignore_errors=True)
    erased = read_job(root, ERASED)
    if erased is not None:
        _fence_others(root / STATE_FOLDER, worker)
        folder.remove(JOB)
        for name in (*files_of_job(folder, erased), EXPORTED, RECORDS, FAILURES):
            folder.remove(*name.split("/"))
        for top in dict.fromkeys(one for form in FORMATS.values() for one in form.files):
            _remove_empty_folders(root / top)
        _remove_state(folder, STATE_FOLDER, worker)
        folder.remove(JOURNAL)
        folder.remove(ERASED)
    elif not (root / STATE_FOLDER / ITEMS).exists():
        _remove_state(folder, STATE_FOLDER, worker)


def has_leftovers(root: Path) -> bool:
    """Whether a finished job has anything that ``sweep`` or the next lock would remove."""
    hidden = (STATE_FOLDER, REMOVED_STATE, ERASED, f"{LOCK}.lease")
    return any(one.name in hidden or LEFTOVER.fullmatch(one.name) for one in root.iterdir())


def _remove_drafts(root: Path) -> None:
    for path in root.iterdir():
        if LEFTOVER.fullmatch(path.name):
            path.unlink(missing_ok=True)


def _fence_others(state: Path, worker: str) -> None:
    """Keep all other processes from putting anything in place."""
    for staging in _entries(state / WORK):
        if staging.name != worker:
            remove_staging(staging)


def _remove_state(folder: OutputFolder, name: str, worker: str) -> None:
    """Everything in a state folder but the staging folder of this process."""
    state = folder.root / name
    _fence_others(state, worker)
    for path in _entries(state):
        if path.name != WORK:
            folder.remove(name, path.name)


def _entries(folder: Path) -> list[Path]:
    return list(folder.iterdir()) if folder.is_dir() else []


def _remove_empty_folders(top: Path) -> None:
    for parent, _, _ in os.walk(top, topdown=False):
        with suppress(OSError):
            Path(parent).rmdir()


def _expression(path: str) -> str:
    """``overlay/NAME/#.png`` as a regular expression."""
    return re.escape(path).replace("NAME", "([^/]+)").replace(r"\#", r"\d+")


def _files_below(top: Path) -> Iterator[Path]:
    if top.is_dir():
        for parent, _, names in os.walk(top):
            yield from (Path(parent, name) for name in names)
    elif top.exists() or top.is_symlink():
        yield top
