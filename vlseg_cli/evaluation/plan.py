"""What a run evaluates: several benchmarks at once, their samples grouped by picture.

Benchmarks that share a picture share one look at it, and equal prompts about it one answer.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, ProtocolChoice
from vlseg_cli.schema import (
    ClipQuery,
    ClipSample,
    Input,
    InputError,
    NoInputError,
    Prompt,
    PromptRequest,
    Query,
    Sample,
)


@dataclass(frozen=True, slots=True)
class PlannedBenchmark:
    """A benchmark as this run asks it."""

    benchmark: Benchmark
    protocol: ProtocolChoice
    opened: Opened


class Portion(NamedTuple):
    """What one benchmark asks about a picture, or about a clip."""

    entry: PlannedBenchmark
    sample: Sample | ClipSample


Portions = tuple[Portion, ...]  # everything asked about one picture or clip


class EvaluationPlan:
    """The pictures and clips of all benchmarks, each once, in the order they are first met."""

    def __init__(self, entries: Sequence[PlannedBenchmark], limit: int | None = None) -> None:
        """limit: at most so many pictures and clips of each benchmark, for a quick look.

        Raises InputError if a data set does not know its own pictures.
        """
        self.entries = tuple(entries)
        self._places: dict[str, list[tuple[PlannedBenchmark, int]]] = defaultdict(list)
        for entry in entries:
            dataset = entry.opened.dataset
            for number in range(len(dataset))[:limit]:
                name = dataset.source(number)
                if entry.benchmark.is_video:  # sessions are not shared: their prompts differ
                    name = f"{entry.benchmark.name}:{name}"
                self._places[name].append((entry, number))

    def inputs(self) -> list[Input]:
        """The pictures and clips as inputs of a job."""
        return [
            Input(source, places[0][0].benchmark.is_video, -1, 0)
            for source, places in self._places.items()
        ]

    def read(self, source: str) -> Portions:
        """Read all that is asked about a picture or clip. Raises InputError."""
        try:
            return tuple(
                Portion(entry, entry.opened.dataset[number])
                for entry, number in self._places[source]
            )
        except NoInputError as error:  # a file of one sample is missing: the others go on
            raise InputError(str(error)) from error


def prompt_requests(portions: Portions) -> list[PromptRequest]:
    """What to ask, in the order of the portions and of their queries."""
    same: dict[Prompt, Prompt] = {}  # regions are never equal
    found = []
    for entry, sample in portions:
        for query in sample.queries:
            prompt = same.setdefault(query.prompt, query.prompt)
            found.append(_ask(entry.benchmark, query, prompt))
    return found


def columns(portions: Portions) -> int:
    """How many answers each frame gets."""
    return sum(len(sample.queries) for _, sample in portions)


def rows(portions: Portions) -> int:
    """How many frames there are."""
    sample = portions[0].sample
    return sample.length if isinstance(sample, ClipSample) else 1


def _ask(benchmark: Benchmark, query: Query | ClipQuery, prompt: Prompt) -> PromptRequest:
    first = query.first if isinstance(query, ClipQuery) else 0
    return PromptRequest(
        first, query.task, prompt, benchmark.threshold_of(query.task), benchmark.many
    )
