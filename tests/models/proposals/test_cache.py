"""The cache is keyed by content; damaged entries are recomputed."""

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


def test_entries_are_keyed_by_content_and_proposer(frame: Frame, tmp_path: Path) -> None:
    cache, proposer = FeatureCache(tmp_path), Quarters()
    first = cache.proposals(frame, proposer)
    renamed = Frame(frame.pixels.copy(), "elsewhere/b.png", 3, 0.1)
    assert cache.proposals(renamed, proposer) == first and proposer.asked == 1
    turned = Frame(frame.pixels.reshape(12, 8, 3), "a.png")
    cache.proposals(turned, proposer)
    proposer.key = "other"
    cache.proposals(frame, proposer)
    assert proposer.asked == 3


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"target_size": [1], "masks": []}'])
def test_damaged_entries_are_recomputed(frame: Frame, tmp_path: Path, damage: bytes) -> None:
    cache, proposer = FeatureCache(tmp_path), Quarters()
    first = cache.proposals(frame, proposer)
    (file,) = (f for f in tmp_path.rglob("*.json"))
    file.write_bytes(damage)
    assert cache.proposals(frame, proposer) == first and proposer.asked == 2
    assert cache.proposals(frame, proposer) == first and proposer.asked == 2


def test_cached_features_are_bit_exact(frame: Frame, tmp_path: Path) -> None:
    tensors = {"overview": torch.randn(1, 2, 2, 4), "regions": torch.randn(1, 2, 2, 4)}
    FeatureCache(tmp_path).tensors(frame, "key", lambda: tensors)
    (file,) = (f for f in tmp_path.rglob("*.safetensors"))
    cached = FeatureCache(tmp_path).tensors(frame, "key", dict)
    assert all(cached[name].equal(tensor) for name, tensor in tensors.items())
    file.write_bytes(file.read_bytes()[:20])
    assert FeatureCache(tmp_path).tensors(frame, "key", lambda: tensors) is tensors


def test_a_folder_that_cannot_be_created_is_an_error(frame: Frame, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="give another --cache"):
        FeatureCache(tmp_path / "file" / "below").proposals(frame, Quarters())
