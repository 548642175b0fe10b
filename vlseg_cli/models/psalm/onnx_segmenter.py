"""The embedded PSALM in ONNX Runtime, so that a first answer needs neither torch nor seconds.

Same tokens, rows and post-processing as ``segmenter.py``; what the graphs of ``onnx_export.py``
leave out is here in NumPy: rows of the embedding table, padding, the weights of conditions.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import safe_open

from vlseg_cli.models.mask2former.image_processing import fit_frames
from vlseg_cli.models.mask2former.segmenter import EncodedFrames, PromptedSegmenter, Row
from vlseg_cli.models.psalm.config import PSALMConfig
from vlseg_cli.models.psalm.onnx_graphs import open_graphs
from vlseg_cli.models.psalm.prompts import PSALMPrompts, psalm_prompts
from vlseg_cli.schema import Frame
from vlseg_cli.text.placeholders import ConditionKind, Placeholder
from vlseg_cli.text.sequence import TokenSequence, pad_rows
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.weights.settings import TOKENIZER, WEIGHTS, load_settings

Floats = NDArray[np.float32]
ImageArrays = dict[str, Floats]  # outputs of the first graph for one image, by name


class OnnxPSALMSegmenter(PromptedSegmenter):
    """See ``Segmenter``; for images, on the CPU. It generates no text."""

    prompts: PSALMPrompts

    def __init__(self, name: str, directory: Path) -> None:
        """Open a model folder with graphs.

        Raises WeightsError if its files are missing or damaged, or its graphs are of other weights.
        """
        settings = load_settings(directory)
        config, known = PSALMConfig.from_dict(settings["config"]), settings["categories"]
        tokenizer = Tokenizer.load(directory / TOKENIZER)
        super().__init__(name, config, tokenizer, known["names"], known["stuff"])
        self._graphs = open_graphs(directory)
        with safe_open(directory / WEIGHTS, "np") as weights:
            table = weights.get_tensor("language.embed_tokens.weight")
            self._table, self._mask_tokens = (
                each.astype(np.float32) for each in (table, weights.get_tensor("seg_query"))
            )

    def build_prompts(self) -> PSALMPrompts:
        """See ``PromptedSegmenter``."""
        return psalm_prompts(self.tokenizer, self.config)

    def encode(self, frames: Sequence[Frame]) -> EncodedFrames:
        """See ``PromptedSegmenter``."""
        start, graph = time.perf_counter(), self._graphs.encode_image
        pixels, geometries = fit_frames(frames, self.config.image_size)
        names = [output.name for output in graph.get_outputs()]
        features: list[ImageArrays] = [
            dict(zip(names, graph.run(names, {"pixels": image[None]}), strict=True))
            for image in pixels
        ]
        return EncodedFrames(tuple(frames), geometries, features, time.perf_counter() - start)

    def answer(self, encoded: EncodedFrames, frame: int, question: TokenSequence) -> str:
        """See ``PromptedSegmenter``."""
        raise NotImplementedError("an exported model generates no text")

    def run(
        self, encoded: EncodedFrames, rows: Sequence[Row], kind: ConditionKind
    ) -> tuple[list[Floats], list[Floats]]:
        """See ``PromptedSegmenter``: the prompts about one image share a pass."""
        scores: dict[int, Floats] = {}
        masks: dict[int, Floats] = {}
        for frame in dict.fromkeys(row.request.frame for row in rows):
            own = [index for index, row in enumerate(rows) if row.request.frame == frame]
            found = self._run_image(encoded.features[frame], [rows[index] for index in own], kind)
            for index, score, mask in zip(own, *found, strict=True):
                scores[index], masks[index] = score, mask
        order = range(len(rows))
        return [scores[index] for index in order], [masks[index] for index in order]

    def _run_image(
        self, image: ImageArrays, rows: Sequence[Row], kind: ConditionKind
    ) -> tuple[Floats, Floats]:
        """Scores (P, N, K) and mask logits (P, N, h, w) of prompts about one image."""
        graph = self._graphs.run_prompts
        sequences = [row.sequence for row in rows]
        ids = pad_rows([one.ids for one in sequences], 0)
        condition = pad_rows([one.condition for one in sequences], -1)
        inputs: dict[str, NDArray[np.generic]] = {
            "embeds": self._embed(ids, rows, image["region_map"]),
            "member": _membership(condition),
            **image,
        }
        if (is_mask_token := ids == Placeholder.QUERIES).any():
            inputs["at"] = np.nonzero(is_mask_token)[1].reshape(len(rows), -1)
        names = [output.name for output in graph.get_outputs()]
        taken = {one.name: inputs[one.name] for one in graph.get_inputs()}
        found = dict(zip(names, graph.run(names, taken), strict=True))
        masks = found.get("masks")
        if masks is None:  # they depend on the image alone
            masks = np.broadcast_to(image["masks"], (len(rows), *image["masks"].shape[1:]))
        return found[kind.value], masks

    def _embed(self, ids: NDArray[np.int64], rows: Sequence[Row], region_map: Floats) -> Floats:
        """Inputs of the language model (P, L, D)."""
        embeds: Floats = self._table[ids.clip(0)]
        pool = self._graphs.embed_region.run
        for row, own, prompt in zip(embeds, ids, rows, strict=True):
            is_mask_token = own == Placeholder.QUERIES
            row[is_mask_token] = self._mask_tokens[: is_mask_token.sum()]
            if prompt.regions is not None:
                row[own == Placeholder.REGION] = [
                    pool(None, {"region_map": region_map, "mask": mask})[0][0]
                    for mask in prompt.regions
                ]
        return embeds


def _membership(condition: NDArray[np.int64]) -> Floats:
    """condition (P, L): -1 for none -> the weight of each token in each mean (P, K, L)."""
    index = np.arange(condition.max() + 1)[:, None]
    member: Floats = (condition[:, None] == index).astype(np.float32)
    member /= np.maximum(member.sum(-1, keepdims=True), 1)
    return member
