"""Proposals and features cached on disk, keyed by image content.

Off unless a folder is given: ``--cache DIR`` or ``VLSEG_CACHE``. Entries are written atomically, so
processes may share a folder; damaged entries are recomputed.
"""

import contextlib
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from vlseg_cli.models.proposals.base import Proposals, Proposer
from vlseg_cli.outputs.atomic import write_atomically
from vlseg_cli.schema import Frame, OutputError, checked_rle
from vlseg_cli.schema.files import read_json, read_regular

_ENTRY = 1 << 30  # bytes


class FeatureCache:
    """A folder of entries; None disables the cache."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def proposals(self, frame: Frame, proposer: Proposer) -> Proposals:
        """Proposals of an image, computed once per content."""
        file = self._file("proposals", f"{_digest(frame, proposer.key)}.json")
        if file is not None:
            with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
                return _parse(read_json(file))
        proposals = proposer.propose(frame)
        if file is not None:
            self._write(file, _serialize(proposals))
        return proposals

    def tensors(
        self, frame: Frame, key: str, compute: Callable[[], dict[str, Tensor]]
    ) -> dict[str, Tensor]:
        """Features of an image. key: identifies the weights and settings that compute them."""
        file = self._file("features", f"{_digest(frame, key)}.safetensors")
        if file is not None:
            with contextlib.suppress(OSError, SafetensorError):
                cached: dict[str, Tensor] = load(read_regular(file, _ENTRY))
                return cached
        tensors = compute()
        if file is not None:
            self._write(file, save({name: t.contiguous().cpu() for name, t in tensors.items()}))
        return tensors

    def _file(self, kind: str, name: str) -> Path | None:
        return self._folder / kind / name[:2] / name if self._folder else None

    def _write(self, file: Path, data: bytes) -> None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(
                f"{file.parent} cannot be created ({error.strerror}): give another --cache"
            ) from error
        write_atomically(file, data)


def _digest(frame: Frame, key: str) -> str:
    """Of pixels and key; independent of the file name and the frame index."""
    digest = hashlib.sha256(f"{key}\n{frame.height} {frame.width}\n".encode())
    digest.update(frame.pixels.tobytes())
    return digest.hexdigest()


def _serialize(proposals: Proposals) -> bytes:
    """LLM-Seg's layout of one image, limited to the keys that are read back."""
    masks = [
        {"segmentation": rle, "predicted_iou": score}
        for rle, score in zip(proposals.masks, proposals.scores, strict=True)
    ]
    size = [proposals.height, proposals.width]
    return json.dumps({"target_size": size, "masks": masks}).encode()


def _parse(table: Any) -> Proposals:
    height, width = map(int, table["target_size"])
    masks = [checked_rle(mask["segmentation"], (height, width)) for mask in table["masks"]]
    scores = [float(mask["predicted_iou"]) for mask in table["masks"]]
    return Proposals(height, width, tuple(masks), tuple(scores))
