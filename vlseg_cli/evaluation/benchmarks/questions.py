"""Questions with short answers: VQAv2, OKVQA, TextVQA, VizWiz, GQA and POPE.

LLaVA's line requests a short answer on a line of its own, InternVL's after a space; and they
normalize GQA's answers in two ways. The papers use M4C's evaluator; VQAv2's own ('official')
rewrites less.
"""

from functools import partial
from pathlib import Path
from typing import Literal, NamedTuple, cast

from vlseg_cli.datasets.gqa import GQADataset
from vlseg_cli.datasets.pope import POPEDataset
from vlseg_cli.datasets.questions import Joint
from vlseg_cli.datasets.toy.questions import write_gqa, write_pope, write_prepared_vqa, write_vqa
from vlseg_cli.datasets.vqa import VQADataset, VQAName
from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, ProtocolChoice
from vlseg_cli.evaluation.metrics.vqa import GQAAccuracy, SoftAccuracy, VQAAccuracy
from vlseg_cli.evaluation.scorers.text_answers import GQAScorer, PopeScorer, VQAScorer
from vlseg_cli.evaluation.submissions.text_answers import VQAAnswers
from vlseg_cli.schema import Task

JOINTS = {"joint": ("line", "space")}
EVALUATORS = {"evaluator": ("m4c", "official")}
TIDYINGS = {"tidying": ("period", "spaces")}
SELF1E: ProtocolChoice = {"joint": "space", "evaluator": "m4c"}
LLAVA: ProtocolChoice = {"joint": "line", "evaluator": "m4c"}


class _VQASplit(NamedTuple):
    """One split of a set with ten annotators; size: images."""

    benchmark: str
    title: str
    name: VQAName
    split: str
    size: int | None
    server: str = ""


VQA_SPLITS = (
    _VQASplit("vqav2-val", "VQAv2 val", "vqav2", "val", 40_504),
    _VQASplit(
        "vqav2-testdev",
        "VQAv2 test-dev",
        "vqav2",
        "testdev",
        None,
        "https://eval.ai/web/challenges/challenge-page/830",
    ),
    _VQASplit("okvqa-val", "OKVQA val", "okvqa", "val", 5_033),
    _VQASplit("textvqa-val", "TextVQA val", "textvqa", "val", 3_166),
    _VQASplit("vizwiz-val", "VizWiz val", "vizwiz", "val", 4_319),
)


def _vqa(one: _VQASplit, home: Path, protocol: ProtocolChoice) -> Opened:
    meter = SoftAccuracy() if protocol["evaluator"] == "m4c" else VQAAccuracy()
    dataset = VQADataset(home, one.name, one.split, joint=cast(Joint, protocol["joint"]))
    return Opened(dataset, VQAScorer(meter))


def _gqa(home: Path, protocol: ProtocolChoice) -> Opened:
    tidying = cast(Literal["period", "spaces"], protocol["tidying"])
    dataset = GQADataset(home, joint=cast(Joint, protocol["joint"]))
    return Opened(dataset, GQAScorer(GQAAccuracy(tidying)))


def _pope(home: Path, protocol: ProtocolChoice) -> Opened:
    return Opened(POPEDataset(home, joint=cast(Joint, protocol["joint"])), PopeScorer())


BENCHMARKS = [
    *(
        Benchmark(
            name=one.benchmark,
            title=one.title,
            task=Task.CHAT,
            homes=(one.name, f"data/{one.name}", "."),
            open=partial(_vqa, one),
            write_toy=partial(
                write_vqa if one.name in ("vqav2", "okvqa") else write_prepared_vqa,
                name=one.name,
                split=one.split,
            ),
            papers={"psalm": LLAVA, "hyperseg": LLAVA, "self1e": SELF1E},
            switches={**JOINTS, **EVALUATORS},
            size=one.size,
            server=one.server,
            submission=VQAAnswers if one.server else None,
        )
        for one in VQA_SPLITS
    ),
    Benchmark(
        name="gqa-testdev",
        title="GQA testdev-balanced",
        task=Task.CHAT,
        homes=("gqa", "data/gqa", "."),
        open=_gqa,
        write_toy=write_gqa,
        papers={
            "hyperseg": {"joint": "line", "tidying": "period"},
            "self1e": {"joint": "space", "tidying": "spaces"},
        },
        switches={**JOINTS, **TIDYINGS},
        size=398,
    ),
    Benchmark(
        name="pope",
        title="POPE",
        task=Task.CHAT,
        homes=("pope", "data/pope", "."),
        open=_pope,
        write_toy=write_pope,
        papers={
            "psalm": {"joint": "line"},
            "hyperseg": {"joint": "line"},
            "self1e": {"joint": "space"},
        },
        switches=JOINTS,
        size=500,
    ),
]
