"""What a run evaluates: several benchmarks at once, their samples grouped by image.

Benchmarks that share an image share its features, and equal prompts one prediction.
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
    """A benchmark with the protocol and the data of this run."""

    benchmark: Benchmark
    protocol: ProtocolChoice
    opened: Opened


class Portion(NamedTuple):
    """A benchmark's sample of an image, or of a clip."""

    entry: PlannedBenchmark
    sample: Sample | ClipSample


Portions = tuple[Portion, ...]  # of one image or clip, those of all benchmarks


class EvaluationPlan:
    """The images and clips of all benchmarks, each once, in the order of their first benchmark."""

    def __init__(self, entries: Sequence[PlannedBenchmark], limit: int | None = None) -> None:
        """limit: at most so many images and clips of each benchmark.

        Raises InputError if a data set does not know its own images.
        """
        self.entries = tuple(entries)
        self._entries: dict[str, list[tuple[PlannedBenchmark, int]]] = defaultdict(list)
        for entry in entries:
            dataset = entry.opened.dataset
            for number in range(len(dataset))[:limit]:
                name = dataset.source(number)
                if entry.benchmark.is_video:  # sessions are not shared: their prompts differ
                    name = f"{entry.benchmark.name}:{name}"
                self._entries[name].append((entry, number))

    def inputs(self) -> list[Input]:
        """The images and clips as inputs of a job."""
        return [
            Input(source, entries[0][0].benchmark.is_video, -1, 0)
            for source, entries in self._entries.items()
        ]

    def read(self, source: str) -> Portions:
        """Read every sample of an image or clip. Raises InputError."""
        try:
            return tuple(
                Portion(entry, entry.opened.dataset[number])
                for entry, number in self._entries[source]
            )
        except NoInputError as error:  # a file of one sample is missing: the others go on
            raise InputError(str(error)) from error


def prompt_requests(portions: Portions) -> list[PromptRequest]:
    """The requests in the order of the portions and of their queries."""
    same: dict[Prompt, Prompt] = {}  # regions are never equal
    found = []
    for entry, sample in portions:
        for query in sample.queries:
            prompt = same.setdefault(query.prompt, query.prompt)
            found.append(_request(entry.benchmark, query, prompt))
    return found


def columns(portions: Portions) -> int:
    """How many predictions each frame gets."""
    return sum(len(sample.queries) for _, sample in portions)


def rows(portions: Portions) -> int:
    """How many frames there are."""
    sample = portions[0].sample
    return sample.length if isinstance(sample, ClipSample) else 1


def _request(benchmark: Benchmark, query: Query | ClipQuery, prompt: Prompt) -> PromptRequest:
    first = query.first if isinstance(query, ClipQuery) else 0
    return PromptRequest(
        first, query.task, prompt, benchmark.threshold_of(query.task), benchmark.many
    )
