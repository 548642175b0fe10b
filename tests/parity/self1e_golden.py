"""A golden file of SELF1E: weights, conversations and the vocabulary of its tokenizer."""

import re
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from parity.golden import Golden
from tokenizers import AddedToken, Regex, models, pre_tokenizers
from tokenizers import Tokenizer as RustTokenizer
from torch import Tensor

from vlseg_cli.models.self1e.config import SELF1EConfig
from vlseg_cli.models.self1e.conversion import SELF1E_RULES, self1e_sizes
from vlseg_cli.models.self1e.modeling import (
    SELF1E,
    SELF1EFeatures,
    SELF1ELanguageOutput,
    SELF1EMaskOutput,
    SELF1EQueries,
)
from vlseg_cli.models.self1e.prompts import Conversation
from vlseg_cli.text.tokenizer import SEG, Tokenizer


class SELF1EGoldenRun(NamedTuple):
    """Steps 2 to 4 for every row, and the outputs of the language model's layers."""

    language_output: SELF1ELanguageOutput
    queries: SELF1EQueries
    mask_output: SELF1EMaskOutput
    layers: tuple[Tensor, ...]


class SELF1EGolden:
    """A golden file, its model and the outputs of its rows."""

    def __init__(self, golden: Golden) -> None:
        self.golden, self.model = golden, golden_model(golden)

    @cached_property
    def conversations(self) -> list[Conversation]:
        """Of every row."""
        rows = zip(self.golden["in/input_ids"], self.golden["in/labels"], strict=True)
        return [conversation_of(self.golden, ids, labels) for ids, labels in rows]

    @cached_property
    def features(self) -> SELF1EFeatures:
        """Step 1, an image for each row."""
        with torch.no_grad():
            return self.model.encode_image(self.golden["in/pixel_values"])

    @cached_property
    def ran(self) -> SELF1EGoldenRun:
        """Row p is about image p."""
        image_index = torch.arange(len(self.conversations))
        layers: list[Tensor] = []
        hooks = [
            layer.register_forward_hook(lambda _, __, out: layers.append(out))
            for layer in self.model.internvl.model.language_model.layers
        ]
        with torch.no_grad():
            language_output = self.model.run_language_model(
                self.features, self.conversations, image_index
            )
            queries = self.model.build_queries(self.features, language_output)
            mask_output = self.model.decode_masks(self.features, image_index, queries)
        for hook in hooks:
            hook.remove()
        return SELF1EGoldenRun(language_output, queries, mask_output, tuple(layers))

    @property
    def masked(self) -> list[int]:
        """Numbers of the rows with a mask."""
        return [row for row, kind in enumerate(self.golden.metadata["rows"]) if kind == "seg"]


def golden_model(golden: Golden) -> SELF1E:
    """The authors' weights in our modules. Raises WeightsError unless all of them fit."""
    shapes = {name: tuple(tensor.shape) for name, tensor in golden.weights().items()}
    sizes = self1e_sizes(shapes, golden.config) | {"padding": golden.metadata["token_ids"]["pad"]}
    model = SELF1E(SELF1EConfig.from_dict(sizes)).eval()
    golden.fill(model, SELF1E_RULES)
    return model


def conversation_of(golden: Golden, ids: Tensor, labels: Tensor | None = None) -> Conversation:
    """A row of the file, (L,); its padding is cut off, to be padded again."""
    tokens, flat = golden.metadata["token_ids"], ids.numpy()
    flat = flat[: len(np.trim_zeros(flat != tokens["pad"], "b"))]
    spoken = np.zeros(len(flat), bool) if labels is None else labels.numpy()[: len(flat)] != -100
    return Conversation(flat, flat == tokens["<IMG_CONTEXT>"], flat == tokens["[SEG]"], spoken)


def golden_tokenizer(golden: Golden) -> Tokenizer:
    """The file's vocabulary; blanks precede words as in Qwen's pieces."""
    vocabulary = dict(golden.metadata["vocab"])
    special = {k: v for k, v in golden.metadata["token_ids"].items() if k != "pad"}
    beyond = {f"<{n}>": n for n in range(max(special.values())) if n not in vocabulary.values()}
    table = {k: v for k, v in beyond.items() if v not in special.values()} | vocabulary | special
    rust = RustTokenizer(models.WordLevel(table, unk_token="!"))
    longest_first = sorted(vocabulary, key=len, reverse=True)
    rust.pre_tokenizer = pre_tokenizers.Split(
        Regex("|".join(re.escape(piece) for piece in longest_first)), "isolated"
    )
    rust.add_special_tokens([AddedToken(m, special=True) for m in special if m != SEG])
    rust.add_tokens([AddedToken(SEG, special=False, normalized=False)])
    return Tokenizer(rust)
