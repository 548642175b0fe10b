"""Questions with short answers: VQAv2, OKVQA, TextVQA, VizWiz, GQA and POPE.

LLaVA's line requests a short answer on a line of its own, InternVL's after a space; and they
normalize GQA's answers in two ways. The papers use M4C's evaluator; VQAv2's own ('official')
rewrites less.
"""

from typing import Literal, cast

from vlseg_cli.evaluation.benchmarks.base import Benchmark, ProtocolChoice, always, chosen
from vlseg_cli.evaluation.metrics.vqa import GQAAccuracy, SoftAccuracy, VQAAccuracy
from vlseg_cli.evaluation.scorers.text_answers import GQAScorer, PopeScorer, VQAScorer
from vlseg_cli.evaluation.submissions.text_answers import VQAAnswers
from vlseg_cli.schema import Task

JOINTS = {"joint": ("line", "space")}
SELF1E: ProtocolChoice = {"joint": "space", "evaluator": "m4c"}
LLAVA: ProtocolChoice = {"joint": "line", "evaluator": "m4c"}
_EVAL_AI = "https://eval.ai/web/challenges/challenge-page/830"
# Sets with ten annotators: title, data set, split, images.
_VQA = (
    ("VQAv2 val", "vqav2", "val", 40_504),
    ("VQAv2 test-dev", "vqav2", "testdev", None),
    ("OKVQA val", "okvqa", "val", 5_033),
    ("TextVQA val", "textvqa", "val", 3_166),
    ("VizWiz val", "vizwiz", "val", 4_319),
)


def _vqa(_: object, protocol: ProtocolChoice) -> VQAScorer:
    return VQAScorer(SoftAccuracy() if protocol["evaluator"] == "m4c" else VQAAccuracy())


def _gqa(_: object, protocol: ProtocolChoice) -> GQAScorer:
    return GQAScorer(GQAAccuracy(cast(Literal["period", "spaces"], protocol["tidying"])))


BENCHMARKS = [
    *(
        Benchmark(
            name=f"{dataset}-{split}",
            title=title,
            task=Task.CHAT,
            dataset=dataset,
            splits=(split,),
            score=_vqa,
            papers={"psalm": LLAVA, "hyperseg": LLAVA, "self1e": SELF1E},
            switches={**JOINTS, "evaluator": ("m4c", "official")},
            size=size,
            server=_EVAL_AI if split == "testdev" else "",
            submission=VQAAnswers if split == "testdev" else None,
            choose=chosen("joint"),
        )
        for title, dataset, split, size in _VQA
    ),
    Benchmark(
        name="gqa-testdev",
        title="GQA testdev-balanced",
        task=Task.CHAT,
        dataset="gqa",
        splits=("testdev_balanced",),
        score=_gqa,
        papers={
            "hyperseg": {"joint": "line", "tidying": "period"},
            "self1e": {"joint": "space", "tidying": "spaces"},
        },
        switches={**JOINTS, "tidying": ("period", "spaces")},
        size=398,
        choose=chosen("joint"),
    ),
    Benchmark(
        name="pope",
        title="POPE",
        task=Task.CHAT,
        dataset="pope",
        splits=("all",),
        score=always(PopeScorer),
        papers={
            "psalm": {"joint": "line"},
            "hyperseg": {"joint": "line"},
            "self1e": {"joint": "space"},
        },
        switches=JOINTS,
        size=500,
        choose=chosen("joint"),
    ),
]
