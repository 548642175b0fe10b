"""Exports a PSALM miniature as three ONNX graphs beside its weights, for ``onnx_segmenter.py``.

One graph encodes an image and the prompt's beginning, one runs prompts from there, one embeds a
region. Weights stay where they are: initializers of a graph are ranges of ``model.safetensors``,
cast to float32 when it runs. torch's tracing exporter needs the package ``onnx`` alone.
"""

import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnxruntime
import torch
from torch import Tensor, nn

from vlseg_cli.models.checkpoint import open_model_folder
from vlseg_cli.models.mask2former.modeling import PrefixCache
from vlseg_cli.models.proposals.onnx_export import require_onnx
from vlseg_cli.models.psalm.config import PSALMConfig
from vlseg_cli.models.psalm.modeling import PSALM
from vlseg_cli.models.psalm.onnx_graphs import DIGEST, ENCODE, PROMPTS, REGION
from vlseg_cli.models.psalm.onnx_weights import link_weights
from vlseg_cli.models.psalm.prompts import psalm_prompts
from vlseg_cli.models.psalm.system import PSALMSystem
from vlseg_cli.nn.pixel_decoder import PixelFeatures
from vlseg_cli.nn.proposal_selection import ProposalSet
from vlseg_cli.outputs.atomic import write_atomically
from vlseg_cli.schema import UsageError
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.sequence import TokenSequence
from vlseg_cli.weights.digest import model_digest

_OPSET = 18  # the newest tested with torch's tracing exporter
# They would change stored weights, which could not stay in their file.
_NO_FUSION = ["ConvBNFusion", "ConvMulFusion", "ConvAddFusion", "ConstantSharing"]
_DYNAMIC = {
    "embeds": {0: "P", 1: "L"},
    "member": {0: "P", 1: "K", 2: "L"},
    "at": {0: "P", 1: "N"},
}


