"""A golden file: the authors' weights, inputs and outputs, and how exactly ours must agree."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors import safe_open
from torch import Tensor

# How much of the recorded float32-against-float64 spread another float32 order may use.
SLACK = 20.0


@dataclass
class Golden:
    """One file of the documented layout. Missing entries are failures, never skips."""

    path: Path
    metadata: dict[str, Any]
    tensors: dict[str, Tensor]

    @classmethod
    def load(cls, path: Path) -> "Golden":
        with safe_open(str(path), "pt") as file:
            metadata = {k: _json(v) for k, v in file.metadata().items()}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        return cls(path, metadata, tensors)

    @property
    def config(self) -> dict[str, Any]:
        return self.metadata["config"]

    def __getitem__(self, name: str) -> Tensor:
        assert name in self.tensors, f"{self.path.name} lacks {name}"
        tensor = self.tensors[name]
        return tensor.float() if tensor.is_floating_point() else tensor

    def weights(self) -> dict[str, Tensor]:
        return {name[2:]: self[name] for name in self.tensors if name.startswith("w/")}

    def agrees(self, name: str, ours: Tensor) -> None:
        """Assert that ``ours`` is output ``name`` within the file's own tolerance."""
        theirs = self[f"out/{name}"]
        assert tuple(ours.shape) == tuple(theirs.shape), f"{name}: {ours.shape} != {theirs.shape}"
        spread = self.metadata.get("fp32_vs_fp64_max_abs", {}).get(name)
        expected = theirs.double().numpy()
        if not theirs.is_floating_point():
            tolerance = np.zeros(())
        elif spread is None:
            tolerance = 1e-4 + 1e-4 * np.abs(expected)
        else:
            tolerance = np.asarray(SLACK * spread + 1e-6)
        excess = np.abs(ours.double().numpy() - expected) - tolerance
        worst = float(excess.max(initial=0.0))
        assert worst <= 0, f"{name}: off by {worst:.2e} more than allowed"


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a module ``test_<system>.py`` once per ``<system>-*.safetensors`` in --goldens."""
    if "golden" in metafunc.fixturenames:
        system = Path(metafunc.module.__file__).stem.removeprefix("test_")
        directory = metafunc.config.getoption("--goldens") or Path(__file__).parent / "goldens"
        files = sorted(directory.glob(f"{system.replace('_', '-')}-*.safetensors"))
        assert files, f"no golden file {system}-*.safetensors in {directory}"
        metafunc.parametrize("golden", files, ids=lambda f: f.stem, indirect=True, scope="module")


@pytest.fixture(scope="module")
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden.load(request.param)
