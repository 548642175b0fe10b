"""The types that all of vlseg shares: plain dataclasses over NumPy, no torch, no files."""

from vlseg_cli.schema.errors import (
    FencedError,
    InputError,
    NoInputError,
    NotFiniteError,
    OutputError,
    RecipeError,
    TableError,
    TooLargeError,
    UsageError,
    VlsegError,
    WeightsError,
)
from vlseg_cli.schema.inputs import Frame, FrameRange, Input, Item
from vlseg_cli.schema.prediction import PanopticMap, Prediction, Record, Segment, segment_from_mask
from vlseg_cli.schema.prompt import (
    Categories,
    Expression,
    Prompt,
    PromptRequest,
    Question,
    Region,
    Regions,
    Task,
)
from vlseg_cli.schema.rle import RLE, bounds_rle, checked_rle, decode_rle, encode_rle
from vlseg_cli.schema.sample import ClipQuery, ClipSample, Query, Sample

__all__ = [
    "RLE",
    "Categories",
    "ClipQuery",
    "ClipSample",
    "Expression",
    "FencedError",
    "Frame",
    "FrameRange",
    "Input",
    "InputError",
    "Item",
    "NoInputError",
    "NotFiniteError",
    "OutputError",
    "PanopticMap",
    "Prediction",
    "Prompt",
    "PromptRequest",
    "Query",
    "Question",
    "RecipeError",
    "Record",
    "Region",
    "Regions",
    "Sample",
    "Segment",
    "TableError",
    "Task",
    "TooLargeError",
    "UsageError",
    "VlsegError",
    "WeightsError",
    "bounds_rle",
    "checked_rle",
    "decode_rle",
    "encode_rle",
    "segment_from_mask",
]
