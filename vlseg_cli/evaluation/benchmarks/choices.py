"""Multiple choice: MMBench, ScienceQA and MME's yes or no.

HyperSeg takes 'A' where an answer has no letter; InternVL's line, with SELF1E, searches for the
text of a choice. MMBench's test answers are on its server; the development table is public.
"""

from functools import partial

from vlseg_cli.evaluation.benchmarks.base import Benchmark, ProtocolChoice, always, chosen
from vlseg_cli.evaluation.metrics.multiple_choice import letter_or_first, letter_or_text
from vlseg_cli.evaluation.scorers.text_answers import MMBenchScorer, MMEScorer, ScienceQAScorer
from vlseg_cli.evaluation.submissions.text_answers import MMBenchLetters
from vlseg_cli.schema import Task

READINGS = {"first": letter_or_first, "text": letter_or_text}


def _mmbench(_: object, protocol: ProtocolChoice) -> MMBenchScorer:
    return MMBenchScorer(READINGS[protocol["reading"]])


def _of_language(language: str, protocol: ProtocolChoice) -> dict[str, str]:
    return {"split": f"{protocol['split']}_{language}"}


BENCHMARKS = [
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
        score=always(ScienceQAScorer),
        papers={"psalm": {}, "hyperseg": {}},
        switches={},
        size=2_017,
    ),
    Benchmark(
        name="mme",
        title="MME",
        task=Task.CHAT,
        dataset="mme",
        splits=("all",),
        score=always(MMEScorer),
        papers={"self1e": {"joint": "space"}},
        switches={"joint": ("line", "space")},
        size=1_187,
        choose=chosen("joint"),
    ),
]
