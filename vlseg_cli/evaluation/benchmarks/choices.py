"""Multiple choice: MMBench, ScienceQA and MME's yes or no.

HyperSeg takes 'A' where an answer has no letter; InternVL's line, with SELF1E, searches for the
text of a choice. MMBench's test answers are on its server; the development table is public.
"""

from functools import partial
from pathlib import Path
from typing import cast

from vlseg_cli.datasets.mmbench import MMBenchDataset
from vlseg_cli.datasets.mme import MMEDataset
from vlseg_cli.datasets.questions import Joint, Language
from vlseg_cli.datasets.scienceqa import ScienceQADataset
from vlseg_cli.datasets.toy.questions import write_mmbench, write_mme, write_scienceqa
from vlseg_cli.evaluation.benchmarks.base import Benchmark, Opened, ProtocolChoice
from vlseg_cli.evaluation.metrics.multiple_choice import letter_or_first, letter_or_text
from vlseg_cli.evaluation.scorers.text_answers import MMBenchScorer, MMEScorer, ScienceQAScorer
from vlseg_cli.evaluation.submissions.text_answers import MMBenchLetters
from vlseg_cli.schema import Task

MMBENCH_HOMES = ("mmbench", "data/mmbench", ".")
SCIENCEQA_HOMES = ("scienceqa", "data/scienceqa", ".")
MME_HOMES = ("mme", "data/mme", ".")
MMBENCH_SERVER = "https://mmbench.opencompass.org.cn/mmbench-submission"
READINGS = {"first": letter_or_first, "text": letter_or_text}
SPLITS = ("test", "dev")
OLD_TABLES = ("MMBench_DEV_EN_legacy.tsv", "mmbench_dev_20230712.tsv")  # the same questions
LANGUAGES: tuple[Language, ...] = ("en", "cn")


def _mmbench(language: Language, home: Path, protocol: ProtocolChoice) -> Opened:
    path = home / f"mmbench_{protocol['split']}_{language}_20231003.tsv"
    score = MMBenchScorer(READINGS[protocol["reading"]])
    return Opened(MMBenchDataset(path, language=language), score)


def _mmbench_toy(language: Language, home: Path, seeds: range) -> None:
    for split in SPLITS:
        write_mmbench(home, seeds, f"mmbench_{split}_{language}_20231003")


def _old_mmbench(home: Path, protocol: ProtocolChoice) -> Opened:
    paths = [home / name for name in OLD_TABLES]
    path = next((path for path in paths if path.is_file()), paths[0])
    return Opened(MMBenchDataset(path), MMBenchScorer(READINGS[protocol["reading"]]))


def _scienceqa(home: Path, _: ProtocolChoice) -> Opened:
    return Opened(ScienceQADataset(home), ScienceQAScorer())


def _mme(home: Path, protocol: ProtocolChoice) -> Opened:
    return Opened(MMEDataset(home, joint=cast(Joint, protocol["joint"])), MMEScorer())


BENCHMARKS = [
    *(
        Benchmark(
            name=f"mmbench-{language}",
            title=f"MMBench test, {language.upper()}",
            task=Task.CHAT,
            homes=MMBENCH_HOMES,
            open=partial(_mmbench, language),
            write_toy=partial(_mmbench_toy, language),
            papers={"self1e": {"split": "test", "reading": "text"}},
            switches={"split": SPLITS, "reading": tuple(READINGS)},
            size=1_784,
            server=MMBENCH_SERVER,
            submission=MMBenchLetters,
        )
        for language in LANGUAGES
    ),
    Benchmark(
        name="mmbench-dev",
        title="MMBench dev",
        task=Task.CHAT,
        homes=MMBENCH_HOMES,
        open=_old_mmbench,
        write_toy=partial(write_mmbench, name="mmbench_dev_20230712"),
        papers={"hyperseg": {"reading": "first"}, "psalm": {"reading": "first"}},
        switches={"reading": tuple(READINGS)},
        size=1_164,
    ),
    Benchmark(
        name="scienceqa-img",
        title="ScienceQA test, with an image",
        task=Task.CHAT,
        homes=SCIENCEQA_HOMES,
        open=_scienceqa,
        write_toy=write_scienceqa,
        papers={"psalm": {}, "hyperseg": {}},
        switches={},
        size=2_017,
    ),
    Benchmark(
        name="mme",
        title="MME",
        task=Task.CHAT,
        homes=MME_HOMES,
        open=_mme,
        write_toy=write_mme,
        papers={"self1e": {"joint": "space"}},
        switches={"joint": ("line", "space")},
        size=1_187,
    ),
]
