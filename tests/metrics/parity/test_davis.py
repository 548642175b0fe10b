"""DAVIS J and F against davis2017-evaluation: void, lost, new and permuted objects."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from vlseg_cli.evaluation.metrics.davis import DavisSemiSupervised, DavisUnsupervised


def frames(folder: Path, names: list[str]) -> np.ndarray:
    return np.stack([np.asarray(Image.open(folder / name)) for name in names])


def scores(folder: Path, meter: Any, suffix: str) -> dict[str, Any]:
    for sequence in (folder / "ImageSets" / "2017" / "val.txt").read_text().split():
        truth = folder / f"Annotations{suffix}" / "480p" / sequence
        names = sorted(file.name for file in truth.iterdir())
        meter.add(
            sequence, frames(truth, names), frames(folder / f"results{suffix}" / sequence, names)
        )
    result = meter.result()
    return {
        "J&F-Mean": result.jf,
        **{f"J-{name.title()}": getattr(result.j, name) for name in ("mean", "recall", "decay")},
        **{f"F-{name.title()}": getattr(result.f, name) for name in ("mean", "recall", "decay")},
        "J_per_object": {name: one.j.mean for name, one in result.objects.items()},
        "F_per_object": {name: one.f.mean for name, one in result.objects.items()},
    }


def test_davis_equals_the_official_evaluator(goldens: Path, agrees: Callable[..., None]) -> None:
    folder = goldens / "davis"
    agrees(
        {
            "semi-supervised": scores(folder, DavisSemiSupervised(), ""),
            "unsupervised": scores(folder, DavisUnsupervised(), "_unsupervised"),
        }
    )
