"""Questions: VQAv2, OKVQA, TextVQA, VizWiz, GQA, POPE; MMBench, ScienceQA and MME.

LLaVA's line requests a short answer on a line of its own, InternVL's after a space; and they
normalize GQA's answers in two ways. The papers use M4C's evaluator; VQAv2's own ('official')
rewrites less. Multiple choice: HyperSeg takes 'A' where an answer has no letter; InternVL's line,
with SELF1E, searches for the text of a choice. MMBench's test answers are on its server; the
development table is public.
"""

from functools import partial
from typing import Literal, cast

from vlseg_cli.evaluation.benchmarks.base import Benchmark, ProtocolChoice, always
from vlseg_cli.evaluation.metrics.choices import letter_or_first, letter_or_text
from vlseg_cli.evaluation.metrics.vqa import GQAAccuracy, SoftAccuracy, VQAAccuracy
from vlseg_cli.evaluation.scorers.text_answers import (
    MMBenchScorer,
    MMEScorer,
    PopeScorer,
    ScienceQAScorer,
    TextAnswerScorer,
    VQAScorer,
)
from vlseg_cli.evaluation.submissions import MMBenchLetters, VQAAnswers
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
READINGS = {"first": letter_or_first, "text": letter_or_text}


def _vqa(_: object, protocol: ProtocolChoice) -> VQAScorer:
    return VQAScorer(SoftAccuracy() if protocol["evaluator"] == "m4c" else VQAAccuracy())


def _gqa(_: object, protocol: ProtocolChoice) -> TextAnswerScorer:
    return TextAnswerScorer(GQAAccuracy(cast(Literal["period", "spaces"], protocol["tidying"])))


def _mmbench(_: object, protocol: ProtocolChoice) -> MMBenchScorer:
    return MMBenchScorer(READINGS[protocol["reading"]])


def _of_language(language: str, protocol: ProtocolChoice) -> dict[str, str]:
    return {"split": f"{protocol['split']}_{language}"}


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
            passed=("joint",),
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
        passed=("joint",),
    ),
    Benchmark(
        name="pope",
        title="POPE",
        task=Task.CHAT,
        dataset="pope",
        splits=("all",),
        score=partial(always, PopeScorer),
        papers={
            "psalm": {"joint": "line"},
            "hyperseg": {"joint": "line"},
            "self1e": {"joint": "space"},
        },
        switches=JOINTS,
        size=500,
        passed=("joint",),
    ),
    *(
        Benchmark(
            name=f"mmbench-{language}",
            title=f"MMBench test, {language.upper()}",
            task=Task.CHAT,
            dataset="mmbench",
            splits=(f"test_{language}", f"dev_{language}"),
            score=_mmbench,
            papers={"self1e": {"split": "test", "reading": "text"}},
            switches={"split": ("test", "dev"), "reading": tuple(READINGS)},
            size=1_784,
            server="https://mmbench.opencompass.org.cn/mmbench-submission",
            submission=MMBenchLetters,
            choose=partial(_of_language, language),
        )
        for language in ("en", "cn")
    ),
    Benchmark(
        name="mmbench-dev",
        title="MMBench dev",
        task=Task.CHAT,
        dataset="mmbench",
        splits=("dev",),
        score=_mmbench,
        papers={"hyperseg": {"reading": "first"}, "psalm": {"reading": "first"}},
        switches={"reading": tuple(READINGS)},
        size=1_164,
    ),
    Benchmark(
        name="scienceqa-img",
        title="ScienceQA test, with an image",
        task=Task.CHAT,
        dataset="scienceqa",
        splits=("test",),
        score=partial(always, ScienceQAScorer),
        papers={"psalm": {}, "hyperseg": {}},
        size=2_017,
    ),
    Benchmark(
        name="mme",
        title="MME",
        task=Task.CHAT,
        dataset="mme",
        splits=("all",),
        score=partial(always, MMEScorer),
        papers={"self1e": {"joint": "space"}},
        switches={"joint": ("line", "space")},
        size=1_187,
        passed=("joint",),
    ),
]
