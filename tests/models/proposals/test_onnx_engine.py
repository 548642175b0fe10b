"""SAM in ONNX Runtime equals SAM in torch; invalid exports are refused."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from models.tiny_hrseg import make_sure
from torch import Tensor

from vlseg_cli.models.proposals.onnx_engine import ENCODER, EXPORT, OnnxSAM
from vlseg_cli.models.proposals.onnx_export import export_sam
from vlseg_cli.models.proposals.sam import SAMBackend, SAMProposer, TorchSAM
from vlseg_cli.nn.sam import SAM, SAMSizes
from vlseg_cli.schema import Frame, UsageError, WeightsError, decode_rle
from vlseg_cli.synthetic.draw import draw_scene

TOLERANCE = 1e-4  # of the largest value
SIDES = (64, 96)  # px; grids of 4 and 6 cells, windows of 3


def tiny_sam(side: int) -> SAM:
    sizes = SAMSizes(
        image=side,
        patch=16,
        width=16,
        layers=2,
        heads=2,
        window=3,
        whole=(1,),
        channels=16,
        decoder_feedforward=32,
        decoder_heads=2,
    )
    return make_sure(SAM(sizes))


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One export per input side."""
    root = tmp_path_factory.mktemp("exports")
    for side in SIDES:
        export_sam(tiny_sam(side), f"of {side}", root / str(side))
    return root


class LocalMasks:
    """Limits masks to the surroundings of their points, as a trained SAM does."""

    def __init__(self, engine: SAMBackend) -> None:
        self.name, self.image_size, self.encode_image = (
            engine.name,
            engine.image_size,
            engine.encode_image,
        )
        self._engine = engine

    def masks_at(self, features: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
        logits, iou = self._engine.masks_at(features, points)
        centers = (torch.arange(logits.shape[-1]) + 0.5) * self.image_size / logits.shape[-1]
        x, y = ((centers - at[:, None]).abs() for at in points.T)
        far = (x[:, None, :] + y[:, :, None]) > self.image_size / 4
        return logits.masked_fill(far[:, None], -1e3), iou


def is_close(ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    return ours.shape == theirs.shape and bool(
        (ours - theirs).abs().max() <= TOLERANCE * theirs.abs().max()
    )


@pytest.mark.parametrize("side", SIDES)
def test_outputs_equal_those_of_torch_for_any_number_of_points(exports: Path, side: int) -> None:
    by_torch, by_onnx = TorchSAM(tiny_sam(side)), OnnxSAM(exports / str(side), f"of {side}")
    assert by_onnx.image_size == side
    pixels = torch.randn(1, 3, side, side)
    features = by_torch.encode_image(pixels)
    assert is_close(by_onnx.encode_image(pixels), features)
    for count in (1, 5, 64):
        points = torch.rand(count, 2) * side
        for ours, theirs in zip(
            by_onnx.masks_at(features, points), by_torch.masks_at(features, points), strict=True
        ):
            assert len(ours) == count and is_close(ours, theirs)


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("shape", [(96, 96), (40, 90), (130, 70)])
def test_proposals_equal_those_of_torch(exports: Path, side: int, shape: tuple[int, int]) -> None:
    frame = Frame(draw_scene(910_001, 160).pixels[: shape[0], : shape[1]].copy(), "a scene")
    engines = TorchSAM(tiny_sam(side)), OnnxSAM(exports / str(side), f"of {side}")
    by_torch, by_onnx = (SAMProposer(LocalMasks(one), "key", per_side=9) for one in engines)
    ours, theirs = by_onnx.propose(frame), by_torch.propose(frame)
    assert len(ours.masks) == len(theirs.masks) > 3
    assert np.allclose(ours.scores, theirs.scores, atol=TOLERANCE)
    for mask, truth in zip(map(decode_rle, ours.masks), map(decode_rle, theirs.masks), strict=True):
        assert (mask & truth).sum() >= 0.99 * (mask | truth).sum()
    assert by_onnx.key != by_torch.key  # separate cache entries


def test_an_export_of_other_weights_is_refused(exports: Path) -> None:
    with pytest.raises(WeightsError, match=r"exported from other weights \(of 64\)"):
        OnnxSAM(exports / "64", "of 96")


def test_a_folder_without_export_is_refused(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="holds no exported SAM: 'vlseg export sam"):
        OnnxSAM(tmp_path, "digest")


@pytest.mark.parametrize("damage", ["{", "[]", '{"weights": "of 64"}'])
def test_damaged_metadata_is_refused(exports: Path, tmp_path: Path, damage: str) -> None:
    folder = shutil.copytree(exports / "64", tmp_path / "export")
    (folder / EXPORT).write_text(damage)
    with pytest.raises(WeightsError, match="is damaged"):
        OnnxSAM(folder, "of 64")


@pytest.mark.parametrize("name", [ENCODER, "look.weights"])
def test_truncated_files_are_refused(exports: Path, tmp_path: Path, name: str) -> None:
    folder = shutil.copytree(exports / "64", tmp_path / "export")
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: len(data) // 2])
    with pytest.raises(WeightsError, match="cannot be opened"):
        OnnxSAM(folder, "of 64")


def test_files_of_an_export(exports: Path) -> None:
    files = {file.name for file in (exports / "64").iterdir()}
    graphs = {"look.onnx", "look.weights", "masks_at.onnx", "masks_at.weights"}
    assert files == {*graphs, EXPORT}
    metadata = json.loads((exports / "64" / EXPORT).read_text())
    assert metadata["weights"] == "of 64" and metadata["sizes"]["image"] == 64


def test_a_second_export_replaces_the_first(exports: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(exports / "96", tmp_path / "export")
    export_sam(tiny_sam(64), "of 64", folder)
    size = (folder / "look.weights").stat().st_size
    assert size == (exports / "64" / "look.weights").stat().st_size
    assert OnnxSAM(folder, "of 64").image_size == 64


def test_export_without_onnx_gives_an_installation_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UsageError, match=r"pip install 'vlseg\[onnx\]'"):
        export_sam(tiny_sam(64), "digest", tmp_path / "export")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device")
def test_a_gpu_that_cannot_be_used_is_an_error_or_a_note(
    exports: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(UsageError, match=r"cannot use cuda:0 here: install onnxruntime-gpu"):
        OnnxSAM(exports / "64", "of 64", "cuda:0")
    notes: list[str] = []
    sam = OnnxSAM(exports / "64", "of 64", "cuda:0", notes.append)
    assert len(notes) == 1 and "the SAM runs on the CPU" in notes[0]
    assert sam.encode_image(torch.zeros(1, 3, 64, 64)).isfinite().all()
    assert capfd.readouterr() == ("", "")  # nothing of ONNX Runtime's own
