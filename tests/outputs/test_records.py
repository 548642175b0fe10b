"""Records are read back equal, damaged lines are reported, JSON documents are streamed."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outputs.sample_records import any_record, in_video

from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.records import (
    RecordFile,
    by_frame,
    json_list,
    json_object,
    make_record,
    prompt_text,
    read_record,
    record_line,
    write_jsonl,
)
from vlseg_cli.schema import (
    Expression,
    Item,
    OutputError,
    Prediction,
    Record,
    Region,
    Regions,
    decode_rle,
    segment_from_mask,
)


def test_the_record_of_a_question(reason_record: Record) -> None:
    record = json.loads(record_line(reason_record))
    segment = record["segments"][0]
    mask = decode_rle(segment.pop("segmentation"))
    assert (mask.shape, mask.sum()) == ((60, 80), 1200)
    assert record == {
        "input": "rooms/kitchen.png",
        "name": "kitchen",
        "video": False,
        "frame": 0,
        "time": None,
        "width": 80,
        "height": 60,
        "task": "reason",
        "prompt": "what keeps food cold?",
        "stuff": [],
        "text": "the fridge",
        "segments": [
            {
                "bbox": [5.0, 6.0, 30.0, 40.0],
                "area": 1200,
                "score": 0.875,
                "label": "what keeps food cold?",
                "category_id": None,
            }
        ],
    }


def test_category_ids_index_the_prompt(panoptic_record: Record) -> None:
    record = json.loads(record_line(panoptic_record))
    assert record["prompt"] == ["cup", "sky", "table"]
    assert record["stuff"] == [1]
    for segment in record["segments"]:
        assert record["prompt"][segment["category_id"]] == segment["label"]


def test_a_record_takes_name_and_time_from_the_item(reason: Prediction, item: Item) -> None:
    video = dataclasses.replace(item, source="x/film.mp4", name="film-2", is_video=True)
    record = make_record(reason, video, 0.04)
    assert (record.input, record.name, record.is_video, record.time) == (
        "x/film.mp4",
        "film-2",
        True,
        0.04,
    )


def test_scores_have_six_digits_and_tracks_are_kept(reason: Prediction, item: Item) -> None:
    segment = segment_from_mask(np.ones((60, 80), bool), 1 / 3, "it", track_id=7)
    record = make_record(dataclasses.replace(reason, segments=(segment,)), item, None)
    line = json.loads(record_line(record))
    assert (line["segments"][0]["score"], line["segments"][0]["track_id"]) == (0.333333, 7)


@settings(max_examples=60, deadline=None)
@given(any_record())
def test_lines_are_read_back_equal(record: Record) -> None:
    line = record_line(record)
    assert line.isascii() and "\n" not in line
    assert read_record(line) == record
    assert record_line(read_record(line)) == line


def test_the_prompt_as_text() -> None:
    mask = np.ones((2, 2), bool)
    assert prompt_text(Expression("the red car")) == "the red car"
    assert prompt_text(Regions((Region("point", mask), Region("box", mask)))) == ("point", "box")


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[:-9],
        lambda _: "",
        lambda _: "[]",
        lambda _: "[" * 100_000,
        lambda line: line.replace('"reason"', '"juggle"'),
        lambda line: line.replace('"frame": 0', '"frame": null'),
        lambda line: line.replace('"text"', '"test"'),
        lambda line: line.replace('"kitchen"', '"../../kitchen"'),
        lambda line: line.replace('"kitchen"', '"/kitchen"'),
        lambda line: line.replace("[60, 80]", "[60, 81]"),
        lambda line: line.replace('"bbox": [', '"bbox": [1, '),
    ],
)
def test_a_damaged_line_is_a_one_line_error(damage, reason_record: Record) -> None:
    with pytest.raises(OutputError, match="damaged") as raised:
        read_record(damage(record_line(reason_record)))
    assert "\n" not in str(raised.value)


def test_a_record_store_can_be_iterated_repeatedly(tmp_path: Path, reason_record: Record) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(f"{record_line(reason_record)}\n" * 3)
    records = RecordFile(path)
    assert list(records) == list(records) == [reason_record] * 3


def test_an_error_names_the_damaged_line(tmp_path: Path, reason_record: Record) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(f"{record_line(reason_record)}\nrubbish\n")
    with pytest.raises(OutputError, match="line 2"):
        list(RecordFile(path))


def test_frames_are_identified_by_item_and_index(
    reason_record: Record, panoptic_record: Record
) -> None:
    records = [
        reason_record,
        panoptic_record,
        in_video(reason_record, 0),
        in_video(panoptic_record, 0),
        in_video(reason_record, 3),
    ]
    assert [len(frame) for frame in by_frame(records)] == [2, 2, 1]


def test_a_missing_record_store_is_a_one_line_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be read"):
        list(RecordFile(tmp_path / "records.jsonl"))


VALUES = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)
)


@settings(max_examples=40)
@given(st.dictionaries(st.text(), st.lists(VALUES, max_size=4), max_size=4))
def test_objects_of_lists_are_read_back(members: dict[str, list[object]]) -> None:
    text = b"".join(json_object((name, json_list(one)) for name, one in members.items()))
    assert json.loads(text) == members


@given(VALUES)
def test_values_are_read_back(value: object) -> None:
    assert json.loads(b"".join(json_list([value]))) == [value]


def test_members_are_generated_in_order() -> None:
    generated: list[str] = []

    def entries(name: str):
        generated.append(name)
        yield len(generated)

    pieces = json_object([(name, json_list(entries(name))) for name in "abc"])
    assert json.loads(b"".join(pieces)) == {"a": [1], "b": [2], "c": [3]}


def test_lines_are_those_of_the_record_store(
    folder: OutputFolder, reason_record: Record, panoptic_record: Record
) -> None:
    write_jsonl([reason_record, panoptic_record, reason_record], folder)
    lines = (folder.root / "predictions.jsonl").read_text().splitlines()
    assert lines == [
        record_line(reason_record),
        record_line(panoptic_record),
        record_line(reason_record),
    ]
