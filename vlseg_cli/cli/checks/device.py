"""Where models run: a GPU that torch can really calculate on, or the processors."""

import os
import shutil
from collections.abc import Iterator

from vlseg_cli.cli.checks.finding import Finding, broken, warning


def device() -> Iterator[Finding]:
    """Every GPU that torch sees, each tried with a small product; else what is used instead."""
    import torch

    names = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        names.append("mps")
    for name in names:
        yield _tried(name)
    if not names:
        yield _processors()


def _tried(name: str) -> Finding:
    import torch

    try:
        product = torch.eye(64, device=name) @ torch.full((64, 64), 2.0, device=name)
        if not bool((product == 2).all()):
            mend = "Take --device cpu; the GPU or its driver is damaged."
            return broken(name, "calculates wrongly", mend)
        return Finding(name, _described(name))
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        mend = "Update the GPU's driver, or take --device cpu."
        return broken(name, f"cannot be used ({reason})", mend)


def _described(name: str) -> str:
    import torch

    if name == "mps":
        return "Apple GPU"
    free, total = torch.cuda.mem_get_info(name)
    model = torch.cuda.get_device_name(name)
    return f"{model}, {free / 1e9:.1f} of {total / 1e9:.1f} GB free"


def _processors() -> Finding:
    import torch

    if shutil.which("nvidia-smi") is None:
        return Finding("cpu", "no GPU here, so models run on the processors")
    if os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        mend = "Unset CUDA_VISIBLE_DEVICES, which hides all GPUs."
    elif torch.version.cuda is None:
        mend = "Install a torch that is built for CUDA, as pytorch.org says for this machine."
    else:
        mend = "Update the NVIDIA driver: this torch needs a newer one."
    return warning("cpu", "there is an NVIDIA GPU that torch cannot use", mend)
