"""A model's sizes, read from its tensors and its config.json, never assumed.

Each size is read from several tensors by majority, so that the shape check names a wrong tensor
instead of one wrong tensor deciding the size of all others.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.conversion.coverage import Shapes

# What a size is read from: names, axis, and how the size follows from the length of the axis.
SizeSource = tuple[str, int, Callable[[int], int]]
SizeSources = Mapping[str, tuple[SizeSource, ...]]

_LARGEST = 1 << 20
_LEVELS, _POINTS = 3, 4  # of the pixel decoder's attention; a point has two coordinates


def _window(rows: int) -> int:
    """Side of the window that a table of (2w-1)² relative positions belongs to."""
    return (math.isqrt(rows) + 1) // 2


# Of the parts that PSALM and HyperSeg have in common.
PHI: SizeSources = {
    "language_channels": ((r"model\.(layers\.\d+\.input_layernorm|final_layernorm)\.\w+", 0, int),),
    "language_feedforward": (
        (r"model\.layers\.\d+\.mlp\.fc1\.\w+", 0, int),
        (r"model\.layers\.\d+\.mlp\.fc2\.weight", 1, int),
    ),
    "vocabulary": ((r"model\.embed_tokens\.weight", 0, int),),
}
MASK2FORMER: SizeSources = {
    "swin_window": ((r".*\.relative_position_bias_table", 0, _window),),
    "pixel_channels": (
        (r"pixel_decoder\.transformer\.encoder\.layers\.\d+\.norm[12]\.\w+", 0, int),
        (r"predictor\.decoder_norm\.\w+", 0, int),
        (r"predictor\.transformer_\w+_layers\.\d+\.norm\.\w+", 0, int),
    ),
    "mask_channels": (
        (r"pixel_decoder\.mask_features\.\w+", 0, int),
        (r"predictor\.mask_embed\.layers\.2\.\w+", 0, int),
    ),
    "pixel_heads": (
        (r".*\.sampling_offsets\.\w+", 0, lambda n: n // (_LEVELS * _POINTS * 2)),
        (r".*\.attention_weights\.\w+", 0, lambda n: n // (_LEVELS * _POINTS)),
    ),
    "pixel_feedforward": (
        (r"pixel_decoder\.transformer\.encoder\.layers\.\d+\.linear1\.\w+", 0, int),
        (r"pixel_decoder\.transformer\.encoder\.layers\.\d+\.linear2\.weight", 1, int),
    ),
    "queries": (
        (r"seg_query", 0, int),
        (r"predictor\.query_(embed|feat)\.weight", 0, int),
    ),
    "decoder_feedforward": (
        (r"predictor\.transformer_ffn_layers\.\d+\.linear1\.\w+", 0, int),
        (r"predictor\.transformer_ffn_layers\.\d+\.linear2\.weight", 1, int),
    ),
}
LAYERS: Mapping[str, str] = {
    "pixel_layers": r"pixel_decoder\.transformer\.encoder\.layers\.(\d+)\..*",
    "language_layers": r"model\.layers\.(\d+)\..*",
    "decoder_layers": r"predictor\.transformer_ffn_layers\.(\d+)\..*",
}
# What no tensor has, and its key in config.json.
PHI_STATED: Mapping[str, str] = {
    "language_heads": "num_attention_heads",
    "positions": "max_position_embeddings",
    "rotary_factor": "partial_rotary_factor",
}


class SizeReader:
    """Reads sizes from the shapes of one checkpoint; ``system`` is for messages."""

    def __init__(self, system: str, shapes: Shapes) -> None:
        self.system, self.shapes = system, shapes

    def sizes(self, sources: SizeSources) -> dict[str, Any]:
        """Each size by majority. Raises WeightsError if no tensor has one."""
        return {size: self._size(size, every) for size, every in sources.items()}

    def counted(self, layers: Mapping[str, str]) -> dict[str, Any]:
        """How many layers match each pattern."""
        return {size: self.count(pattern) for size, pattern in layers.items()}

    def swin(self, tower: str) -> dict[str, Any]:
        """Width, depths and heads of the Swin whose names begin with the pattern ``tower``."""
        sources = (
            (rf"{tower}\.patch_embed\.(proj|norm)\.(weight|bias)", 0, int),
            (rf"{tower}\.(norm0|layers\.0\.blocks\.\d+\.norm[12])\.\w+", 0, int),
        )
        return {
            "swin_embed": self._size("swin_embed", sources),
            "swin_depths": [
                self.count(rf"{tower}\.layers\.{stage}\.blocks\.(\d+)\..*") for stage in range(4)
            ],
            "swin_heads": [self._heads(tower, stage) for stage in range(4)],
        }

    def count(self, pattern: str) -> int:
        """How many layers there are; one may lack all its tensors, but most are there."""
        found = {int(match[1]) for name in self.shapes if (match := re.fullmatch(pattern, name))}
        return max((layer for layer in found if layer < 2 * len(found)), default=-1) + 1

    def _size(self, size: str, sources: tuple[SizeSource, ...]) -> int:
        votes = Counter(
            follows(shape[axis])
            for pattern, axis, follows in sources
            for name, shape in self.shapes.items()
            if re.fullmatch(pattern, name) and len(shape) > axis
        )
        return self._majority(votes, size, sources[0][0])

    def _heads(self, tower: str, stage: int) -> int:
        name = rf"{tower}\.layers\.{stage}\..*\.relative_position_bias_table"
        votes = Counter(
            s[1] for n, s in self.shapes.items() if re.fullmatch(name, n) and len(s) == 2
        )
        return self._majority(votes, f"heads of Swin's stage {stage}", name)

    def _majority(self, votes: Counter[int], size: str, source: str) -> int:
        if not votes:
            raise WeightsError(
                f"no {self.system} checkpoint: it lacks {shown(source)}, which {size} is read from"
            )
        return votes.most_common(1)[0][0]


def shown(pattern: str) -> str:
    """A pattern of names for people to read: a name itself, where it is the pattern of one."""
    return re.sub(r"\\([.])", r"\1", pattern).replace(r"\d+", "N")


def stated(config: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    """The sizes that a config.json states; keys: of our sizes, what it calls them.

    Raises WeightsError for a number out of range.
    """
    return {ours: _number(config, key) for ours, key in keys.items() if key in config}


def _number(config: Mapping[str, Any], key: str) -> float:
    value = config[key]
    if not (type(value) in (int, float) and 0 < value < _LARGEST):
        raise WeightsError(f"config.json states {key} = {str(value)[:40]!r}, which is out of range")
    number: float = value
    return number
