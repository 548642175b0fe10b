"""YouTube-VIS 2019: every instance of 40 names, followed. Its validation truth is on a server."""

from pathlib import Path

from vlseg_cli.datasets.toy.youtube_vos import write_ytvis
from vlseg_cli.datasets.youtube_vis import YouTubeVISDataset
from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, ProtocolChoice
from vlseg_cli.evaluation.scorers.tracks import TrackScorer
from vlseg_cli.evaluation.submissions.tracks import TrackResults
from vlseg_cli.schema import Task

HOMES = ("ytvis_2019", ".")
SPLITS = ("valid", "train")  # the second has truth, to measure at home


def _opened(home: Path, protocol: ProtocolChoice) -> Opened:
    dataset = YouTubeVISDataset(home, protocol["split"])
    return Opened(dataset, TrackScorer(len(dataset.category_ids)))


def _write_toy(folder: Path, seeds: range) -> None:
    for split in SPLITS:
        write_ytvis(folder / HOMES[0], split, seeds)


BENCHMARKS = [
    Benchmark(
        name="youtube-vis-2019",
        title="YouTube-VIS 2019 valid",
        task=Task.VIS,
        homes=HOMES,
        open=_opened,
        write_toy=_write_toy,
        papers={"hyperseg": {"split": "valid"}},
        switches={"split": SPLITS},
        size=302,
        threshold=0.05,  # of a mask: average precision ranks the unsure as well
        server="https://codalab.lisn.upsaclay.fr/competitions/6064",
        submission=TrackResults,
    )
]
