"""Text answers: each set's own accuracy, None where answers are not public."""

from pathlib import Path

import pytest

from vlseg_cli.datasets.base import Dataset
from vlseg_cli.datasets.mmbench import MMBenchDataset
from vlseg_cli.datasets.questions import GQADataset, MMEDataset, POPEDataset, ScienceQADataset
from vlseg_cli.datasets.toy.questions import (
    write_gqa,
    write_mmbench,
    write_mme,
    write_pope,
    write_scienceqa,
    write_vqa,
)
from vlseg_cli.datasets.vqa import VQADataset
from vlseg_cli.evaluation.metrics.choices import letter_or_first, letter_or_text
from vlseg_cli.evaluation.metrics.vqa import GQAAccuracy, SoftAccuracy, VQAAccuracy
from vlseg_cli.evaluation.scorers.base import Result
from vlseg_cli.evaluation.scorers.text_answers import (
    MMBenchScorer,
    MMEScorer,
    PopeScorer,
    ScienceQAScorer,
    TextAnswerScorer,
    VQAScorer,
)
from vlseg_cli.schema import Prediction, Sample

SEEDS, SIZE = range(910000, 910003), 64


def answered(sample: Sample, texts: list[str]) -> list[Prediction]:
    return [
        Prediction(
            sample.frame.source,
            0,
            sample.frame.height,
            sample.frame.width,
            query.task,
            query.prompt,
            (),
            text,
        )
        for query, text in zip(sample.queries, texts, strict=True)
    ]


def scored(dataset: Dataset, score: TextAnswerScorer, text: str | None = None) -> Result:
    """The first true answer to every question, or one text for all."""
    for number in range(len(dataset)):
        sample = dataset[number]
        answers = [text or (query.answers or ("?",))[0] for query in sample.queries]
        cases = score.add(sample, answered(sample, answers))
        assert len(cases) == sum(bool(query.answers) for query in sample.queries)
    return score.result()


def test_vqa_counts_ten_annotators(tmp_path: Path) -> None:
    write_vqa(tmp_path, "vqav2", "val", SEEDS, SIZE)
    dataset = VQADataset(tmp_path, "vqav2", "val")
    for meter in (SoftAccuracy, VQAAccuracy):
        assert scored(dataset, VQAScorer(meter())).measures == {"accuracy": 100}
        unsure = scored(dataset, VQAScorer(meter()), "unanswerable").measures["accuracy"]
        assert unsure == pytest.approx(30)  # nine times a third: one of ten people says so


def test_questions_without_public_answers_are_not_counted(tmp_path: Path) -> None:
    write_vqa(tmp_path, "vqav2", "testdev", SEEDS, SIZE)
    result = scored(VQADataset(tmp_path, "vqav2", "testdev"), VQAScorer(SoftAccuracy()))
    assert result.measures == {"accuracy": None} and result.n == 0


def test_one_prediction(tmp_path: Path) -> None:
    count = write_gqa(tmp_path, SEEDS, size=SIZE)
    result = scored(GQADataset(tmp_path), TextAnswerScorer(GQAAccuracy()))
    assert result.measures == {"accuracy": 100} and result.n == count
    assert scored(GQADataset(tmp_path), TextAnswerScorer(GQAAccuracy()), "nothing").measures == {
        "accuracy": 0
    }


def test_yes_and_no(tmp_path: Path) -> None:
    write_pope(tmp_path, SEEDS, SIZE)
    dataset = POPEDataset(tmp_path)
    assert scored(dataset, PopeScorer()).measures == {"F1": 100}
    yes = scored(dataset, PopeScorer(), "Yes")
    assert yes.measures["F1"] == pytest.approx(100 * 2 / 3)
    assert set(yes.groups["share of yes by category"].values()) == {100}


@pytest.mark.parametrize("read", [letter_or_first, letter_or_text])
def test_choices_in_all_rotations(tmp_path: Path, read: object) -> None:
    questions = write_mmbench(tmp_path, SEEDS, size=SIZE)
    dataset = MMBenchDataset(tmp_path / "mmbench_dev_en_20231003.tsv")
    result = scored(dataset, MMBenchScorer(read))
    assert result.measures == {"accuracy": 100, "row accuracy": 100} and result.n == questions
    first = scored(dataset, MMBenchScorer(read), "A").measures
    assert first["accuracy"] == 0 and first["row accuracy"] is not None
    assert first["row accuracy"] >= 25


def test_scienceqa_counts_a_choice(tmp_path: Path) -> None:
    imaged = write_scienceqa(tmp_path, SEEDS, size=SIZE)
    result = scored(ScienceQADataset(tmp_path), ScienceQAScorer())
    assert result.measures == {"accuracy": 100} and result.n == imaged


def test_pairs(tmp_path: Path) -> None:
    write_mme(tmp_path, SEEDS, SIZE)
    result = scored(MMEDataset(tmp_path), MMEScorer())
    assert result.measures == {"score": 800, "perception": 800, "cognition": 0}
    assert set(scored(MMEDataset(tmp_path), MMEScorer(), "no").groups["points"].values()) == {50}
