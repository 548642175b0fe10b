"""A recipe: a whole experiment in one TOML file.

Each class is one table of the file; its fields are the keys, with defaults and ranges.
"""

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from annotated_types import Interval

from vlseg_cli.schema import RecipeError, TableError
from vlseg_cli.schema.errors import nearest_or_all
from vlseg_cli.schema.files import read_toml, reason_of
from vlseg_cli.schema.tables import (
    Count,
    Formerly,
    FormerValues,
    Fraction,
    Natural,
    NonNegative,
    Positive,
    read_table,
    rename_former,
)
from vlseg_cli.synthetic.hands import DEFAULT_HAND, HANDS
from vlseg_cli.synthetic.referring import KIND_WEIGHTS
from vlseg_cli.synthetic.samples import SampleMix
from vlseg_cli.training.overrides import apply_overrides

# AdamW moves every weight by about lr in a step, so above 1 nothing is left of them.
LearningRate = Annotated[float, Interval(ge=1e-12, le=1)]
SYNTHETIC = "synthetic"  # the source of drawn scenes
HELD_OUT = 900_000  # this seed of a synthetic scene and all above it are for tests


@dataclass(frozen=True, slots=True)
class ModelTable:
    """[model]: the architecture, and the keys of its config.

    weights: that the model is initialized from: a model folder, 'embedded', or a name of
    weights.toml, also of a base, of which the matching parts are loaded; random weights if empty.
    """

    architecture: str
    weights: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DataTable:
    """[data]: the synthetic scenes, and how many worker processes per rank render them.

    root: folder of the data sets in their published form (``--data``). hand: who draws the scenes,
    see ``synthetic.hands``. first_seed: of the first scene. scenes:
    how many different ones there are, as for models whose proposals are cached; 0 for no
    repetition. With 0 workers the training process renders its own scenes, which is best on few
    cores.
    """

    hand: str = DEFAULT_HAND
    root: str = ""
    first_seed: Natural = 0
    scenes: Natural = 0
    workers: Natural = 0

    def __post_init__(self) -> None:
        """Refuse unknown hands, and seeds on which models are tested."""
        if self.hand not in HANDS:
            raise ValueError(f"unknown hand {self.hand!r}{nearest_or_all(self.hand, HANDS)}")
        if self.first_seed >= HELD_OUT:
            raise ValueError(
                f"first_seed = {self.first_seed} is a scene held out for tests, as all from"
                f" {HELD_OUT} up; start below"
            )


@dataclass(frozen=True, slots=True)
class SourceTable:
    """[[stage.source]]: a data set by its name in ``datasets.registry``, or 'synthetic'.

    weight: share of the samples that are drawn from it, relative to the other sources.
    """

    dataset: str
    split: str = "train"
    weight: Positive = 1.0


@dataclass(frozen=True, slots=True)
class StageTable:
    """[[stage]]: steps with one kind of data and one set of trained parameter groups.

    data: 'text' is sentences without images, 'facts' sentences about objects whose categories,
    colors and boxes are given, without images, 'dense' synthetic scenes without sentences (only the
    category of each pixel), 'synthetic' scenes with all prompts of ``mixture``, 'clips'
    ``clip_frames`` frames of synthetic clips, which count as one sample.
    steps or minutes: the budget, exactly one of the two; only steps are reproducible bit by bit.
    batch_size: samples per optimizer step over all processes, whatever their number.
    accumulate: number of passes into which each process splits its part of the batch.
    size: side of a scene in px. lr: the peak, reached after ``warmup`` steps.
    extend_schedule: no warm-up and cosine of its own; the cosine of the stage before spans both.
    train: names of the parameter groups that are trained; () means all of them.
    source: the data sets that samples are drawn from; () means synthetic scenes alone.
    """

    name: str
    lr: LearningRate
    batch_size: Count
    data: Annotated[
        Literal["text", "facts", "dense", "synthetic", "clips"],
        FormerValues({"words": "text", "pictures": "dense", "world": "synthetic"}),
    ] = "synthetic"
    steps: Count | None = None
    minutes: Positive | None = None
    accumulate: Count = 1
    size: Count = 192
    clip_frames: Annotated[Count, Formerly("moments")] = 3
    warmup: Natural = 0
    extend_schedule: Annotated[bool, Formerly("continues")] = False
    train: Annotated[tuple[str, ...], FormerValues({"words": "vocabulary"})] = ()
    mixture: SampleMix = field(default_factory=SampleMix)
    source: tuple[SourceTable, ...] = ()

    def __post_init__(self) -> None:
        """Check the budget and the mixture."""
        if (self.steps is None) == (self.minutes is None):
            raise ValueError("a stage needs either steps or minutes, exactly one of them")
        if self.source and self.data != SYNTHETIC:
            raise ValueError(f"data = {self.data!r} has no sources; take one of both away")
        if self.mixture.heldout:
            raise ValueError(
                "mixture.heldout asks for the wordings held out of training; take it away"
            )
        if not 0 <= self.mixture.no_target <= 1:
            raise ValueError(f"no_target must be from 0 to 1, not {self.mixture.no_target}")
        for kind in self.mixture.kinds:
            if kind not in KIND_WEIGHTS:
                raise ValueError(
                    f"mixture.kinds: unknown kind {kind!r}{nearest_or_all(kind, KIND_WEIGHTS)}"
                )


