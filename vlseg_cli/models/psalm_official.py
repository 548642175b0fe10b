"""A PSALM as its authors publish it: state dict, config.json and tokenizer, in their own names."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from vlseg_cli.models.psalm import PSALM
from vlseg_cli.models.psalm_config import PSALMConfig
from vlseg_cli.prompts.tokenizer import Tokenizer
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.convert.coverage import Coverage, cover
from vlseg_cli.weights.convert.psalm import psalm_rules
from vlseg_cli.weights.convert.psalm_sizes import psalm_sizes
from vlseg_cli.weights.convert.rules import Rule, convert
from vlseg_cli.weights.convert.tokenizer import official_tokenizer
from vlseg_cli.weights.folder import CONFIG
from vlseg_cli.weights.read.checkpoint import read_checkpoint

MODEL_TYPE = "llava_phi"


@dataclass(frozen=True, slots=True, eq=False)
class OfficialPSALM:
    """sizes: a PSALM configuration as plain values. sources: our name to the official one."""

    sizes: Mapping[str, Any]
    tokenizer: Tokenizer
    coverage: Coverage
    official: Mapping[str, Tensor]
    rules: tuple[Rule, ...]
    sources: Mapping[str, str]

    def read(self, names: Iterable[str]) -> Iterator[tuple[str, Tensor]]:
        """Our tensors by name, as the authors stored them; views wherever nothing was split."""
        for ours in names:
            official = self.sources[ours]
            yield ours, convert(self.rules, official, self.official[official])[ours]


def open_official_psalm(directory: Path) -> OfficialPSALM:
    """Look through an official folder and find out whether it is complete; numbers are not read.

    Sizes that no file of theirs tells, such as decoder_heads, are the published ones unless
    config.json has them in a table "vlseg". Raises WeightsError for a folder that is damaged or
    no PSALM's.
    """
    official = read_checkpoint(directory)
    shapes = {name: tuple(tensor.shape) for name, tensor in official.items()}
    told = read_config(directory)
    sizes = psalm_sizes(shapes, told) | told.get("vlseg", {})
    config, own = _sized(sizes, directory)
    tokenizer = Tokenizer(official_tokenizer(directory))
    check_vocabulary(tokenizer, config.vocabulary, directory)
    rules = psalm_rules(config.language_heads, config.vocabulary)
    coverage = cover(rules, official, own)
    sources = {ours: name for name, all_ours in coverage.used.items() for ours in all_ours}
    return OfficialPSALM(sizes, tokenizer, coverage, official, rules, sources)


def _sized(
    sizes: Mapping[str, Any], directory: Path
) -> tuple[PSALMConfig, dict[str, tuple[int, ...]]]:
    """The configuration, and every shape of ours that follows from it."""
    try:
        config = PSALMConfig.from_dict(sizes)
        return config, own_shapes(config)
    except (TypeError, ValueError, ArithmeticError, RuntimeError, AssertionError) as error:
        raise WeightsError(f"no PSALM can have all the sizes that {directory} states") from error


def own_shapes(config: PSALMConfig) -> dict[str, tuple[int, ...]]:
    """Every tensor of ours at these sizes; no memory is taken."""
    with torch.device("meta"):
        model = PSALM(config)
    return {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}


def check_vocabulary(tokenizer: Tokenizer, rows: int, where: Path) -> None:
    """Raise WeightsError if the tokenizer has tokens that the model has no row for."""
    if len(tokenizer) > rows:
        raise WeightsError(
            f"{where} has a tokenizer of {len(tokenizer)} tokens, the model only {rows}: they are "
            "not of one model"
        )


def read_config(directory: Path) -> dict[str, Any]:
    """The official config.json. Raises WeightsError if it is missing or another model's."""
    file = directory / CONFIG
    try:
        config = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise WeightsError(f"{file} is missing or damaged; fetch it again") from error
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind != MODEL_TYPE:
        raise WeightsError(f"{file} says model_type {kind!r}; PSALM's is {MODEL_TYPE!r}")
    if not isinstance(config.get("vlseg", {}), dict):
        raise WeightsError(f'{file} has a "vlseg" that is no table of sizes')
    told: dict[str, Any] = config
    return told
