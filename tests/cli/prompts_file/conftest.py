"""Three images, and a model that was trained with a thing and a stuff category."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlseg_cli.schema import Frame

FRAME = Frame(np.zeros((60, 80, 3), np.uint8), "a.png")


@dataclass
class Trained:
    """The part of a model that has categories."""

    name: str = "trained"
    categories: tuple[str, ...] = ("cup", "sky")
    stuff: tuple[bool, ...] = (False, True)
    positions: int = 2048


@pytest.fixture
def frame() -> Frame:
    return FRAME


@pytest.fixture
def model() -> Trained:
    return Trained()


@pytest.fixture
def images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder, made the working one, with a.png, b.png, c.png and mask.png of 80 x 60 px."""
    monkeypatch.chdir(tmp_path)
    for name in ["a.png", "b.png", "c.png"]:
        Image.new("RGB", (80, 60)).save(tmp_path / name)
    Image.fromarray(np.eye(60, 80, dtype=np.uint8) * 255).save(tmp_path / "mask.png")
    return tmp_path
