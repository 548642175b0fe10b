"""What is kept is found by content, and what is damaged is made anew."""

from pathlib import Path

import numpy as np
import pytest
import torch
from models.tiny_hrseg import Quarters

from vlseg_cli.models.proposals.cache import FeatureCache
from vlseg_cli.schema import Frame, OutputError


@pytest.fixture
def frame() -> Frame:
    return Frame(np.random.default_rng(0).integers(0, 256, (8, 12, 3)).astype(np.uint8), "a.png")


def test_content_decides(frame: Frame, tmp_path: Path) -> None:
    store, proposer = FeatureCache(tmp_path), Quarters()
    first = store.proposals(frame, proposer)
    renamed = Frame(frame.pixels.copy(), "elsewhere/b.png", 3, 0.1)
    assert store.proposals(renamed, proposer) == first and proposer.asked == 1
    turned = Frame(frame.pixels.reshape(12, 8, 3), "a.png")
    store.proposals(turned, proposer)
    proposer.key = "other"
    store.proposals(frame, proposer)
    assert proposer.asked == 3


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"target_size": [1], "masks": []}'])
def test_damage_is_made_anew(frame: Frame, tmp_path: Path, damage: bytes) -> None:
    store, proposer = FeatureCache(tmp_path), Quarters()
    first = store.proposals(frame, proposer)
    (file,) = (f for f in tmp_path.rglob("*.json"))
    file.write_bytes(damage)
    assert store.proposals(frame, proposer) == first and proposer.asked == 2
    assert store.proposals(frame, proposer) == first and proposer.asked == 2


def test_features_are_kept_to_the_bit(frame: Frame, tmp_path: Path) -> None:
    tensors = {"overview": torch.randn(1, 2, 2, 4), "regions": torch.randn(1, 2, 2, 4)}
    FeatureCache(tmp_path).tensors(frame, "key", lambda: tensors)
    (file,) = (f for f in tmp_path.rglob("*.safetensors"))
    kept = FeatureCache(tmp_path).tensors(frame, "key", dict)
    assert all(kept[name].equal(tensor) for name, tensor in tensors.items())
    file.write_bytes(file.read_bytes()[:20])
    assert FeatureCache(tmp_path).tensors(frame, "key", lambda: tensors) is tensors


def test_a_folder_that_cannot_be(frame: Frame, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="give another --cache"):
        FeatureCache(tmp_path / "file" / "below").proposals(frame, Quarters())
