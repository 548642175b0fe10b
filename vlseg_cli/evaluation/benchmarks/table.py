"""All benchmarks by name, in the order of the list that ``vlseg eval --list`` prints."""

from collections.abc import Iterable, Mapping

from vlseg_cli.evaluation.benchmarks import (
    choices,
    coco,
    coco_interactive,
    davis,
    ego_exo4d,
    grefcoco,
    llmseg40k,
    open_vocabulary,
    questions,
    reasonseg,
    rec,
    refcoco,
    video_expressions,
    youtube_vis,
    youtube_vos,
)
from vlseg_cli.evaluation.benchmarks.benchmark import Benchmark
from vlseg_cli.schema import UsageError

FAMILIES = (
    refcoco,
    grefcoco,
    rec,
    reasonseg,
    llmseg40k,
    coco,
    coco_interactive,
    open_vocabulary,
    video_expressions,
    davis,
    youtube_vis,
    youtube_vos,
    ego_exo4d,
    questions,
    choices,
)

BENCHMARKS: Mapping[str, Benchmark] = {
    one.name: one for family in FAMILIES for one in family.BENCHMARKS
}


def find_benchmarks(names: Iterable[str]) -> list[Benchmark]:
    """The benchmarks of these names, each once. Raises UsageError for an unknown one."""
    found = []
    for name in dict.fromkeys(names):
        if name not in BENCHMARKS:
            raise UsageError(f"There is no benchmark {name!r}: see 'vlseg eval --list'.")
        found.append(BENCHMARKS[name])
    return found


def switches_of(benchmarks: Iterable[Benchmark]) -> dict[str, tuple[str, ...]]:
    """What can be chosen in any of the benchmarks."""
    return {switch: choices for one in benchmarks for switch, choices in one.switches.items()}
