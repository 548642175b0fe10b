"""A golden file: the authors' weights, inputs and outputs, and how exactly ours must agree.

Tests and ``vlseg weights verify`` compare by the same lines. The files lie with the tests, and
inside the package once that is installed from a wheel.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.conversion.coverage import cover, require_complete
from vlseg_cli.weights.conversion.rules import Rule, convert

# How much of the recorded float32-against-float64 spread another float32 order may use.
SLACK = 20.0
_LEAST = 1e-6  # beside the spread
_UNRECORDED = 1e-4  # absolute and relative, where no spread is recorded


@dataclass(slots=True, eq=False)
class Golden:
    """One file of the documented layout; a missing entry is an error, never passed over.

    metadata: its parsed entries. compared: what share of its tolerance each output took, so far.
    aside: entries that no output of ours can be compared with, and why.
    """

    path: Path
    metadata: dict[str, Any]
    tensors: dict[str, Tensor]
    compared: dict[str, float] = field(default_factory=dict)
    aside: dict[str, str] = field(default_factory=dict)

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
        outputs = {name.removeprefix("out/") for name in self.tensors if _is_output(name)}
        return tuple(sorted(outputs - self.compared.keys() - self.aside.keys()))

    def recorded(self, name: str) -> Tensor:
        """A tensor in the file's own precision. Raises WeightsError if there is none."""
        if name not in self.tensors:
            raise WeightsError(f"{self.path.name} lacks {name}")
        return self.tensors[name]

    def __getitem__(self, name: str) -> Tensor:
        """A tensor, in float32 if it is floating point. Raises WeightsError if there is none."""
        tensor = self.recorded(name)
        return tensor.float() if tensor.is_floating_point() else tensor

    def weights(self, folder: str = "w/") -> dict[str, Tensor]:
        """The authors' state dict under its own names."""
        names = (name for name in self.tensors if name.startswith(folder))
        return {name.removeprefix(folder): self[name] for name in names}

    def fill(
        self,
        model: nn.Module,
        rules: Sequence[Rule],
        folder: str = "w/",
        apart: tuple[str, ...] = (),
    ) -> None:
        """Load the authors' weights into ours. Raises WeightsError unless all of them fit.

        apart: how names of ours begin that the file has nothing for.
        """
        official = self.weights(folder)
        own = {
            name: tuple(tensor.shape)
            for name, tensor in model.state_dict().items()
            if not name.startswith(apart)
        }
        require_complete(cover(rules, official, own), self.path.name)
        ours = {k: v for name in official for k, v in convert(rules, name, official[name]).items()}
        model.load_state_dict(ours, strict=not apart)

    def require(self, holds: bool, what: str) -> None:
        """Raise WeightsError with ``what`` is wrong unless something plain holds."""
        if not holds:
            raise WeightsError(f"{self.path.name}: {what}")

    def agrees(
        self,
        name: str,
        ours: Tensor,
        allowed: float | None = None,
        view: Callable[[Tensor], Tensor] = lambda theirs: theirs,
    ) -> None:
        """Raise WeightsError unless ``ours`` is output ``name`` within tolerance.

        allowed: absolute, instead of the file's own. view: brings theirs into the form of ours.
        Infinities have to be the same.
        """
        theirs = view(self.recorded(f"out/{name}"))
        self._compare(name, ours, theirs, self._tolerance(name, theirs, allowed))

    def close(self, entry: str, ours: Tensor, within: float) -> None:
        """Raise WeightsError unless ``ours`` is ``entry``, in ``out/`` or any other folder.

        For files that say nothing of rounding. within: this share of the largest number there, of
        1 if that is more; whole numbers have to be equal.
        """
        name, theirs = entry.removeprefix("out/"), self.recorded(entry)
        largest = max(1.0, float(theirs.double().abs().amax())) if theirs.numel() else 1.0
        self._compare(name, ours, theirs, self._tolerance(name, theirs, within * largest))

    def _compare(self, name: str, ours: Tensor, theirs: Tensor, tolerance: Tensor) -> None:
        if ours.shape != theirs.shape:
            raise WeightsError(
                f"{self.path.name}: {name} is {tuple(ours.shape)}, not {tuple(theirs.shape)}"
            )
        error = (ours.detach().double() - theirs.double()).abs()
        error = error.masked_fill(theirs.isinf() & (ours == theirs), 0.0).flatten()
        tolerance = tolerance.flatten()
        if not bool((error <= tolerance).all()):  # NaN is no agreement either
            worst = int((error - tolerance).argmax())
            raise WeightsError(
                f"{self.path.name}: {name} is off by {error[worst]:.2e}, allowed "
                f"{tolerance[worst]:.2e}"
            )
        shares = error / tolerance.clamp(min=torch.finfo(torch.double).tiny)
        self.compared[name] = max(shares.tolist(), default=0.0)

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


def _is_output(name: str) -> bool:
    """What lies in a folder, unless that is of weights or inputs: 'out/x', 'sam/out/x', 'alt/x'."""
    *folders, _ = name.split("/")
    kind = next((folder for folder in folders if folder in {"w", "in", "out"}), "out")
    return bool(folders) and kind == "out"


def _shipped() -> Path:
    return Path(__file__).with_name("goldens")


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
