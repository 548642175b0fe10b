"""`vlseg chat`: questions one by one; masks, and text only from models that generate it."""

import io
import json
from pathlib import Path

import pytest

from vlseg_cli.cli.chat import ChatSession
from vlseg_cli.cli.console import Console
from vlseg_cli.jobs.job import Job, write_job
from vlseg_cli.outputs import OutputFolder
from vlseg_cli.schema import Frame, Prediction, PromptRequest, Task
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.scene import Scene


def test_one_question_about_an_image(vlseg, kitchen: Path) -> None:
    ran = vlseg("chat", "kitchen.png", "what is the ground outside?", "--json")
    assert ran.code == 0
    (record,) = ran.records
    assert (record["task"], record["prompt"]) == ("chat", "what is the ground outside?")
    assert record["text"] == "" and record["segments"]
    assert "embedded model was not trained to generate text" in ran.err
    assert not (kitchen.parent / "vlseg-out").exists()


def test_each_line_of_stdin_is_a_question(
    vlseg, film: tuple[Scene, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("what keeps food cold?\n\nwhat is hot?\n"))
    ran = vlseg("chat", "film.mp4", "--at", "4", "--out", "talk")
    assert ran.code == 0 and ran.out == ""
    assert ran.err.count("not trained to generate text") == 1
    lines = (tmp_path / "talk" / "predictions.jsonl").read_text().splitlines()
    assert [json.loads(line)["prompt"] for line in lines] == [
        "what keeps food cold?",
        "what is hot?",
    ]
    assert {json.loads(line)["frame"] for line in lines} == {4}
    assert (tmp_path / "talk" / "overlay" / "film" / "000004.png").is_file()
    assert (tmp_path / "talk" / "coco.json").is_file()


def test_a_line_that_is_not_utf_8_costs_no_other(
    vlseg, kitchen: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = io.TextIOWrapper(io.BytesIO(b"what flies?\nwhat \xff is it?\nwhat is hot?\n"))
    monkeypatch.setattr("sys.stdin", lines)
    ran = vlseg("chat", "kitchen.png", "--json")
    assert [record["prompt"] for record in ran.records] == ["what flies?", "what is hot?"]
    assert r"'what \udcff is it?' is not UTF-8" in ran.err


def test_inputs_that_are_not_one_image_are_errors(
    vlseg, kitchen: Path, film: tuple[Scene, ...]
) -> None:
    assert "is an image, which has no frame 3" in vlseg("chat", "kitchen.png", "?", "--at", 3).err
    assert "has no frame 99" in vlseg("chat", "film.mp4", "what?", "--at", "99").err
    assert vlseg("chat", "missing.png", "what?").code == 4
    assert "name one image or video" in vlseg("chat", ".", "what?").err
    assert "question is empty" in vlseg("chat", "kitchen.png", " ").err


def test_a_folder_with_a_job_is_refused(vlseg, kitchen: Path) -> None:
    out = OutputFolder(kitchen.parent / "vlseg-out")
    write_job(out, Job(("refer",), "embedded", {}, {}))
    ran = vlseg("chat", "kitchen.png", "what?", "--out", "vlseg-out")
    assert ran.code == 2 and "holds the results of a job" in ran.err


class TextModel:
    """Generates the length of the question."""

    name, categories, stuff = "talker", (), ()
    positions = 2048

    def encode(self, frames: list[Frame]) -> list[Frame]:
        return frames

    def predict(self, encoded: list[Frame], requests: list[PromptRequest]) -> list[Prediction]:
        return [
            Prediction(
                "a.png",
                0,
                60,
                80,
                request.task,
                request.prompt,
                (),
                text=f"{len(request.prompt.text)} letters",
            )
            for request in requests
            if request.task in (Task.REASON, Task.CHAT)
        ]


def test_generated_text_goes_to_stdout_and_all_else_to_stderr(
    capsys: pytest.CaptureFixture[str],
) -> None:
    frame = Frame(draw_scene(1, 80).pixels, "a.png")
    session = ChatSession(TextModel(), frame, Console(quiet=False), None)
    session.run("who?", as_json=False)
    session.run("when?", as_json=True)
    session.close()
    words, line = capsys.readouterr().out.splitlines()
    assert words == "4 letters" and json.loads(line)["text"] == "5 letters"
