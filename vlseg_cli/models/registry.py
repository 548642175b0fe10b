"""From a name to a model: the one place that knows which systems there are."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from vlseg_cli.models.psalm_config import PSALMConfig
from vlseg_cli.models.psalm_segmenter import PSALMSegmenter
from vlseg_cli.models.psalm_trainable import PSALMLosses, TrainablePSALM
from vlseg_cli.models.segmenter import Segmenter
from vlseg_cli.prompts.psalm import BACKGROUND
from vlseg_cli.prompts.tokenizer import Tokenizer, word_tokenizer
from vlseg_cli.schema import RecipeError, UsageError, WeightsError
from vlseg_cli.weights.folder import EMBEDDED, load_settings
from vlseg_cli.worlds.categories import NAMES, STUFF
from vlseg_cli.worlds.vocabulary import words

ARCHITECTURES = ("psalm",)


def load_model(name: str | None = None, device: str | None = None) -> Segmenter:
    """A trained model, ready to use.

    name: a model folder, or None or 'embedded' for the one that comes with vlseg. device: as torch
    names it, None for a GPU if there is one. Raises WeightsError or UsageError in one sentence.
    """
    directory = EMBEDDED if name in (None, "embedded") else Path(str(name)).expanduser()
    if not directory.is_dir():
        raise WeightsError(
            f"there is no model folder {name!r}; give the folder that vlseg train wrote, or leave "
            "--model out for the embedded default"
        )
    architecture = load_settings(directory)["architecture"]
    if architecture not in ARCHITECTURES:
        raise WeightsError(
            f"{directory} holds a {architecture!r}; this version reads {', '.join(ARCHITECTURES)}"
        )
    label = "embedded" if directory == EMBEDDED else str(name)
    return PSALMSegmenter.load(directory, label, _device(device))


def _device(wanted: str | None) -> str:
    if wanted is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=wanted)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise UsageError(f"--device {wanted}: {reason}; try cpu or cuda") from error
    return wanted


def build_model(
    architecture: str, config: Mapping[str, Any], losses: Mapping[str, Any] | None = None
) -> TrainablePSALM:
    """A model with random weights that reads the drawn world's words."""
    if architecture not in ARCHITECTURES:
        raise RecipeError(
            f"unknown architecture {architecture!r} in [model]; there is {', '.join(ARCHITECTURES)}"
        )
    tokenizer = world_tokenizer()
    sized = PSALMConfig.from_dict({**config, "vocabulary": len(tokenizer)})
    return TrainablePSALM(sized, tokenizer, NAMES, STUFF, PSALMLosses.from_dict(losses or {}))


def world_tokenizer() -> Tokenizer:
    """Every word of the drawn world and of the miniature's instructions."""
    instructions = {"segment", "find", "point", *BACKGROUND.split()}
    return word_tokenizer(sorted({*words(), *instructions}))
