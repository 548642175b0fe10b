"""Autocast in training: the dtype of a forward pass, by a recipe's [precision]."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from vlseg_cli.training.recipe import PrecisionTable


@contextmanager
def autocast(precision: PrecisionTable, device: torch.device) -> Iterator[None]:
    """Compute the block in ``precision``; weights stay in float32."""
    bf16 = precision.dtype == "bf16"
    # On a CPU, the backward pass of torch's fused attention in bfloat16 is 3 to 12 times slower
    # than that of plain matrix products (narrow heads: torch 2.13).
    attention = sdpa_kernel(SDPBackend.MATH) if bf16 and device.type == "cpu" else nullcontext()
    with attention, torch.autocast(device.type, torch.bfloat16, bf16):
        yield