def export_psalm(directory: Path) -> None:
    """Write the graphs into a model folder of ours.

    Raises UsageError without the package ``onnx``, or for a model that generates text.
    """
    require_onnx()
    folder = open_model_folder(directory)
    config = PSALMConfig.from_dict(folder.sizes)
    if config.generates_text:
        raise UsageError(f"{directory} generates text, which exported graphs cannot: use torch")
    sequence = psalm_prompts(folder.tokenizer, config).sentence("a")  # all prompts begin as it does
    model = folder.fill(PSALM, config, "cpu", PSALMSystem.language).eval()
    _fix_reference_points(model)
    for layer in model.selector.layers if config.proposals_first else ():
        layer.to_text = _SeparateValues(layer.to_text)
    digest, side = model_digest(directory), config.image_size
    with torch.inference_mode():
        encode = _EncodeImage(model, sequence)
        pixels = torch.zeros(1, 3, side, side)
        outputs = encode(pixels)
        names = encode.names
        _write(directory / ENCODE, encode, {"pixels": pixels}, names, digest)
        image = dict(zip(names, outputs, strict=True))
        regions = image.pop("region_map")
        mask = torch.zeros(side, side, dtype=torch.bool)
        mask[side // 2 :] = True
        inputs = {"region_map": regions, "mask": mask}
        _write(directory / REGION, _EmbedRegion(model), inputs, ("embedding",), digest)
        run = _RunPrompts(model)
        embeds = torch.randn(2, 5, config.language_channels)
        inputs = {"embeds": embeds, "member": torch.full((2, 3, 5), 0.2)}
        if not config.proposals_first:
            inputs["at"] = torch.ones(2, 2, dtype=torch.long)
        image.pop("masks", None)
        _write(directory / PROMPTS, run, {**inputs, **image}, run.names, digest)


def _fix_reference_points(model: PSALM) -> None:
    """Compute the encoder's reference points beforehand: traced, they would be float64, for which
    ONNX Runtime has no GridSample."""
    encoder: Any = model.pixel_decoder.decoder.encoder
    sides = [model.config.image_size // stride for stride in (32, 16, 8)]
    whole = torch.ones(1, len(sides), 2)
    points = encoder.get_reference_points([(side, side) for side in sides], whole, "cpu")
    encoder.get_reference_points = lambda *_, **__: points


class _SeparateValues(nn.Module):
    """Attention whose keys and values are not one tensor: torch projects one tensor in a way that
    the exporter freezes to the traced length."""

    def __init__(self, attention: Any) -> None:
        super().__init__()
        self.attention = attention

    def forward(self, queries: Tensor, keys: Tensor, values: Tensor, **options: Any) -> Any:
        return self.attention(queries, keys, values + 0, **options)


class _EncodeImage(nn.Module):
    """Pixels (1, 3, S, S) to what the other graphs take; ``names`` of the outputs."""

    def __init__(self, model: PSALM, sequence: TokenSequence) -> None:
        super().__init__()
        self.model, self.sequence = model, sequence
        self.names = ("past", "region_map", *(_PROPOSALS if self._proposes else _FEATURES))

    @property
    def _proposes(self) -> bool:
        return self.model.config.proposals_first

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        model = self.model
        features = model.encode_image(pixels)
        parts = model.prefix_parts(features, self.sequence)
        embeds = torch.cat([part for part in parts if part.shape[1]], 1)  # no text: no part
        hidden, past = run_phi(model.language, embeds, None)
        regions = model.region_feature_map(features)
        if not self._proposes:
            return past, regions, features.pixels.mask_features, *features.pixels.memory
        wording = self.sequence.prefix, self.sequence.between
        features.prefixes[wording] = PrefixCache(embeds, hidden, None)
        proposals = model.propose(features, self.sequence)
        masks, z = proposals.decoded.pred_masks[-1], proposals.decoded.hidden[-1]
        return past, regions, masks, z, *proposals.described


_PROPOSALS = ("masks", "z", "tokens", "bias")
_FEATURES = ("mask_features", "memory_0", "memory_1", "memory_2")


class _RunPrompts(nn.Module):
    """P prompts about one image: embeds (P, L, D), member (P, K, L): the weight of each token in
    each condition's mean, at (P, N): positions of the mask tokens, if they are in the prompt."""

    def __init__(self, model: PSALM) -> None:
        super().__init__()
        self.model = model
        kinds = tuple(kind.value for kind in ConditionKind)
        self.names = kinds if model.config.proposals_first else (*kinds, "masks")

    def forward(self, embeds: Tensor, member: Tensor, *rest: Tensor) -> tuple[Tensor, ...]:
        if self.model.config.proposals_first:
            return self._choose(embeds, member, *rest)
        return self._decode(embeds, member, *rest)

    def _choose(
        self, embeds: Tensor, member: Tensor, past: Tensor, z: Tensor, *described: Tensor
    ) -> tuple[Tensor, ...]:
        model, kind = self.model, ConditionKind.CATEGORY
        hidden, _ = run_phi(model.language, embeds, past)
        conditions = model.condition_projectors[kind](member @ hidden)
        names = model.condition_heads[kind](z) @ conditions.transpose(1, 2)
        image = torch.zeros_like(embeds[:, 0, 0], dtype=torch.long)
        is_text = member[:, 0] > 0
        selected = model.selector(ProposalSet(*described), image, hidden, is_text).unsqueeze(-1)
        return names, selected, selected + 0

    def _decode(
        self,
        embeds: Tensor,
        member: Tensor,
        at: Tensor,
        past: Tensor,
        mask_features: Tensor,
        *memory: Tensor,
    ) -> tuple[Tensor, ...]:
        model, count = self.model, embeds.shape[0]
        hidden, _ = run_phi(model.language, embeds, past)
        index = at.unsqueeze(-1).expand(-1, -1, hidden.shape[-1])
        queries = model.seg_query_projector(hidden.gather(1, index))
        features = PixelFeatures(
            mask_features.expand(count, -1, -1, -1),
            tuple(level.expand(count, -1, -1, -1) for level in memory),
        )
        position = model.mask_decoder.query_embed.weight[: at.shape[1]].unsqueeze(1)
        levels, _ = model.mask_decoder.run_layers(queries.transpose(0, 1), position, features, None)
        z, masks = levels[-1]
        pooled = member @ hidden
        scores = [
            model.condition_heads[kind](z)
            @ model.condition_projectors[kind](pooled).transpose(1, 2)
            for kind in ConditionKind
        ]
        return *scores, masks


class _EmbedRegion(nn.Module):
    """A map (1, C, h, w) and a region (S, S) bool: the language model's input (1, D)."""

    def __init__(self, model: PSALM) -> None:
        super().__init__()
        self.model = model

    def forward(self, region_map: Tensor, mask: Tensor) -> Tensor:
        from vlseg_cli.nn.pooling import pool_regions

        return self.model.embed_regions(pool_regions(region_map, mask[None]))


class _Past:
    """The cache of a language model as one tensor (layers, 2, 1, heads, L, d)."""

    def __init__(self, past: Tensor | None) -> None:
        self.past = past
        self.layers: list[Tensor] = []

    def update(
        self, keys: Tensor, values: Tensor, layer: int, **_others: Any
    ) -> tuple[Tensor, Tensor]:
        """All keys and values so far."""
        self.layers.append(torch.stack([keys, values]))
        if self.past is None:
            return keys, values
        earlier = self.past[layer].expand(-1, keys.shape[0], -1, -1, -1)
        return torch.cat([earlier[0], keys], 2), torch.cat([earlier[1], values], 2)


def run_phi(language: Any, embeds: Tensor, past: Tensor | None) -> tuple[Tensor, Tensor]:
    """Phi's layers over embeds (P, L, D) after a past: hidden states and their own past.

    PhiModel's own ``forward`` builds its mask in a way that cannot be traced.
    """
    before = 0 if past is None else past.shape[4]
    index = torch.arange(before + embeds.shape[1])
    later = index.unsqueeze(0) > index[before:].unsqueeze(1)
    bias = torch.zeros_like(later, dtype=embeds.dtype)
    bias = bias.masked_fill(later, torch.finfo(embeds.dtype).min)[None, None]
    positions = language.rotary_emb(embeds, index[before:].unsqueeze(0))
    cache = _Past(past)
    for layer in language.layers:
        embeds = layer(embeds, attention_mask=bias, cache=cache, position_embeddings=positions)
    return language.final_layernorm(embeds), torch.stack(cache.layers)


def _write(
    file: Path,
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: tuple[str, ...],
    digest: str,
) -> None:
    """Trace a module, optimize it once and for all, link its weights to their file."""
    import onnx

    dynamic = {name: axes for name, axes in _DYNAMIC.items() if name in inputs}
    with tempfile.TemporaryDirectory() as scratch, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about traced sizes, which are constant here
        traced, optimized = Path(scratch) / "traced.onnx", Path(scratch) / "optimized.onnx"
        torch.onnx.export(
            module.eval(),
            tuple(inputs.values()),
            str(traced),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes=dynamic,
            opset_version=_OPSET,
            do_constant_folding=False,
            training=torch.onnx.TrainingMode.PRESERVE,  # else norms are folded into convolutions
            dynamo=False,
        )
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
        options.optimized_model_filepath = str(optimized)
        options.log_severity_level = 4
        onnxruntime.InferenceSession(
            str(traced), options, ["CPUExecutionProvider"], disabled_optimizers=_NO_FUSION
        )
        graph = onnx.load(optimized)
    link_weights(graph, file.parent)
    onnx.helper.set_model_props(graph, {DIGEST: digest})
    write_atomically(file, graph.SerializeToString())
