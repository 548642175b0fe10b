"""A synthetic image and video, and a command line that runs without a new process."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import pytest
from PIL import Image

from vlseg_cli.cli.main import main
from vlseg_cli.synthetic.clip import draw_clip
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.synthetic.scene import Scene


@dataclass
class Ran:
    """The result of a command line."""

    code: int
    out: str
    err: str
    records: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def vlseg(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Ran]:
    """Run ``vlseg WORDS…`` in an empty folder; with --json its lines are parsed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*words: object) -> Ran:
        code = main([str(word) for word in words])
        output = capsys.readouterr()
        lines = output.out.splitlines() if "--json" in words and code in (0, 3) else []
        return Ran(code, output.out, output.err, [json.loads(line) for line in lines])

    return call


@pytest.fixture
def film(tmp_path: Path) -> tuple[Scene, ...]:
    """``film.mp4``, a synthetic clip of 9 frames, and ``mask.png``, an object in its first."""
    scenes = draw_clip(910_003, 9, 192)
    things = [item for item in scenes[0].items if item.is_thing]
    largest = max(things, key=lambda item: item.area)
    Image.fromarray(scenes[0].mask(largest.id)).save(tmp_path / "mask.png")
    with av.open(str(tmp_path / "film.mp4"), "w") as container:
        stream = container.add_stream("libx264", rate=12, options={"crf": "12", "threads": "1"})
        stream.height, stream.width = scenes[0].ids.shape
        stream.pix_fmt = "yuv420p"
        for scene in scenes:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(scene.pixels, format="rgb24")))
        container.mux(stream.encode(None))
    return scenes


@pytest.fixture
def kitchen(tmp_path: Path) -> Path:
    """A synthetic scene of 192 px."""
    path = tmp_path / "kitchen.png"
    Image.fromarray(draw_scene(900_000, 192).pixels).save(path)
    return path
