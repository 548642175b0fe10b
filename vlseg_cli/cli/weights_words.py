"""What ``vlseg weights list`` and ``show`` print: plain lines that other programs can read."""

from collections.abc import Iterator, Mapping

from vlseg_cli.weights.catalogue import Entry, catalogue, facts, find_entry
from vlseg_cli.weights.pins import read_pin
from vlseg_cli.weights.places import lock_file
from vlseg_cli.weights.resolve import stage


def table() -> Iterator[str]:
    """A line per name: where it stands, size, role, what it is."""
    width = max(map(len, catalogue()))
    for name, entry in catalogue().items():
        size = in_bytes(entry.gigabytes) if entry.gigabytes else ""
        here = _here(name, entry)
        yield f"{name:<{width}}  {here:<9}  {size:>8}  {entry.role:<5}  {entry.title}"


def in_bytes(gigabytes: float) -> str:
    """'3.2 GB', '13 MB'."""
    return f"{gigabytes:.1f} GB" if gigabytes >= 1 else f"{gigabytes * 1000:.0f} MB"


def description(name: str) -> Iterator[str]:
    """Every fact of a name, then what of it is on this machine. Raises WeightsError if unknown."""
    entry = find_entry(name)
    yield from (f"{key:<12}  {_words(value)}" for key, value in facts(entry).items())
    yield f"{'here':<12}  {_here(name, entry)}"
    if pin := read_pin(lock_file(name)):
        yield f"{'pinned':<12}  {pin.source} {pin.commit}".rstrip()


def _here(name: str, entry: Entry) -> str:
    return "embedded" if entry.format == "vlseg" else stage(name)


def _words(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {number:g}" for key, number in value.items())
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
