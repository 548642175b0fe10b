"""A golden file: the authors' weights, inputs and outputs, and how exactly ours must agree.

Tests and ``vlseg weights verify`` compare by the same lines. The files lie with the tests, and
inside the package once that is installed from a wheel.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from vlseg_cli.schema import WeightsError

# How much of the recorded float32-against-float64 spread another float32 order may use.
SLACK = 20.0
_LEAST = 1e-6  # beside the spread
_UNRECORDED = 1e-4  # absolute and relative, where no spread is recorded


@dataclass(slots=True, eq=False)
class Golden:
    """One file of the documented layout; a missing entry is an error, never passed over.

    metadata: its parsed entries. compared: what share of its tolerance each output took, so far.
    """

    path: Path
    metadata: dict[str, Any]
    tensors: dict[str, Tensor]
    compared: dict[str, float] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> "Golden":
        """Read a file. Raises WeightsError if it is missing or damaged."""
        try:
            with safe_open(str(path), "pt") as file:
                metadata = {key: _json(text) for key, text in (file.metadata() or {}).items()}
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            raise WeightsError(f"{path} is no golden file ({error})") from error
        return cls(path, metadata, tensors)

    @property
    def config(self) -> dict[str, Any]:
        """The sizes of the miniature that the authors' code was run with."""
        config: dict[str, Any] = self.metadata["config"]
        return config

    @property
    def left(self) -> tuple[str, ...]:
        """Outputs that nothing has been compared with yet."""
        outputs = (name[4:] for name in self.tensors if name.startswith("out/"))
        return tuple(sorted(name for name in outputs if name not in self.compared))

    def __getitem__(self, name: str) -> Tensor:
        """A tensor, in float32 if it is floating point. Raises WeightsError if there is none."""
        if name not in self.tensors:
            raise WeightsError(f"{self.path.name} lacks {name}")
        tensor = self.tensors[name]
        return tensor.float() if tensor.is_floating_point() else tensor

    def weights(self) -> dict[str, Tensor]:
        """The authors' state dict under its own names."""
        return {name[2:]: self[name] for name in self.tensors if name.startswith("w/")}

    def agrees(self, name: str, ours: Tensor, allowed: float | None = None) -> None:
        """Raise WeightsError unless ``ours`` is output ``name`` within the file's own tolerance.

        allowed: the tolerance of files that record none. Infinities have to be the same.
        """
        theirs = self[f"out/{name}"]
        if ours.shape != theirs.shape:
            raise WeightsError(
                f"{self.path.name}: {name} is {tuple(ours.shape)}, not {tuple(theirs.shape)}"
            )
        error = (ours.double() - theirs.double()).abs()
        error = error.masked_fill(theirs.isinf() & (ours == theirs), 0.0).flatten()
        tolerance = self._tolerance(name, theirs, allowed).flatten()
        if not bool((error <= tolerance).all()):  # NaN is no agreement either
            worst = int((error - tolerance).argmax())
            raise WeightsError(
                f"{self.path.name}: {name} is off by {error[worst]:.2e}, allowed "
                f"{tolerance[worst]:.2e}"
            )
        self.compared[name] = max((error / tolerance.clamp(min=_LEAST)).tolist(), default=0.0)

    def _tolerance(self, name: str, theirs: Tensor, allowed: float | None) -> Tensor:
        """For every number; whole ones must be equal."""
        if not theirs.is_floating_point():
            return torch.zeros(theirs.shape, dtype=torch.double)
        if allowed is not None:
            return torch.full(theirs.shape, allowed, dtype=torch.double)
        spread = self.metadata.get("fp32_vs_fp64_max_abs", {}).get(name)
        if spread is None:
            return _UNRECORDED * (1 + theirs.double().abs().nan_to_num(posinf=0.0))
        return torch.full(theirs.shape, SLACK * float(spread) + _LEAST, dtype=torch.double)


def golden_files(architecture: str, directory: Path | None = None) -> list[Path]:
    """The files for an architecture, of ``directory`` or of those that come with vlseg."""
    return sorted((directory or _shipped()).glob(f"{architecture.replace('_', '-')}-*.safetensors"))


def _shipped() -> Path:
    package = Path(__file__).parents[1]
    inside, checkout = package / "models" / "goldens", package.parent / "tests/parity/goldens"
    return inside if inside.is_dir() else checkout


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
