"""Documents put together piece by piece are the documents."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from vlseg_cli.outputs import OutputFolder, record_line
from vlseg_cli.outputs.json_stream import json_list, json_object, json_value, write_jsonl
from vlseg_cli.schema import Record

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
