"""Videos: expressions, objects given by a mask, instances of 40 names, correspondence.

Ref-YouTube-VOS, MeViS, ReVOS: the best mask per frame counts. DAVIS-2017: PSALM takes from the
truth which objects a frame shows; we never do. HyperSeg does not state how it evaluates
Ref-DAVIS17: four annotations, each with all objects on one map, is the set's own way; 'expression'
is VISA's, one by one. The validation truth of YouTube-VOS and YouTube-VIS is on a server.
Ego-Exo4D: an object of one camera, segmented in the other's view, both ways.
"""

from functools import partial
from typing import Any

from vlseg_cli.evaluation.benchmarks.base import Benchmark, ProtocolChoice, always
from vlseg_cli.evaluation.scorers.base import Scorer, ServerScorer
from vlseg_cli.evaluation.scorers.tracks import CorrespondenceScorer, TrackScorer, VOSScorer
from vlseg_cli.evaluation.scorers.video_expressions import (
    RefDavisScorer,
    ReVOSScorer,
    VideoExpressionScorer,
)
from vlseg_cli.evaluation.submissions import ExpressionMasks, ObjectNumbers, TrackResults
from vlseg_cli.schema import Task

# Groups of ReVOS with their kinds of expressions; the last is the mean of the others.
REVOS_GROUPS = {
    "reasoning": ("reasoning",),
    "referring": ("referring",),
    "overall": ("referring", "reasoning"),
}
_CODALAB = "https://codalab.lisn.upsaclay.fr/competitions"
_EXPRESSIONS = (
    ("ref-youtube-vos", "Ref-YouTube-VOS valid", "ref-youtube-vos", "valid", 202, "/3282"),
    ("mevis-valid_u", "MeViS valid_u", "mevis", "valid_u", 50, ""),
    ("mevis-valid", "MeViS valid", "mevis", "valid", 140, "/15094"),
)


def _ref_davis(_: object, protocol: ProtocolChoice) -> Scorer[Any]:
    return RefDavisScorer() if protocol["unit"] == "annotation" else VideoExpressionScorer()


def _tracks(dataset: Any, _: ProtocolChoice) -> TrackScorer:
    return TrackScorer(len(dataset.category_ids))


BENCHMARKS = [
    *(
        Benchmark(
            name=name,
            title=title,
            task=Task.RVOS,
            dataset=dataset,
            splits=(split,),
            score=partial(always, VideoExpressionScorer),
            papers={"hyperseg": {}},
            size=size,
            threshold=0.0,
            server=_CODALAB + server if server else "",
            submission=ExpressionMasks if server else None,
        )
        for name, title, dataset, split, size, server in _EXPRESSIONS
    ),
    *(
        Benchmark(
            name=f"revos-{group}",
            title=f"ReVOS {group}",
            task=Task.RVOS,
            dataset="revos",
            splits=("valid",),
            score=partial(always, partial(ReVOSScorer, group)),
            papers={"hyperseg": {}},
            size=416,
            threshold=0.0,
            options={"kinds": kinds},
        )
        for group, kinds in REVOS_GROUPS.items()
    ),
    Benchmark(
        name="davis-2017-val",
        title="DAVIS-2017 val",
        task=Task.VOS,
        dataset="davis-2017",
        splits=("val",),
        score=partial(always, VOSScorer),
        papers={"psalm": {}},
        size=30,
    ),
    Benchmark(
        name="ref-davis-2017",
        title="Ref-DAVIS17 val",
        task=Task.RVOS,
        dataset="ref-davis-2017",
        splits=("val",),
        score=_ref_davis,
        papers={"hyperseg": {"unit": "annotation"}},
        switches={"unit": ("annotation", "expression")},
        size=30,
        threshold=0.0,
    ),
    Benchmark(
        name="youtube-vis-2019",
        title="YouTube-VIS 2019 valid",
        task=Task.VIS,
        dataset="youtube-vis",
        splits=("valid", "train"),
        score=_tracks,
        papers={"hyperseg": {"split": "valid"}},
        switches={"split": ("valid", "train")},  # the second has truth, to measure at home
        size=302,
        threshold=0.05,  # of a mask: average precision ranks the unsure as well
        server=f"{_CODALAB}/6064",
        submission=TrackResults,
    ),
    Benchmark(
        name="youtube-vos-2019",
        title="YouTube-VOS 2019 valid",
        task=Task.VOS,
        dataset="youtube-vos",
        splits=("valid",),
        score=partial(always, partial(ServerScorer, "J&F")),
        papers={"psalm": {}},
        size=507,
        server=f"{_CODALAB}/6066",
        submission=ObjectNumbers,
    ),
    *(
        Benchmark(
            name=f"ego-exo4d-{query}",
            title=f"Ego-Exo4D val, {query} query",
            task=Task.VOS,
            dataset="ego-exo4d",
            splits=("val",),
            score=partial(always, CorrespondenceScorer),
            papers={"psalm": {}},
            options={"query": query},
        )
        for query in ("ego", "exo")
    ),
]
