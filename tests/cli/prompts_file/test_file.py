"""Prompts files: every way of writing gives the same requests, mistakes are one sentence."""

import csv
import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vlseg_cli.cli.prompts_file import PromptFile
from vlseg_cli.cli.prompts_file.file import RowIndex
from vlseg_cli.cli.prompts_file.row import OF_VIDEOS
from vlseg_cli.models.registry import load_model
from vlseg_cli.schema import Categories, Expression, Question, Regions, Task, UsageError, VlsegError

FIXTURES_ARE_CONSTANT = [HealthCheck.function_scoped_fixture]
COLUMNS = ["input", "task", "text", "categories", "regions"]

words = st.text(st.characters(codec="utf-8"), max_size=12).map(str.strip).filter(bool)
names = st.lists(words, min_size=1, max_size=3, unique=True)
pixels = st.tuples(st.integers(0, 79), st.floats(0, 59).map(abs))
regions = st.one_of(
    pixels.map(lambda p: {"point": [*p]}),
    st.lists(pixels, min_size=1, max_size=3).map(lambda ps: {"scribble": [[*p] for p in ps]}),
    st.tuples(st.integers(0, 30), st.integers(0, 20)).map(
        lambda p: {"box": [*p, p[0] + 9, p[1] + 9]}
    ),
    st.just({"mask": "mask.png"}),
)
asked = st.one_of(
    st.tuples(st.sampled_from(["refer", "reason"]), st.just("text"), words),
    st.tuples(
        st.sampled_from(["panoptic", "semantic", "instance", "detect"]),
        st.just("categories"),
        names,
    ),
    st.tuples(
        st.just("interactive"), st.just("regions"), st.lists(regions, min_size=1, max_size=3)
    ),
)
rows = st.lists(
    st.tuples(st.sampled_from(["a.png", "./b.png", "c.png"]), asked).map(
        lambda row: {"input": row[0], "task": row[1][0], row[1][1]: row[1][2]}
    ),
    min_size=1,
    max_size=8,
)


def write_csv(path: Path, table: list[dict[str, Any]], separator: str, bom: str = "") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(bom)
        writer = csv.DictWriter(file, COLUMNS, delimiter=separator)
        writer.writeheader()
        for row in table:
            cells = {k: v if isinstance(v, str) else json.dumps(v) for k, v in row.items()}
            writer.writerow(cells)


def write_jsonl(path: Path, table: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in table))


def plain(task: Task, prompt: Any) -> Any:
    """A prompt in values that can be compared."""
    match prompt:
        case Expression(text=text) | Question(text=text):
            return task, type(prompt), text
        case Categories():
            return task, prompt
        case Regions(regions=regions):
            return task, [(region.kind, region.mask.tobytes()) for region in regions]


def everything(file: PromptFile, frame, model) -> dict[str, list[Any]]:
    requests = {source: file.requests(source, frame, model) for source in file.inputs}
    return {source: [plain(ask.task, ask.prompt) for ask in of] for source, of in requests.items()}


@given(rows, st.sampled_from(",;\t"), st.sampled_from(["", "\ufeff"]))
@settings(max_examples=60, suppress_health_check=FIXTURES_ARE_CONSTANT, deadline=None)
def test_requests_are_those_of_the_rows(images, frame, model, table, separator, bom) -> None:
    write_csv(images / "rows.csv", table, separator, bom)
    write_jsonl(images / "rows.jsonl", table)
    as_csv = PromptFile(Path("rows.csv"), Task.REFER)
    as_json = PromptFile(Path("rows.jsonl"), Task.REFER)
    expected = list(dict.fromkeys(row["input"].removeprefix("./") for row in table))
    assert list(as_csv.inputs) == list(as_json.inputs) == expected
    found = everything(as_csv, frame, model)
    assert found == everything(as_json, frame, model)
    for source in expected:
        mine = [row for row in table if row["input"].removeprefix("./") == source]
        assert [task.value for task, *_ in found[source]] == [row["task"] for row in mine]
        for row, (_, *prompt) in zip(mine, found[source], strict=True):
            if "text" in row:
                assert prompt[1] == row["text"]
            elif "categories" in row:
                assert prompt[0].names == tuple(row["categories"])
            else:
                assert [kind for kind, _ in prompt[0]] == [next(iter(r)) for r in row["regions"]]


