"""YouTube-VOS 2019: objects are followed from where each appears; scored on its server alone."""

from pathlib import Path

from vlseg_cli.datasets.toy.youtube_vos import write_youtube_vos
from vlseg_cli.datasets.youtube_vos import YouTubeVOSDataset
from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, ProtocolChoice
from vlseg_cli.evaluation.scorers.base import ServerScorer
from vlseg_cli.evaluation.submissions.masks import ObjectNumbers
from vlseg_cli.schema import Task

HOMES = ("youtube-vos", "ytvos", ".")
SPLIT = "valid"


def _opened(home: Path, _: ProtocolChoice) -> Opened:
    return Opened(YouTubeVOSDataset(home, SPLIT), ServerScorer("J&F"))


def _write_toy(folder: Path, seeds: range) -> None:
    write_youtube_vos(folder / HOMES[0], SPLIT, seeds)


BENCHMARKS = [
    Benchmark(
        name="youtube-vos-2019",
        title="YouTube-VOS 2019 valid",
        task=Task.VOS,
        homes=HOMES,
        open=_opened,
        write_toy=_write_toy,
        papers={"psalm": {}},
        switches={},
        size=507,
        server="https://codalab.lisn.upsaclay.fr/competitions/6066",
        submission=ObjectNumbers,
    )
]
