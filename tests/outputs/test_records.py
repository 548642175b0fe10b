"""Records are read back equal, damage is named, and JSON documents are streamed."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from outputs.answers import any_record, in_video

from vlseg_cli.outputs import OutputFolder
from vlseg_cli.outputs.records import (
    RecordFile,
    by_frame,
    json_list,
    json_object,
    json_value,
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


def test_record_of_a_question(asked: Record) -> None:
    record = json.loads(record_line(asked))
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


def test_category_ids_index_the_prompt(mapped: Record) -> None:
    record = json.loads(record_line(mapped))
    assert record["prompt"] == ["cup", "sky", "table"]
    assert record["stuff"] == [1]
    for segment in record["segments"]:
        assert record["prompt"][segment["category_id"]] == segment["label"]


def test_a_record_takes_name_and_time_from_the_job(reason: Prediction, item: Item) -> None:
    film = dataclasses.replace(item, source="x/film.mp4", name="film-2", is_video=True)
    record = make_record(reason, film, 0.04)
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
def test_lines_are_read_back_as_they_were(record: Record) -> None:
    line = record_line(record)
    assert line.isascii() and "\n" not in line
    assert read_record(line) == record
    assert record_line(read_record(line)) == line


def test_the_prompt_is_put_in_words() -> None:
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
def test_a_damaged_line_is_one_clear_sentence(damage, asked: Record) -> None:
    with pytest.raises(OutputError, match="damaged") as raised:
        read_record(damage(record_line(asked)))
    assert "\n" not in str(raised.value)


def test_a_store_can_be_walked_through_several_times(tmp_path: Path, asked: Record) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(f"{record_line(asked)}\n" * 3)
    records = RecordFile(path)
    assert list(records) == list(records) == [asked] * 3


def test_damage_is_told_with_its_line(tmp_path: Path, asked: Record) -> None:
    path = tmp_path / "records.jsonl"
    path.write_text(f"{record_line(asked)}\nrubbish\n")
    with pytest.raises(OutputError, match="line 2"):
        list(RecordFile(path))


def test_frames_are_told_apart_by_item_and_number(asked: Record, mapped: Record) -> None:
    records = [asked, mapped, in_video(asked, 0), in_video(mapped, 0), in_video(asked, 3)]
    assert [len(frame) for frame in by_frame(records)] == [2, 2, 1]


def test_a_store_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
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
    assert json.loads(b"".join(json_value(value))) == value


def test_members_are_walked_through_in_order() -> None:
    seen: list[str] = []

    def entries(name: str):
        seen.append(name)
        yield len(seen)

    pieces = json_object([(name, json_list(entries(name))) for name in "abc"])
    assert json.loads(b"".join(pieces)) == {"a": [1], "b": [2], "c": [3]}


def test_lines_are_those_of_the_record_store(
    folder: OutputFolder, asked: Record, mapped: Record
) -> None:
    write_jsonl([asked, mapped, asked], folder)
    lines = (folder.root / "predictions.jsonl").read_text().splitlines()
    assert lines == [record_line(asked), record_line(mapped), record_line(asked)]
