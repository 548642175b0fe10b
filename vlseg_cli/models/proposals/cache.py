"""What was found out about pictures, kept on disk by their content for whoever asks again.

Nothing is kept unless a folder was named: ``--cache DIR`` or ``VLSEG_CACHE``. Entries are written
whole or not at all, so many processes may share a folder; what is damaged is made anew.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from vlseg_cli.models.proposals.base import Proposals, Proposer, rle_of
from vlseg_cli.outputs.atomic import write_atomically
from vlseg_cli.schema import Frame, OutputError


class FeatureCache:
    """A folder of entries; with None nothing is kept, and nothing found."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def proposals(self, frame: Frame, proposer: Proposer) -> Proposals:
        """What a proposer proposes for a picture, asked once per content."""
        file = self._file("proposals", f"{_digest(frame, proposer.key)}.json")
        if file is not None:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                return _parsed(file.read_bytes())
        proposals = proposer.propose(frame)
        if file is not None:
            self._keep(file, _written(proposals))
        return proposals

    def tensors(
        self, frame: Frame, key: str, compute: Callable[[], dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        """Features of a picture. key: changes with everything but the picture that decides them."""
        file = self._file("features", f"{_digest(frame, key)}.safetensors")
        if file is not None:
            with contextlib.suppress(OSError, SafetensorError):
                kept: dict[str, Tensor] = load(file.read_bytes())
                return kept
        tensors = compute()
        if file is not None:
            self._keep(file, save({name: t.contiguous().cpu() for name, t in tensors.items()}))
        return tensors

    def _file(self, kind: str, name: str) -> Path | None:
        return self._folder / kind / name[:2] / name if self._folder else None

    def _keep(self, file: Path, data: bytes) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{file.parent} cannot be made ({error.strerror}): give another --cache"
            ) from error
        write_atomically(file, data)


def _digest(frame: Frame, key: str) -> str:
    """Of the pixels and the key; neither the file's name nor its place in a video counts."""
    digest = hashlib.sha256(f"{key}\n{frame.height} {frame.width}\n".encode())
    digest.update(frame.pixels.tobytes())
    return digest.hexdigest()


def _written(proposals: Proposals) -> bytes:
    """LLM-Seg's layout of one picture, in the keys that are read back."""
    masks = [
        {"segmentation": rle, "predicted_iou": score}
        for rle, score in zip(proposals.masks, proposals.scores, strict=True)
    ]
    size = [proposals.height, proposals.width]
    return json.dumps({"target_size": size, "masks": masks}).encode()


def _parsed(data: bytes) -> Proposals:
    table = json.loads(data)
    height, width = table["target_size"]
    masks = [rle_of(mask["segmentation"]) for mask in table["masks"]]
    scores = [float(mask["predicted_iou"]) for mask in table["masks"]]
    return Proposals(int(height), int(width), tuple(masks), tuple(scores))