@given(st.binary(max_size=200), st.sampled_from([b"", b"input,text\n", b'{"input": "a.png", ']))
@settings(max_examples=200, suppress_health_check=FIXTURES_ARE_CONSTANT, deadline=None)
def test_any_bytes_are_read_or_refused(images: Path, junk: bytes, start: bytes) -> None:
    (images / "rows").write_bytes(start + junk)
    try:
        file = PromptFile(Path("rows"), Task.REFER)
    except VlsegError as error:
        assert str(error).startswith("rows, line ")
    else:
        assert file.inputs


SCHEMES = [
    ("input,text\na.png,the cup\n", Task.REFER, Expression("the cup")),
    ("text;input\nthe cup;a.png\n", Task.REASON, Question("the cup")),
    ("Input\tTask\tText\r\na.png\treason\twhy?\r\n", Task.DETECT, Question("why?")),
    ('input,text,task\na.png, "a cup, red"\n', Task.REFER, Expression("a cup, red")),
    ('input,text\na.png,"a ""red""\ncup"\n', Task.REFER, Expression('a "red"\ncup')),
    ("\n\ninput,text\n\na.png,[the cup]\n\n", Task.REFER, Expression("[the cup]")),
    ('{"input": "a.png", "text": "the cup", "task": null}\n', Task.REFER, Expression("the cup")),
    ('input,categories\na.png,"cup, sky"\n', Task.PANOPTIC, Categories(("cup", "sky"), (0, 1))),
    ('input,categories\na.png,"cup, sky"\n', Task.DETECT, Categories(("cup", "sky"))),
    ('input,categories\na.png,"[""a, b""]"\n', Task.INSTANCE, Categories(("a, b",))),
]


@pytest.mark.parametrize(("text", "default", "prompt"), SCHEMES)
def test_ways_of_writing_a_row(images: Path, frame, model, text: str, default, prompt) -> None:
    (images / "rows.csv").write_text(text, newline="")
    (ask,) = PromptFile(Path("rows.csv"), default).requests("a.png", frame, model)
    assert ask.prompt == prompt


def test_rows_that_are_tracked_have_tasks_of_videos_and_a_first_frame(
    images: Path, frame, model
) -> None:
    (images / "rows.csv").write_text(
        "input,task,text,categories,regions,at\n"
        "a.png,,the cup,,,\na.png,reason,why?,,,\na.png,,,cup,,\n"
        'a.png,,,,"box 1,2,30,40",12\na.png,vos,,,point 5 5,\n'
    )
    file = PromptFile(Path("rows.csv"), Task.REFER, tasks=OF_VIDEOS)
    requests = file.requests("a.png", replace(frame, index=7), model)
    assert [ask.task for ask in requests] == [
        Task.REFER, Task.REASON, Task.VIS, Task.VOS, Task.VOS
    ]  # fmt: skip
    assert [ask.frame for ask in requests] == [7, 7, 7, 12, 7]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("a.png,,the cup,,3", "at is the frame of regions"),
        ("a.png,,,point 5 5,last", "'last' under at is no frame"),
        ("a.png,interactive,,point 5 5,", "write vos"),
    ],
)
def test_what_cannot_be_tracked(images: Path, row: str, said: str) -> None:
    (images / "rows.csv").write_text(f"input,task,text,regions,at\n{row}\n")
    with pytest.raises(UsageError, match=said):
        PromptFile(Path("rows.csv"), Task.REFER, tasks=OF_VIDEOS)


