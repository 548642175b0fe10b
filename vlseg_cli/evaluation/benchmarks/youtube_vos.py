"""YouTube-VOS 2019: objects are followed from where each appears; scored on its server alone."""

from pathlib import Path

from vlseg_cli.datasets.specimens.youtube_vos import write_youtube_vos
from vlseg_cli.datasets.youtube_vos import YouTubeVOS
from vlseg_cli.evaluation.benchmarks.benchmark import Benchmark, Opened, Protocol
from vlseg_cli.evaluation.scores.hidden import HiddenScore
from vlseg_cli.evaluation.submissions.masks import ObjectNumbers
from vlseg_cli.schema import Task

HOMES = ("youtube-vos", "ytvos", ".")
SPLIT = "valid"


def _opened(home: Path, _: Protocol) -> Opened:
    return Opened(YouTubeVOS(home, SPLIT), HiddenScore("J&F"))


def _specimen(folder: Path, seeds: range) -> None:
    write_youtube_vos(folder / HOMES[0], SPLIT, seeds)


BENCHMARKS = [
    Benchmark(
        name="youtube-vos-2019",
        title="YouTube-VOS 2019 valid",
        task=Task.VOS,
        homes=HOMES,
        open=_opened,
        specimen=_specimen,
        papers={"psalm": {}},
        switches={},
        size=507,
        server="https://codalab.lisn.upsaclay.fr/competitions/6066",
        submission=ObjectNumbers,
    )
]
