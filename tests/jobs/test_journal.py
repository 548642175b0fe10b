"""The journal knows every completed chunk, whatever was torn, and nothing of earlier attempts."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from jobs.media_files import tree, write_photos
from jobs.stub import RecordingProgress, StubModel, run_stub

from vlseg_cli.jobs.job import JOURNAL, STATE_FOLDER, records_path
from vlseg_cli.jobs.journal import Journal
from vlseg_cli.jobs.open_job import work_items
from vlseg_cli.jobs.work_units import Chunk, ItemResult, WorkUnit
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import Input, Item, OutputError


def _inputs(count: int, modified: int = 1) -> list[Input]:
    return [Input(f"in/{n}.png", False, 10, modified) for n in range(count)]


def _opened(
    root: Path, inputs: list[Input], worker: str = "a", retry_failed: bool = False
) -> Journal:
    journal = Journal(OutputFolder(root), worker)
    listed = work_items(journal, inputs, root, retry_failed)
    if listed:
        journal.add_items(listed, lock=1)
    return journal


def _chunk(*items: Item, index: int = 0, last: bool = True, error: str | None = None) -> Chunk:
    results = tuple(ItemResult(item, 1, error, 3 if error else 0) for item in items)
    return Chunk(WorkUnit(items, items[0].number), index, last, results)


def test_appended_chunks_are_known_to_the_next_process(tmp_path: Path) -> None:
    journal = _opened(tmp_path, _inputs(4))
    journal.append(_chunk(*journal.items[:2]))
    journal.append(_chunk(journal.items[3], error="broken"))
    reread = Journal(OutputFolder(tmp_path), "b")
    assert [reread.is_done(n) for n in range(4)] == [True, True, False, True]
    assert reread.errors == {3: ("broken", 3)}
    assert not reread.is_complete


def test_chunks_of_a_video_add_up(tmp_path: Path) -> None:
    journal = _opened(tmp_path, [Input("film.mp4", True, 10, 1)])
    film = journal.items[0]
    for index, last in ((0, False), (1, False), (2, True)):
        assert (journal.chunks(0), journal.frames(0)) == (index, index)
        assert not journal.is_done(0)
        journal.append(_chunk(film, index=index, last=last))
    assert journal.is_complete
    assert (journal.chunks(0), journal.frames(0)) == (3, 3)


def test_chunks_count_in_whatever_order_their_files_are_read(tmp_path: Path) -> None:
    film = _opened(tmp_path, [Input("film.mp4", True, 10, 1)], "z").items[0]
    for worker, index in (("z", 0), ("m", 1), ("a", 2)):
        journal = Journal(OutputFolder(tmp_path), worker)
        assert (journal.chunks(0), journal.is_done(0)) == (index, False)
        journal.append(_chunk(film, index=index, last=index == 2))
    reread = Journal(OutputFolder(tmp_path), "b")
    assert reread.is_complete
    assert (reread.chunks(0), reread.frames(0)) == (3, 3)


def test_processes_see_each_other_by_refreshing(tmp_path: Path) -> None:
    one = _opened(tmp_path, _inputs(2), "one")
    other = _opened(tmp_path, _inputs(2), "other")
    one.append(_chunk(one.items[0]))
    assert not other.is_done(0)
    other.refresh()
    other.refresh()
    assert other.is_done(0)
    other.append(_chunk(other.items[1]))
    one.refresh()
    assert one.is_complete


@pytest.mark.parametrize("cut", [1, 5, 30])
def test_a_torn_last_line_is_work_to_be_done_again(tmp_path: Path, cut: int) -> None:
    journal = _opened(tmp_path, _inputs(2))
    journal.append(_chunk(journal.items[0]))
    journal.append(_chunk(journal.items[1]))
    path = tmp_path / STATE_FOLDER / "journal" / "a.jsonl"
    path.write_bytes(path.read_bytes()[:-cut])
    reread = Journal(OutputFolder(tmp_path), "b")
    assert [reread.is_done(n) for n in range(2)] == [True, False]


def test_malformed_lines_are_skipped(tmp_path: Path) -> None:
    journal = _opened(tmp_path, _inputs(2))
    journal.append(_chunk(journal.items[0]))
    path = tmp_path / STATE_FOLDER / "journal" / "a.jsonl"
    nonsense = (
        b'{}\n[1]\n{"shares": {"x": 1}}\n{"part": 0, "last": true, "shares": {"9": {}}}\n\xff\n'
    )
    path.write_bytes(nonsense + path.read_bytes())
    assert Journal(OutputFolder(tmp_path), "b").is_done(0)


def test_a_finished_job_is_read_back(tmp_path: Path) -> None:
    journal = _opened(tmp_path, _inputs(3))
    journal.append(_chunk(*journal.items[:2]))
    journal.append(_chunk(journal.items[2], error="broken"))
    journal.write_finished()
    (tmp_path / STATE_FOLDER / "items.jsonl").unlink()
    (tmp_path / STATE_FOLDER / "journal" / "a.jsonl").unlink()
    reread = Journal(OutputFolder(tmp_path), "b")
    assert reread.is_finished
    assert reread.is_complete
    assert reread.items == journal.items
    assert reread.errors == journal.errors
    assert work_items(reread, _inputs(3), tmp_path, retry_failed=False) == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: lines[1:],
        lambda lines: lines[:-1],
        lambda lines: [*lines[:-2], lines[-1]],
        lambda lines: [lines[1], lines[0], *lines[2:]],
        lambda lines: [lines[0].replace('"frames": 1', '"frames": 2'), *lines[1:]],
        lambda lines: [lines[0].replace("in/0.png", "in/9.png"), *lines[1:]],
        lambda lines: [lines[0].replace('"check"', '"chess"'), *lines[1:]],
        lambda lines: [*lines, lines[0]],
        lambda _: [],
    ],
)
def test_a_finished_journal_with_a_changed_lost_or_moved_line_is_damaged(
    damage: Callable[[list[str]], list[str]], tmp_path: Path
) -> None:
    journal = _opened(tmp_path, _inputs(3))
    journal.append(_chunk(*journal.items))
    journal.write_finished()
    path = tmp_path / JOURNAL
    path.write_text("".join(damage(path.read_text().splitlines(keepends=True))))
    with pytest.raises(OutputError, match=r"^The journal in .* is damaged"):
        Journal(OutputFolder(tmp_path), "b")


def test_a_finished_journal_of_the_release_before_has_no_checks(tmp_path: Path) -> None:
    row = {"item": 0, "input": "in/0.png", "name": "0", "video": False, "bytes": 10, "modified": 1}
    (tmp_path / JOURNAL).write_text(json.dumps(row | {"frames": 1}) + "\n")
    journal = Journal(OutputFolder(tmp_path), "b")
    assert journal.is_finished and journal.is_done(0) and journal.records_digest is None


def test_new_changed_and_failed_inputs_are_work(tmp_path: Path) -> None:
    journal = _opened(tmp_path, _inputs(3))
    journal.append(_chunk(*journal.items[:2]))
    journal.append(_chunk(journal.items[2], error="broken"))
    more = [*_inputs(1, modified=2), *_inputs(4)[1:]]
    assert [i.number for i in work_items(journal, more, tmp_path, retry_failed=False)] == [0, 3]
    assert [i.number for i in work_items(journal, more, tmp_path, retry_failed=True)] == [
        0,
        2,
        3,
    ]


def test_an_earlier_attempt_does_not_count_as_the_later_one(tmp_path: Path) -> None:
    journal = _opened(tmp_path, _inputs(1))
    journal.append(_chunk(journal.items[0], error="broken"))
    again = _opened(tmp_path, _inputs(1), "b", retry_failed=True)
    assert not again.is_done(0)
    assert again.errors == {}
    again.append(_chunk(again.items[0]))
    assert Journal(OutputFolder(tmp_path), "c").is_complete


def test_names_are_safe_and_unique(tmp_path: Path) -> None:
    inputs = [Input(name, False, 1, 1) for name in ("a/x.png", "b/x.png", "../X.png", "x.jpg")]
    journal = _opened(tmp_path, inputs)
    names = [item.name.casefold() for item in journal.items]
    assert len(set(names)) == 4
    more = _opened(tmp_path, [*inputs, Input("c/x.png", False, 1, 1)])
    assert [item.name.casefold() for item in more.items][:4] == names
    assert len({item.name.casefold() for item in more.items}) == 5


@pytest.mark.parametrize("line", [{"item": 1}, {"item": 5, "input": "x"}, {"item": "x"}])
def test_a_damaged_journal_is_one_sentence(tmp_path: Path, line: dict[str, object]) -> None:
    (tmp_path / JOURNAL).write_text(json.dumps(line) + "\n")
    with pytest.raises(OutputError, match="damaged"):
        Journal(OutputFolder(tmp_path), "a")


def test_a_damaged_part_of_an_image_is_processed_again(tmp_path: Path) -> None:
    photos, out, model = write_photos(tmp_path / "photos", 4), tmp_path / "out", StubModel()
    run_stub(out, [photos], shard="0/2")
    out.joinpath(*records_path(1, 0)).write_bytes(b"")
    progress = RecordingProgress()
    run_stub(out, [photos], model=model, progress=progress)
    run_stub(tmp_path / "whole", [photos])
    assert model.batches == [2, 1]
    assert any("damaged" in note for note in progress.notes)
    assert tree(out) == tree(tmp_path / "whole")


def test_a_line_of_a_stopped_process_never_matches_an_input_listed_again(tmp_path: Path) -> None:
    late = _opened(tmp_path, _inputs(1))
    again = Journal(OutputFolder(tmp_path), "b")
    again.add_items(work_items(again, _inputs(1, modified=2), tmp_path, False), lock=2)
    late.append(_chunk(late.items[0]))
    assert not Journal(OutputFolder(tmp_path), "c").is_done(0)
