"""Golden files: the authors' weights, inputs and outputs, and how exactly our modules must agree.

``check_parity`` runs the stages of a system against its files; every output that a file holds has
to be compared. Tolerances scale with magnitude, because the rounding of float32 does: what another
order of summation changes is a share of the largest number that was summed, also in small results.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor, nn

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.conversion.coverage import cover, require_complete
from vlseg_cli.weights.conversion.rules import Rule, convert

SLACK = 20.0  # times the recorded float32-against-float64 spread
_LEAST = 1e-6  # beside the spread, relative to the largest number
_UNRECORDED = 1e-4  # absolute and relative for each number, where no spread is recorded

Stages = Mapping[str, Callable[[], None]]
# By the names of the registry; ``parity.<name>`` has a function ``<name>_stages``.
SYSTEMS = ("hrseg", "psalm", "hyperseg", "self1e", "mvp-lm")
# How golden files are named where that is not by the system alone.
LAYOUTS: Mapping[str, tuple[str, ...]] = {"hrseg": ("llmseg", "hrseg")}


@dataclass(slots=True, eq=False)
class Golden:
    """One file of the documented layout; a missing entry is an error.

    metadata: its parsed entries. compared: how much of its tolerance each output used, so far.
    excluded: entries that no output of ours can be compared with, and why.
    """

    path: Path
    metadata: dict[str, Any]
    tensors: dict[str, Tensor]
    compared: dict[str, float] = field(default_factory=dict)
    excluded: dict[str, str] = field(default_factory=dict)

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
    def uncompared(self) -> tuple[str, ...]:
        """Outputs that have not been compared yet."""
        outputs = {name.removeprefix("out/") for name in self.tensors if _is_output(name)}
        return tuple(sorted(outputs - self.compared.keys() - self.excluded.keys()))

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
        without: tuple[str, ...] = (),
    ) -> None:
        """Load the authors' weights into our module. Raises WeightsError unless all of them fit.

        without: prefixes of our names that the file has no tensors for.
        """
        official = self.weights(folder)
        own = {
            name: tuple(tensor.shape)
            for name, tensor in model.state_dict().items()
            if not name.startswith(without)
        }
        require_complete(cover(rules, official, own), self.path.name)
        ours = {k: v for name in official for k, v in convert(rules, name, official[name]).items()}
        model.load_state_dict(ours, strict=not without)

    def require(self, holds: bool, what: str) -> None:
        """Raise WeightsError that says ``what`` is wrong unless a condition holds."""
        if not holds:
            raise WeightsError(f"{self.path.name}: {what}")

    def agrees(
        self,
        name: str,
        ours: Tensor,
        within: float | None = None,
        view: Callable[[Tensor], Tensor] = lambda theirs: theirs,
    ) -> None:
        """``close`` for output ``name`` of the folder ``out/``."""
        self.close(f"out/{name}", ours, within, view)

    def close(
        self,
        entry: str,
        ours: Tensor,
        within: float | None = None,
        view: Callable[[Tensor], Tensor] = lambda theirs: theirs,
    ) -> None:
        """Raise WeightsError unless ``ours`` is ``entry`` of the file within tolerance.

        within: relative to the largest finite magnitude of the entry, or to 1 if that is less;
        None for the spread that the file records. view: brings theirs into the form of ours.
        Integers and infinities must be equal.
        """
        name, theirs = entry.removeprefix("out/"), view(self.recorded(entry))
        if ours.shape != theirs.shape:
            raise WeightsError(
                f"{self.path.name}: {name} is {tuple(ours.shape)}, not {tuple(theirs.shape)}"
            )
        error = (ours.detach().double() - theirs.double()).abs()
        error = error.masked_fill(theirs.isinf() & (ours == theirs), 0.0).flatten()
        tolerance = self._tolerance(name, theirs, within).flatten()
        if not bool((error <= tolerance).all()):  # NaN does not agree either
            worst = int((error - tolerance).argmax())
            raise WeightsError(
                f"{self.path.name}: {name} is off by {error[worst]:.2e}, allowed "
                f"{tolerance[worst]:.2e}"
            )
        used = error / tolerance.clamp(min=torch.finfo(torch.double).tiny)
        self.compared[name] = max(used.tolist(), default=0.0)

    def _tolerance(self, name: str, theirs: Tensor, within: float | None) -> Tensor:
        """The tolerance of each number."""
        magnitude = theirs.double().abs().nan_to_num(nan=0.0, posinf=0.0)
        largest = max(1.0, float(magnitude.amax())) if theirs.numel() else 1.0
        spread = self.metadata.get("fp32_vs_fp64_max_abs", {}).get(name)
        if not theirs.is_floating_point():
            allowed = 0.0
        elif within is not None:
            allowed = within * largest
        elif spread is not None:
            allowed = SLACK * float(spread) + _LEAST * largest
        else:
            return _UNRECORDED * (1 + magnitude)
        return torch.full_like(magnitude, allowed)


def golden_files(layout: str, directory: Path | None = None) -> list[Path]:
    """The files ``<layout>-*.safetensors`` of ``directory``, or of ``goldens/`` here."""
    folder = directory or Path(__file__).with_name("goldens")
    return sorted(folder.glob(f"{layout.replace('_', '-')}-*.safetensors"))


def stages_of(system: str, golden: Golden) -> Stages:
    """The stages of a system (or a layout) by name; each raises WeightsError."""
    name = system.replace("-", "_")
    stages: Stages = getattr(import_module(f"parity.{name}"), f"{name}_stages")(golden)
    return stages


def check_parity(system: str, directory: Path | None = None) -> list[Golden]:
    """Run every stage of a system against every golden file that there is for it.

    directory: of golden files, None for ``goldens/`` here. Raises WeightsError at the first output
    that does not agree or was not compared, and if there is no file.
    """
    if system not in SYSTEMS:
        raise WeightsError(f"this version of vlseg cannot compare a {system} with goldens")
    layouts = LAYOUTS.get(system, (system,))
    files = [file for layout in layouts for file in golden_files(layout, directory)]
    if not files:
        where = directory or "this installation"
        named = " or ".join(f"{layout.replace('_', '-')}-*.safetensors" for layout in layouts)
        raise WeightsError(
            f"{where} has no golden file {named}: give a folder that has one with --goldens"
        )
    return [_compared(system, Golden.load(file)) for file in files]


def _compared(system: str, golden: Golden) -> Golden:
    for stage in stages_of(system, golden).values():
        stage()
    if golden.uncompared:
        raise WeightsError(
            f"{golden.path.name} holds what was not compared: {golden.uncompared[0]}"
        )
    return golden


def _is_output(name: str) -> bool:
    """In a folder that is not of weights or inputs: 'out/x', 'sam/out/x', 'alt/x'."""
    *folders, _ = name.split("/")
    kind = next((folder for folder in folders if folder in {"w", "in", "out"}), "out")
    return bool(folders) and kind == "out"


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
