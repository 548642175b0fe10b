"""The words every floor of vlseg speaks: plain dataclasses over NumPy, no torch, no files."""

from vlseg_cli.schema.ask import Ask
from vlseg_cli.schema.errors import (
    InputError,
    NoInputError,
    OutputError,
    RecipeError,
    TableError,
    UsageError,
    VlsegError,
    WeightsError,
)
from vlseg_cli.schema.frame import Frame
from vlseg_cli.schema.prediction import PanopticMap, Prediction, Segment, segment_from_mask
from vlseg_cli.schema.prompt import Categories, Expression, Prompt, Question, Region, Regions
from vlseg_cli.schema.rle import RLE, decode_rle, encode_rle
from vlseg_cli.schema.sample import Query, Sample
from vlseg_cli.schema.task import Task

__all__ = [
    "RLE",
    "Ask",
    "Categories",
    "Expression",
    "Frame",
    "InputError",
    "NoInputError",
    "OutputError",
    "PanopticMap",
    "Prediction",
    "Prompt",
    "Query",
    "Question",
    "RecipeError",
    "Region",
    "Regions",
    "Sample",
    "Segment",
    "TableError",
    "Task",
    "UsageError",
    "VlsegError",
    "WeightsError",
    "decode_rle",
    "encode_rle",
    "segment_from_mask",
]