WRONG = [
    ("input,regions,at\na.png,\"point 1,1\",3\n", 2, "at is the frame of regions"),
    ("", 1, "is empty"),
    ("input,text\n", 2, "no row"),
    ("kitchen.png,the cup\n", 1, "no column 'kitchen.png' \\(the columns are input"),
    ("input,txt\n", 1, "did you mean 'text'?"),
    ("input,text;task\n", 1, "no column 'text;task'"),
    ("input,text,text\n", 1, "twice"),
    ("input,task\n", 1, "one of text, categories and regions"),
    ("text\n", 1, "needs the column input"),
    ('[{"input": "a.png"}]', 1, "one JSON list"),
    ("input,text\na.png,a cup, red\n", 2, "3 cells"),
    ('input,text\na.png,cup\nb.png,"the cup\nc.png,sky\n', 3, "quotation mark"),
    ("input,text\na.png,cup\n,cup\n", 3, "names no input"),
    ("input,text\na.png,cup\nb.png,\n", 3, "requests nothing"),
    ("input,text,categories\na.png,cup,cup\n", 2, "has text and categories"),
    ("input,text\nmissing.png,cup\n", 2, "no file 'missing.png'"),
    ("input,text\n.,cup\n", 2, "'.' is a folder"),
    ("input,text\n*.png,cup\n", 2, "'\\*.png' is a pattern"),
    ("input,text\nrows.txt,cup\n", 2, "'rows.txt' stands for a list"),
    ("input,task,text\na.png,refr,cup\n", 2, "did you mean 'refer'?"),
    ("input,task,text\na.png,detect,cup\n", 2, "write refer or reason"),
    ("input,categories\na.png,cup\n", 2, "write panoptic or semantic or instance or detect"),
    ("input,task,categories\na.png,instance,cup;sky\n", 2, "with commas"),
    ("input,regions\na.png,circle 1\n", 2, "'circle 1' is no region"),
    ("input,regions\na.png,\"box 1,2,3\"\n", 2, "is no region"),
    ("input,regions\na.png,mask none.png\n", 2, "no mask file 'none.png'"),
    ("input,regions\na.png,;\n", 2, "is no region"),
    ('{"input": "a.png", "text": "cup"}\n{"input": "a.png", "text"\n', 2, "not JSON"),
    ('{"input": "a.png", "txt": "cup"}\n', 1, "did you mean 'text'?"),
    ('{"input": "a.png", "text": 5}\n', 1, "5 are no words"),
    ('{"input": "a.png", "text": "\\ud800"}\n', 1, "no words"),
    ('{"input": "a.png", "input": "b.png", "text": "cup"}\n', 1, "named twice"),
    ('{"input": ["a.png"], "text": "cup"}\n', 1, "names no input"),
    ('{"input": "a.png", "text": ' + "[" * 100_000, 1, "not JSON"),
    ('{"input": "a.png", "regions": [{"point": [1, 1e999]}]}\n', 1, "is no region"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "message"), WRONG)
def test_errors_have_line_and_remedy(images: Path, text: str, line: int, message) -> None:
    (images / "rows.txt").write_text(text)
    with pytest.raises(VlsegError, match=message) as caught:
        PromptFile(Path("rows.txt"), Task.REFER)
    sentence = str(caught.value)
    assert sentence.startswith(f"rows.txt, line {line}: ") and len(sentence) < 300


def test_other_encodings_are_named(images: Path) -> None:
    for encoding, said in [("utf-16", "UTF-16"), ("latin-1", "not UTF-8")]:
        (images / "rows.csv").write_text("input,text\na.png,café\n", encoding)
        with pytest.raises(UsageError, match=said):
            PromptFile(Path("rows.csv"), Task.REFER)


def test_a_line_without_end_is_refused(images: Path) -> None:
    (images / "rows.csv").write_text("input,text\na.png," + "cup " * 300_000)
    with pytest.raises(UsageError, match="line 2: this has over"):
        PromptFile(Path("rows.csv"), Task.REFER)


def test_only_regular_files_are_opened(images: Path) -> None:
    os.mkfifo(images / "pipe")
    for name, said in [
        ("pipe", "not a regular file"),
        (".", "is a directory"),
        ("x", "no such file"),
    ]:
        with pytest.raises(UsageError, match=said):
            PromptFile(Path(name), Task.REFER)


