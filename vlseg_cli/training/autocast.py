"""In which arithmetic a pass through the model is computed: a recipe's [precision]."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from vlseg_cli.training.recipe import PrecisionTable


@contextmanager
def autocast(precision: PrecisionTable, device: torch.device) -> Iterator[None]:
    """Compute what is within as ``precision`` says; weights stay in float32."""
    halved = precision.dtype == "bf16"
    # On a CPU, going back through torch's fused attention in bfloat16 is 3 to 12 times slower than
    # through plain products (narrow heads: torch 2.13).
    plain = sdpa_kernel(SDPBackend.MATH) if halved and device.type == "cpu" else nullcontext()
    with plain, torch.autocast(device.type, torch.bfloat16, halved):
        yield
