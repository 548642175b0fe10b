"""Ref-YouTube-VOS, MeViS and ReVOS: expressions about videos. The best mask per frame counts."""

from functools import partial
from pathlib import Path

from vlseg_cli.datasets.mevis import MeViSDataset
from vlseg_cli.datasets.revos import ReVOSDataset
from vlseg_cli.datasets.toy.video_expressions import write_mevis, write_ref_youtube_vos, write_revos
from vlseg_cli.datasets.youtube_vos import RefYouTubeVOSDataset
from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, ProtocolChoice
from vlseg_cli.evaluation.scorers.video_expressions import ReVOSScorer, VideoExpressionScorer
from vlseg_cli.evaluation.submissions.videos import ExpressionMasks
from vlseg_cli.schema import Task

REF_YOUTUBE_HOMES = ("ref-youtube-vos", ".")
MEVIS_HOMES = ("mevis", "MeViS", ".")
REVOS_HOMES = ("ReVOS", "revos", ".")
# Groups of ReVOS with their kinds of expressions; the last is the mean of the others.
REVOS_GROUPS = {
    "reasoning": ("reasoning",),
    "referring": ("referring",),
    "overall": ("referring", "reasoning"),
}
REVOS_TOY = partial(write_revos, split="valid")
PAPERS: dict[str, ProtocolChoice] = {"hyperseg": {}}


def _ref_youtube(home: Path, _: ProtocolChoice) -> Opened:
    return Opened(RefYouTubeVOSDataset(home, "valid"), VideoExpressionScorer())


def _mevis(split: str, home: Path, _: ProtocolChoice) -> Opened:
    return Opened(MeViSDataset(home, split), VideoExpressionScorer())


def _revos(group: str, home: Path, _: ProtocolChoice) -> Opened:
    return Opened(ReVOSDataset(home, "valid", REVOS_GROUPS[group]), ReVOSScorer(group))


BENCHMARKS = [
    Benchmark(
        name="ref-youtube-vos",
        title="Ref-YouTube-VOS valid",
        task=Task.RVOS,
        homes=REF_YOUTUBE_HOMES,
        open=_ref_youtube,
        write_toy=partial(write_ref_youtube_vos, split="valid"),
        papers=PAPERS,
        switches={},
        size=202,
        threshold=0.0,
        server="https://codalab.lisn.upsaclay.fr/competitions/3282",
        submission=ExpressionMasks,
    ),
    *(
        Benchmark(
            name=f"mevis-{split}",
            title=f"MeViS {split}",
            task=Task.RVOS,
            homes=MEVIS_HOMES,
            open=partial(_mevis, split),
            write_toy=partial(write_mevis, split=split),
            papers=PAPERS,
            switches={},
            size=size,
            threshold=0.0,
            server=server,
            submission=ExpressionMasks if server else None,
        )
        for split, size, server in (
            ("valid_u", 50, ""),
            ("valid", 140, "https://codalab.lisn.upsaclay.fr/competitions/15094"),
        )
    ),
    *(
        Benchmark(
            name=f"revos-{group}",
            title=f"ReVOS {group}",
            task=Task.RVOS,
            homes=REVOS_HOMES,
            open=partial(_revos, group),
            write_toy=REVOS_TOY,
            papers=PAPERS,
            switches={},
            size=416,
            threshold=0.0,
        )
        for group in REVOS_GROUPS
    ),
]