def test_inputs_and_masks_may_lie_beside_the_file(images: Path, frame, model) -> None:
    for name in ["a.png", "mask.png"]:
        (images / "deeper").mkdir(exist_ok=True)
        (images / name).rename(images / "deeper" / name)
    (images / "deeper" / "rows.csv").write_text("input,regions\na.png,mask mask.png\n")
    file = PromptFile(Path("deeper/rows.csv"), Task.REFER)
    assert file.inputs == ("deeper/a.png",)
    (ask,) = file.requests("deeper/a.png", frame, model)
    assert np.array_equal(ask.prompt.regions[0].mask, np.eye(60, 80, dtype=bool))


def test_rows_of_one_file_belong_together_however_it_is_spelled(images: Path, frame, model) -> None:
    (images / "link.png").symlink_to("a.png")
    (images / "rows.csv").write_text(
        f"input,text\na.png,one\nb.png,two\n{images}/a.png,three\nlink.png,four\n"
    )
    file = PromptFile(Path("rows.csv"), Task.REFER)
    assert file.inputs == ("a.png", "b.png")
    requests = file.requests("a.png", frame, model)
    assert [ask.prompt.text for ask in requests] == ["one", "three", "four"]


def test_a_region_outside_the_frame_is_refused_with_its_line(images: Path, frame, model) -> None:
    (images / "rows.csv").write_text('input,regions\na.png,"point 1,1"\na.png,"point 80,1"\n')
    file = PromptFile(Path("rows.csv"), Task.REFER)
    with pytest.raises(UsageError, match=r"rows\.csv, line 3: The point 80,1 is outside"):
        file.requests("a.png", frame, model)


def test_a_file_changed_meanwhile_ends_the_run(images: Path, frame, model) -> None:
    (images / "rows.csv").write_text("input,text\na.png,cup\n")
    file = PromptFile(Path("rows.csv"), Task.REFER)
    (images / "rows.csv").write_text("text,input\na saucer,a.png\n")
    with pytest.raises(VlsegError, match="was changed") as caught:
        file.requests("a.png", frame, model)
    assert type(caught.value) is VlsegError  # no failure of one input


def test_the_digest_covers_all_that_decides_the_requests(images: Path) -> None:
    rows = images / "rows.csv"

    def digest(default: Task = Task.REFER) -> str:
        return PromptFile(Path("rows.csv"), default).digest

    rows.write_text("input,regions\na.png,mask mask.png\n")
    first = digest()
    assert digest() == first
    assert digest(Task.REASON) != first
    (images / "mask.png").write_bytes((images / "mask.png").read_bytes() + b"\0")
    second = digest()
    assert second != first
    rows.write_text("input,regions\nb.png,mask mask.png\n")
    assert digest() != second


def test_threshold_and_many_hold_for_all_rows(images: Path, frame, model) -> None:
    (images / "rows.csv").write_text("input,text\na.png,cup\n")
    file = PromptFile(Path("rows.csv"), Task.REFER, threshold=0.3, many=True)
    (ask,) = file.requests("a.png", frame, model)
    assert (ask.frame, ask.threshold, ask.many) == (0, 0.3, True)


@given(st.lists(st.integers(0, 5), min_size=1))
def test_each_input_has_its_rows_in_order(owners: list[int]) -> None:
    numbers: dict[int, int] = {}
    index = RowIndex()
    for row, owner in enumerate(owners):
        index.add(numbers.setdefault(owner, len(numbers)), 10 * row, row + 2)
    for owner, number in numbers.items():
        rows = [row for row, other in enumerate(owners) if other == owner]
        assert index.rows(number) == [(10 * row, row + 2) for row in rows]


def test_a_text_longer_than_the_model_is_refused_with_its_line(images: Path, frame) -> None:
    (images / "rows.csv").write_text(f"input,text\na.png,the cup\nb.png,{'the cup ' * 9_000}\n")
    file, model = PromptFile(Path("rows.csv"), Task.REFER), load_model(device="cpu")
    assert len(file.requests("a.png", frame, model)) == 1
    with pytest.raises(UsageError, match=r"line 3: .* has 18,000 tokens"):
        file.requests("b.png", frame, model)
