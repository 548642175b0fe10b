"""ScienceQA, MMBench and MME in their published files; damaged files are named."""

import json
from pathlib import Path

import numpy as np
import pytest

from vlseg_cli.datasets.mmbench import MMBenchDataset
from vlseg_cli.datasets.questions import MMEDataset, ScienceQADataset
from vlseg_cli.datasets.toy.questions import (
    open_questions,
    write_mmbench,
    write_mme,
    write_scienceqa,
)
from vlseg_cli.schema import InputError, NoInputError, Query, Question
from vlseg_cli.synthetic.draw import draw_scene

SEEDS, SIZE = range(910000, 910002), 64
TABLE = "mmbench_dev_en_20231003"


def text_of(query: Query) -> str:
    assert isinstance(query.prompt, Question)
    return query.prompt.text


def chosen(query: Query) -> str:
    """The text of the right choice, by its letter."""
    return query.choices["ABCDE".index(query.answers[0])]


def test_scienceqa_yields_questions_with_an_image(tmp_path: Path) -> None:
    pictured = write_scienceqa(tmp_path, SEEDS, size=SIZE)
    dataset = ScienceQADataset(tmp_path)
    truths = [list(open_questions(draw_scene(seed, SIZE)))[:2] for seed in SEEDS]
    known_answers = [one for every in truths for one in every][::2]
    assert len(dataset) == pictured == len(known_answers)
    for number, one in enumerate(known_answers):
        (query,) = dataset[number].queries
        assert chosen(query) == one.answer and query.key == str(2 * number + 1)
        assert text_of(query).startswith(f"Look at the picture.\n{one.question}\nA. ")
        assert text_of(query).endswith(
            "\nAnswer with the option's letter from the given choices directly."
        )


def test_mmbench_has_all_rotations(tmp_path: Path) -> None:
    assert write_mmbench(tmp_path, SEEDS, size=SIZE) == len(SEEDS)
    dataset = MMBenchDataset(tmp_path / f"{TABLE}.tsv")
    assert len(dataset) == len(SEEDS)
    for number, seed in enumerate(SEEDS):
        sample, scene = dataset[number], draw_scene(seed, SIZE)
        known = next(open_questions(scene))
        assert len(sample.queries) == len(sample.queries[0].choices) > 1
        assert [chosen(query) for query in sample.queries] == [known.answer] * len(sample.queries)
        assert {int(query.key) % 1_000_000 for query in sample.queries} == {seed}
        assert np.abs(sample.frame.pixels - scene.pixels.astype(int)).mean() < 20
        assert dataset.source(number).endswith(f"{TABLE}.tsv:{seed}")


def test_mmbench_test_tables_have_no_answers_and_may_be_chinese(tmp_path: Path) -> None:
    write_mmbench(tmp_path, SEEDS, "mmbench_test_cn_20231003", SIZE)
    sample = MMBenchDataset(tmp_path / "mmbench_test_cn_20231003.tsv", language="cn")[0]
    for query in sample.queries:
        assert query.answers == () and text_of(query).endswith("请直接回答选项字母。")


def test_a_cell_may_have_several_lines_or_refer_to_another_row(tmp_path: Path) -> None:
    write_mmbench(tmp_path, SEEDS, size=SIZE)
    path = tmp_path / f"{TABLE}.tsv"
    header, *rows = [line.split("\t") for line in path.read_text().splitlines()]
    picture, hint = header.index("image"), header.index("hint")
    other = next(row for row in rows if row[0] == str(SEEDS[1]))
    other[picture], other[hint] = str(SEEDS[0]), '"two\nlines"'
    path.write_text("\n".join("\t".join(row) for row in [header, *rows]) + "\n")
    first, second = (MMBenchDataset(path)[number] for number in (0, 1))
    assert (first.frame.pixels == second.frame.pixels).all()
    assert text_of(second.queries[0]).startswith("two\nlines\n")


def test_mme_has_two_questions_per_image(tmp_path: Path) -> None:
    assert write_mme(tmp_path, SEEDS, SIZE) == 4 * len(SEEDS) == len(MMEDataset(tmp_path))
    for number in range(len(MMEDataset(tmp_path))):
        sample = MMEDataset(tmp_path)[number]
        assert [query.answers for query in sample.queries] == [("yes",), ("no",)]
        for query in sample.queries:
            assert query.key == Path(sample.frame.source).name and query.kind in sample.frame.source
            assert text_of(query).endswith(
                " Please answer yes or no. Answer the question using a single word or phrase."
            )


def test_what_is_damaged_or_missing_is_named(tmp_path: Path) -> None:
    write_scienceqa(tmp_path, SEEDS, size=SIZE)
    with pytest.raises(InputError, match="lacks 'val'"):
        (tmp_path / "images" / "test").rename(tmp_path / "images" / "val")
        ScienceQADataset(tmp_path, "val")
    (tmp_path / "pid_splits.json").write_text(json.dumps({"val": []}))
    with pytest.raises(NoInputError, match="no questions"):
        ScienceQADataset(tmp_path, "val")
    write_mme(tmp_path, SEEDS[:1], SIZE)
    text = next(tmp_path.glob("MME*/count/*.txt"))
    text.write_text("Is it there?")
    with pytest.raises(InputError, match="without a tab"):
        MMEDataset(tmp_path)
    text.unlink()
    with pytest.raises(NoInputError, match="is missing"):
        MMEDataset(tmp_path)


@pytest.mark.parametrize(
    ("content", "error", "reason"),
    [
        (None, NoInputError, "is missing"),
        ("", InputError, "no columns"),
        ("index\tquestion\timage\tA\tB\n", NoInputError, "no rows"),
        ("index\tquestion\timage\tA\tB\none\t?\t\ta\tb\n", InputError, "index is 'one'"),
    ],
)
def test_no_table_of_mmbench(
    tmp_path: Path, content: str | None, error: type[Exception], reason: str
) -> None:
    path = tmp_path / f"{TABLE}.tsv"
    if content is not None:
        path.write_text(content)
    with pytest.raises(error, match=reason):
        MMBenchDataset(path)


@pytest.mark.parametrize("cell", ["no base64!", "bm8gcGljdHVyZQ=="])
def test_an_invalid_image_is_an_error(tmp_path: Path, cell: str) -> None:
    path = tmp_path / f"{TABLE}.tsv"
    path.write_text(f"index\tquestion\timage\tA\tB\n7\t?\t{cell}\ta\tb\n")
    with pytest.raises(InputError, match=rf"{TABLE}\.tsv:7"):
        MMBenchDataset(path)[0]
