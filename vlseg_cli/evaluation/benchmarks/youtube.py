"""YouTube-VOS and YouTube-VIS 2019, whose validation truth is on a server.

VOS: objects given by a mask where each first appears. VIS: every instance of 40 names.
"""

from functools import partial
from pathlib import Path

from vlseg_cli.datasets.toy.video_objects import write_youtube_vis, write_youtube_vos
from vlseg_cli.datasets.youtube_vis import YouTubeVISDataset
from vlseg_cli.datasets.youtube_vos import YouTubeVOSDataset
from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, ProtocolChoice
from vlseg_cli.evaluation.scorers.base import ServerScorer
from vlseg_cli.evaluation.scorers.tracks import TrackScorer
from vlseg_cli.evaluation.submissions.videos import ObjectNumbers, TrackResults
from vlseg_cli.schema import Task

VOS_HOMES = ("youtube-vos", "ytvos", ".")
VOS_SPLIT = "valid"


def _vos(home: Path, _: ProtocolChoice) -> Opened:
    return Opened(YouTubeVOSDataset(home, VOS_SPLIT), ServerScorer("J&F"))


VOS_BENCHMARKS = [
    Benchmark(
        name="youtube-vos-2019",
        title="YouTube-VOS 2019 valid",
        task=Task.VOS,
        homes=VOS_HOMES,
        open=_vos,
        write_toy=partial(write_youtube_vos, split=VOS_SPLIT),
        papers={"psalm": {}},
        switches={},
        size=507,
        server="https://codalab.lisn.upsaclay.fr/competitions/6066",
        submission=ObjectNumbers,
    )
]


VIS_HOMES = ("ytvis_2019", ".")
VIS_SPLITS = ("valid", "train")  # the second has truth, to measure at home


def _vis(home: Path, protocol: ProtocolChoice) -> Opened:
    dataset = YouTubeVISDataset(home, protocol["split"])
    return Opened(dataset, TrackScorer(len(dataset.category_ids)))


def _write_vis_toy(home: Path, seeds: range) -> None:
    for split in VIS_SPLITS:
        write_youtube_vis(home, split, seeds)


VIS_BENCHMARKS = [
    Benchmark(
        name="youtube-vis-2019",
        title="YouTube-VIS 2019 valid",
        task=Task.VIS,
        homes=VIS_HOMES,
        open=_vis,
        write_toy=_write_vis_toy,
        papers={"hyperseg": {"split": "valid"}},
        switches={"split": VIS_SPLITS},
        size=302,
        threshold=0.05,  # of a mask: average precision ranks the unsure as well
        server="https://codalab.lisn.upsaclay.fr/competitions/6064",
        submission=TrackResults,
    )
]

BENCHMARKS = [*VIS_BENCHMARKS, *VOS_BENCHMARKS]
