"""Modules without numbers, to be filled from a file: no memory is taken twice."""

from collections.abc import Callable
from typing import TypeVar

from accelerate import init_empty_weights
from torch import nn
from transformers.initialization import no_init_weights

M = TypeVar("M", bound=nn.Module)


def build_empty(build: Callable[[], M]) -> M:
    """Build a module whose parameters are on ``meta``; buffers that no file holds are real."""
    with no_init_weights(), init_empty_weights(include_buffers=False):
        return build()
