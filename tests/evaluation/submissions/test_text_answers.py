"""Text answers as EvalAI and MMBench take them."""

import json
from pathlib import Path

from evaluation.submissions.xlsx import read_rows

from vlseg_cli.datasets.mmbench import MMBenchDataset
from vlseg_cli.datasets.toy.questions import write_mmbench, write_vqa
from vlseg_cli.datasets.vqa import VQADataset
from vlseg_cli.evaluation.submissions.text_answers import MMBenchLetters, VQAAnswers
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import Prediction, Sample

SEEDS, SIZE = range(910000, 910002), 64


def answered(sample: Sample, text: str) -> list[Prediction]:
    size = sample.frame.height, sample.frame.width
    return [
        Prediction(sample.frame.source, 0, *size, query.task, query.prompt, (), text)
        for query in sample.queries
    ]


def test_vqa_answers_are_rewritten_and_in_order(tmp_path: Path) -> None:
    count = write_vqa(tmp_path, "vqav2", "testdev", SEEDS, SIZE)
    dataset = VQADataset(tmp_path, "vqav2", "testdev")
    submission = VQAAnswers(OutputFolder(tmp_path / "out"))
    for number in reversed(range(len(dataset))):
        submission.add(dataset[number], answered(dataset[number], "The two cats."))
    submission.close()
    answers = json.loads((tmp_path / "out" / "answers.json").read_text())
    assert len(answers) == count and {one["answer"] for one in answers} == {"2 cats"}
    numbers = [one["question_id"] for one in answers]
    assert numbers == sorted(numbers) and all(isinstance(one, int) for one in numbers)


def test_mmbench_gets_a_letter_for_every_row(tmp_path: Path) -> None:
    write_mmbench(tmp_path, SEEDS, size=SIZE)
    dataset = MMBenchDataset(tmp_path / "mmbench_dev_en_20231003.tsv")
    submission = MMBenchLetters(OutputFolder(tmp_path / "out"))
    queries = []
    for number in range(len(dataset)):
        queries += dataset[number].queries
        submission.add(dataset[number], answered(dataset[number], "B. <surely> & so on"))
    submission.close()
    header, *rows = read_rows(tmp_path / "out" / "answers.xlsx")
    assert header == ["index", "question", "A", "B", "C", "D", "prediction"]
    assert {row[0] for row in rows} == {query.key for query in queries}
    for row in rows:
        (query,) = (one for one in queries if one.key == row[0])
        assert row[1] == query.prompt.text and row[-1] == "B"
        assert tuple(filter(None, row[2:6])) == query.choices
