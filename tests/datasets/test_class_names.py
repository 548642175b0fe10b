"""Class lists: sizes, ids, and the prompts of each naming."""

import pytest

from vlseg_cli.datasets.class_names import class_table, clean


@pytest.mark.parametrize(
    ("vocabulary", "classes", "things", "last"),
    [
        ("coco-panoptic", 133, 80, 200),
        ("ade20k", 150, 100, 149),
        ("cityscapes", 19, 8, 33),
        ("pascal-context-59", 59, 0, 58),
        ("pascal-context-459", 459, 0, 458),
        ("pascal-voc-20", 20, 20, 19),
    ],
)
def test_sizes(vocabulary: str, classes: int, things: int, last: int) -> None:
    table = class_table(vocabulary)
    assert len(table.ids) == len(set(table.ids)) == len(table.names) == classes
    assert (sum(table.things), table.ids[-1]) == (things, last)
    assert len(table.synonyms) == classes


def test_prompts_by_naming() -> None:
    ade, many = class_table("ade20k"), class_table("pascal-context-459")
    assert ade.prompt("synonyms").names[2] == "sky,clouds"
    assert ade.prompt("plain").names[6] == "road, route"
    assert many.prompt("synonyms").names[1] == "aeroplane"  # too many classes for all synonyms
    assert [ade.prompt("plain").is_thing(place) for place in (0, 7)] == [False, True]


def test_renaming() -> None:
    rename = class_table("coco-panoptic").rename("clean")
    assert [rename(name) for name in ("wall-other-merged", "door-stuff", "cup")] == [
        "wall",
        "door",
        "cup",
    ]
    assert clean("tree-merged") == rename("tree-merged") == "tree"
    assert class_table("ade20k").rename("synonyms")("no class of it") == "no class of it"
