"""What NumPy and torch name differently, so that post-processing is written once for both.

Masks of torch models are processed where they are, on a GPU; those of ONNX Runtime are NumPy
arrays, in a process that never imports torch. Both results agree to about 1e-6.
"""

import sys
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = Any  # a torch tensor or a NumPy array; results are of the same kind
NUMPY: Any = (np.ndarray, np.generic)


def namespace(array: Array) -> Any:
    """The module with the functions for an array: ``numpy`` or ``torch``."""
    return np if isinstance(array, NUMPY) else sys.modules["torch"]


def softmax(logits: Array) -> Array:
    """Along the last axis."""
    if not isinstance(logits, NUMPY):
        return logits.softmax(-1)
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def sigmoid(logits: Array) -> Array:
    """Elementwise; tiny values stay above zero, so that queries keep their order."""
    if not isinstance(logits, NUMPY):
        return logits.sigmoid()
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-logits))


def descending(values: Array) -> Array:
    """Indices (N,) of the values (N,) from the largest to the smallest, ties in order."""
    if not isinstance(values, NUMPY):
        return values.argsort(descending=True, stable=True)
    return np.argsort(-values, kind="stable")


def best_first(values: Array, count: int) -> tuple[Array, Array]:
    """The ``count`` largest of values (N,), and their indices."""
    if not isinstance(values, NUMPY):
        return tuple(values.topk(count))
    index = descending(values)[:count]
    return values[index], index


def constant(value: Any, like: Array) -> Array:
    """A list or an array as one of the kind, and on the device, of ``like``."""
    if isinstance(like, NUMPY):
        return np.asarray(value)
    return namespace(like).as_tensor(value, device=like.device)


def to_numpy(array: Array) -> NDArray[Any]:
    """The same values as a NumPy array."""
    values: NDArray[Any] = array if isinstance(array, NUMPY) else array.cpu().numpy()
    return values


def resize(maps: Array, size: tuple[int, int]) -> Array:
    """(N, h, w) -> (N, H, W), bilinear without aligned corners."""
    if not isinstance(maps, NUMPY):
        interpolate = namespace(maps).nn.functional.interpolate
        return interpolate(maps[None], size, mode="bilinear", align_corners=False)[0]
    rows, columns = (_weights(*pair) for pair in zip(maps.shape[1:], size, strict=True))
    return rows @ maps @ columns.T


def _weights(length: int, new: int) -> NDArray[np.float32]:
    """(new, length): how much each old cell of a line contributes to each new one."""
    centers = np.maximum((np.arange(new) + 0.5) * (length / new) - 0.5, 0)
    low = np.minimum(centers.astype(int), length - 1)
    fraction = centers - low
    weights = np.zeros((new, length), np.float32)
    weights[np.arange(new), low] = 1 - fraction
    weights[np.arange(new), np.minimum(low + 1, length - 1)] += fraction
    return weights