@dataclass(frozen=True, slots=True)
class OptimizerTable:
    """[optimizer]: AdamW. clip: maximum norm of all gradients together.

    final_lr: fraction of a stage's lr at the end of its cosine.
    """

    betas: tuple[Fraction, Fraction] = (0.9, 0.98)
    eps: Positive = 1e-8
    weight_decay: NonNegative = 0.05
    clip: Positive = 1.0
    final_lr: Fraction = 0.0


@dataclass(frozen=True, slots=True)
class LoraTable:
    """[lora]: LoRA adapters, the parameter group 'lora'; the layers that have one are frozen.

    targets: suffixes of the names of those layers.
    """

    rank: Count = 8
    alpha: Positive = 16.0
    dropout: Fraction = 0.05
    targets: tuple[str, ...] = ("q_proj", "v_proj")


@dataclass(frozen=True, slots=True)
class PrecisionTable:
    """[precision]: the dtype of autocast; weights, gradients and optimizer stay fp32."""

    dtype: Literal["fp32", "bf16"] = "fp32"


@dataclass(frozen=True, slots=True)
class EmaTable:
    """[ema]: the exponential moving average of the weights, which is what gets exported."""

    decay: Fraction = 0.999


@dataclass(frozen=True, slots=True)
class CheckpointTable:
    """[checkpoint]: minutes between two checkpoints, and how many of the last to keep."""

    minutes: Positive = 5.0
    keep: Count = 2


@dataclass(frozen=True, slots=True)
class LogTable:
    """[log]: steps between two lines on stderr, CSV rows and TensorBoard points."""

    every: Count = 20


@dataclass(frozen=True, slots=True)
class Recipe:
    """The file. losses: weights and assignment options, defined by the architecture."""

    model: ModelTable
    stage: tuple[StageTable, ...]
    seed: Natural = 0
    data: DataTable = field(default_factory=DataTable)
    losses: Mapping[str, Any] = field(default_factory=dict)
    lora: LoraTable | None = None
    optimizer: Annotated[OptimizerTable, Formerly("optimiser")] = field(
        default_factory=OptimizerTable
    )
    precision: PrecisionTable = field(default_factory=PrecisionTable)
    ema: EmaTable = field(default_factory=EmaTable)
    checkpoint: CheckpointTable = field(default_factory=CheckpointTable)
    log: LogTable = field(default_factory=LogTable)

    def __post_init__(self) -> None:
        """Check the stages against each other."""
        if not self.stage:
            raise ValueError("a recipe needs at least one [[stage]]")
        if self.stage[0].extend_schedule:
            raise ValueError("stage 0 has no stage before it whose schedule it could extend")
        for before, stage in pairwise(self.stage):
            if stage.extend_schedule and (before.steps is None) != (stage.steps is None):
                raise ValueError(
                    f"stage {stage.name!r} extends the schedule of {before.name!r}, so both need"
                    " steps or both minutes"
                )


_LARGEST = 1 << 20  # bytes


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Read a recipe and apply ``--set`` overrides such as 'stage.0.steps=100'.

    Raises RecipeError with file, table, key and the nearest right key.
    """
    try:
        table = read_toml(path, _LARGEST)
    except (OSError, UnicodeDecodeError) as error:
        raise RecipeError(f"{path}: the recipe cannot be read ({reason_of(error)})") from error
    except ValueError as error:
        raise RecipeError(f"{path}: not valid TOML: {reason_of(error)}") from error
    where = str(path)
    try:
        # Renamed first, so that an override may use a key's present name.
        table = rename_former(Recipe, table, where)
        return read_table(Recipe, apply_overrides(table, overrides), where)
    except TableError as error:
        raise RecipeError(str(error)) from error


def recipe_table(recipe: Recipe) -> dict[str, Any]:
    """The resolved recipe as plain tables with every default, without None."""
    table: dict[str, Any] = _plain(dataclasses.asdict(recipe))
    return table


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(entry) for key, entry in value.items() if entry is not None}
    return [_plain(entry) for entry in value] if isinstance(value, list | tuple) else value


def recipe_text(recipe: Recipe) -> str:
    """TOML that loads to the same recipe, with every default."""
    return "\n".join(_lines(recipe_table(recipe), "")).strip() + "\n"


def _lines(table: Mapping[str, Any], path: str) -> list[str]:
    """Values first, then nested tables, as TOML requires."""
    values = {key: value for key, value in table.items() if not _is_nested(value)}
    lines = [f"{_key(key)} = {_value(value)}" for key, value in values.items()]
    for key, value in table.items():
        name = f"{path}.{_key(key)}" if path else _key(key)
        if isinstance(value, Mapping):
            lines += ["", f"[{name}]", *_lines(value, name)]
        elif key not in values:
            for entry in value:
                lines += ["", f"[[{name}]]", *_lines(entry, name)]
    return lines


def _is_nested(value: Any) -> bool:
    is_tables = isinstance(value, list) and value and isinstance(value[0], Mapping)
    return isinstance(value, Mapping) or bool(is_tables)


def _key(key: str) -> str:
    return key if key.replace("_", "").replace("-", "").isalnum() else json.dumps(key)


def _value(value: Any) -> str:
    """JSON's strings, numbers, booleans and lists are valid TOML."""
    return json.dumps(value, ensure_ascii=False)
