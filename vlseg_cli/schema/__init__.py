"""The words every floor of vlseg speaks: plain dataclasses over NumPy, no torch, no files."""

from vlseg_cli.schema.ask import Ask
from vlseg_cli.schema.clip import Clip
from vlseg_cli.schema.clip_sample import ClipQuery, ClipSample
from vlseg_cli.schema.errors import (
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
from vlseg_cli.schema.frame import Frame
from vlseg_cli.schema.item import Input, Item
from vlseg_cli.schema.prediction import PanopticMap, Prediction, Segment, segment_from_mask
from vlseg_cli.schema.prompt import Categories, Expression, Prompt, Question, Region, Regions
from vlseg_cli.schema.record import Record
from vlseg_cli.schema.rle import RLE, bounds_rle, decode_rle, encode_rle
from vlseg_cli.schema.sample import Query, Sample
from vlseg_cli.schema.task import Task

__all__ = [
    "RLE",
    "Ask",
    "Categories",
    "Clip",
    "ClipQuery",
    "ClipSample",
    "Expression",
    "Frame",
    "Input",
    "InputError",
    "Item",
    "NoInputError",
    "NotFiniteError",
    "OutputError",
    "PanopticMap",
    "Prediction",
    "Prompt",
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
    "decode_rle",
    "encode_rle",
    "segment_from_mask",
]
