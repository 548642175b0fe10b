"""Every stage of PSALM against the authors' own code, at whatever sizes the golden file has."""

from collections.abc import Callable
from functools import cached_property, partial
from typing import Any

import torch
from parity.golden import Golden
from torch import Tensor
from torch.nn import functional as F

from vlseg_cli.models.mask2former.criterion import category_losses
from vlseg_cli.models.mask2former.modeling import ImageFeatures, LanguageOutput, MaskOutput, Queries
from vlseg_cli.models.psalm.config import PSALMConfig
from vlseg_cli.models.psalm.conversion import psalm_rules
from vlseg_cli.models.psalm.modeling import PSALM
from vlseg_cli.nn.losses import PointSampling
from vlseg_cli.nn.postprocessing import (
    ImageGeometry,
    merge_panoptic,
    referring_scores,
    resize_to_original,
    semantic_scores,
    top_instances,
)
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.sequence import TokenSequence, assemble

_SCORES = {"category": "class_logits", "sentence": "seg_logits", "region": "region_logits"}
_LOSSES = {"category": ("class_name_class", 2.0), "mask": ("mask", 5.0), "dice": ("dice", 5.0)}
_FIRST = torch.zeros(1, dtype=torch.long)  # the one image of the file


def psalm_stages(golden: Golden) -> dict[str, Callable[[], None]]:
    """The four steps for each condition, then segments and losses; each raises WeightsError."""
    model = _PSALMParity(golden)
    runs = [_PSALMRun(model, kind) for kind in ConditionKind]
    steps = ("run_language_model", "build_queries", "decode_masks", "segments")
    prompts = {f"{step} {run.kind}": partial(getattr(run, step)) for run in runs for step in steps}
    return {"encode_image": model.encode_image, **prompts, "losses": model.losses}


def config_of(sizes: dict[str, Any]) -> PSALMConfig:
    """A golden file's sizes as a configuration."""
    swin, llm = sizes["swin"], sizes["llm"]
    pixel, mask = sizes["pixel_decoder"], sizes["mask_decoder"]
    return PSALMConfig(
        image_size=sizes["image_size"],
        swin_embed=swin["embed_dim"],
        swin_depths=tuple(swin["depths"]),
        swin_heads=tuple(swin["num_heads"]),
        swin_window=swin["window_size"],
        connector_width=sizes["projector"]["planes"],
        connector_stride=sizes["projector"]["stride"],
        pixel_channels=pixel["conv_dim"],
        mask_channels=pixel["mask_dim"],
        pixel_layers=pixel["encoder_layers"],
        pixel_heads=pixel["heads"],
        pixel_feedforward=pixel["encoder_ffn"],
        language_channels=llm["hidden_size"],
        language_layers=llm["num_hidden_layers"],
        language_heads=llm["num_attention_heads"],
        language_feedforward=llm["intermediate_size"],
        vocabulary=llm["vocab_size"],
        positions=llm["max_position_embeddings"],
        rotary_factor=llm["partial_rotary_factor"],
        queries=mask["queries"],
        decoder_layers=mask["layers"],
        decoder_heads=mask["heads"],
        decoder_feedforward=mask["ffn"],
    )


def sequence_of(golden: Golden, kind: ConditionKind) -> TokenSequence:
    """The recorded tokens with their placeholders filled."""
    ids = golden[f"in/{kind}/input_ids"][0].tolist()
    queries = golden.config["mask_decoder"]["queries"]
    if kind is ConditionKind.CATEGORY:
        tokens = golden["in/category/class_name_ids"][0]
        owner = golden["in/category/cls_indices"][0]
        names = [tokens[owner == i].tolist() for i in range(int(owner.max()) + 1)]
        return assemble(ids, queries, names=names, keep_tail=True)
    if kind is ConditionKind.SENTENCE:
        refer = golden["in/sentence/token_refer_id"].tolist()
        return assemble(ids, queries, expression=refer, keep_tail=True)
    return assemble(ids, queries, keep_tail=True)


def golden_model(golden: Golden) -> PSALM:
    """The authors' weights in our modules. Raises WeightsError unless all of them fit."""
    config = config_of(golden.config)
    model = PSALM(config).eval()
    golden.fill(model, psalm_rules(config.language_heads, config.vocabulary))
    return model


class _PSALMParity:
    """A golden file, its model and the features of its image."""

    def __init__(self, golden: Golden) -> None:
        self.golden, self.model = golden, golden_model(golden)

    @cached_property
    def features(self) -> ImageFeatures:
        """Step 1."""
        with torch.no_grad():
            return self.model.encode_image(self.golden["in/pixel_values"])

    def encode_image(self) -> None:
        """Pyramid, image tokens, mask features and memory."""
        agrees = self.golden.agrees
        for name, maps in zip(("res2", "res3", "res4", "res5"), self.features.pyramid, strict=True):
            agrees(f"swin/{name}", maps)
        agrees("projector", self.features.tokens.flatten(2).transpose(1, 2))
        agrees("pixel_decoder/mask_features", self.features.pixels.mask_features)
        for level, memory in enumerate(self.features.pixels.memory):
            agrees(f"pixel_decoder/multi_scale_{level}", memory)

    def losses(self) -> None:
        """Of the category prompt, every level, with the recorded random draws."""
        golden = self.golden
        draws = iter(sorted(name for name in golden.tensors if name.startswith("in/train/rand_")))

        def replay(shape: tuple[int, ...]) -> Tensor:
            draw = golden[next(draws)]
            golden.require(
                tuple(draw.shape) == shape, f"draws are {tuple(draw.shape)}, ours {shape}"
            )
            return draw

        sampling = PointSampling(
            golden.config["train_num_points"],
            golden.config["oversample_ratio"],
            golden.config["importance_sample_ratio"],
            replay,
        )
        with torch.no_grad():
            sequence = sequence_of(golden, ConditionKind.CATEGORY)
            mask_output = self.model(self.features, [sequence], _FIRST, ConditionKind.CATEGORY)
        masks, labels = golden["in/train/masks"], golden["in/train/labels"]
        levels = category_losses(mask_output, [masks], [labels], sampling)
        unused = next(draws, None)
        golden.require(unused is None, f"our losses never draw {unused}")
        suffixes = [*(f"_{level}" for level in range(len(levels) - 1)), ""]
        for suffix, losses in zip(suffixes, levels, strict=True):
            for ours, (theirs, _) in _LOSSES.items():
                golden.agrees(f"train/loss_{theirs}{suffix}", losses[ours].reshape(1))
        total = sum(_LOSSES[name][1] * value for losses in levels for name, value in losses.items())
        golden.agrees("train/total_weighted", torch.as_tensor(total).reshape(1))


class _PSALMRun:
    """One kind of condition: steps 2 to 4 and post-processing."""

    def __init__(self, parity: _PSALMParity, kind: ConditionKind) -> None:
        self.parity, self.kind = parity, kind
        self.golden, self.model = parity.golden, parity.model
        self.sequence = sequence_of(self.golden, kind)
        pointed = kind is ConditionKind.REGION
        self.regions = self.golden["in/region/region_masks"].bool() if pointed else None

    @cached_property
    def _language_output(self) -> LanguageOutput:
        with torch.no_grad():
            return self.model.run_language_model(
                self.parity.features, [self.sequence], _FIRST, self._embed_regions()
            )

    @cached_property
    def _queries(self) -> Queries:
        with torch.no_grad():
            return self.model.build_queries(self._language_output, self.kind)

    @cached_property
    def _mask_output(self) -> MaskOutput:
        with torch.no_grad():
            return self.model.decode_masks(self.parity.features, _FIRST, self._queries, self.kind)

    def _agrees(self, name: str, ours: Tensor) -> None:
        self.golden.agrees(f"{self.kind}/{name}", ours)

    def run_language_model(self) -> None:
        """The whole sequence: the cached prefix with the image, and what follows it."""
        language_output, prefix = (
            self._language_output,
            self.model.encode_prefix(self.parity.features, self.sequence),
        )
        self._agrees("inputs_embeds", torch.cat([prefix.embeds, language_output.embeds], 1))
        self._agrees("last_hidden_state", torch.cat([prefix.hidden, language_output.hidden], 1))

    def build_queries(self) -> None:
        """Queries and conditions; regions before the language model, too."""
        self._agrees("seg_query_projected", self._queries.queries)
        if self.kind is ConditionKind.CATEGORY:
            self._agrees("class_embeddings", self._queries.conditions)
        elif self.kind is ConditionKind.SENTENCE:
            self._agrees("sentence_embedding", self._queries.conditions)
        elif self.regions is not None:
            self._agrees("region_embeddings", self._queries.conditions[0])
            embeddings = self._embed_regions()
            assert embeddings is not None
            self._agrees("region_features", embeddings.unsqueeze(1))

    @torch.no_grad()
    def _embed_regions(self) -> Tensor | None:
        if self.regions is None:
            return None
        owner = torch.zeros(len(self.regions), dtype=torch.long)
        pooled = self.model.region_features(self.parity.features, owner, self.regions)
        return self.model.embed_regions(pooled)

    def decode_masks(self) -> None:
        """Scores of every level; masks of the last and of the two first."""
        *early, last = self._mask_output.scores
        self._agrees(_SCORES[self.kind], self._official(last))
        for level, scores in enumerate(early):
            self._agrees(f"aux{level}_{_SCORES[self.kind]}", self._official(scores))
        self._agrees("pred_masks", self._mask_output.pred_masks[-1])
        for level in (0, 1):
            self._agrees(f"aux{level}_pred_masks", self._mask_output.pred_masks[level])

    def _official(self, scores: Tensor) -> Tensor:
        """Ours are (1, N, K); regions are recorded as (R, N)."""
        return scores[0].T if self.kind is ConditionKind.REGION else scores

    def segments(self) -> None:
        """Post-processing on the original grid."""
        config = self.golden.config
        side = config["image_size"], config["image_size"]
        geometry = ImageGeometry(side, tuple(config["content_hw"]), tuple(config["original_hw"]))
        low, scores = self._mask_output.pred_masks[-1][0], self._mask_output.scores[-1][0]
        masks = resize_to_original(low, geometry)
        if self.kind is ConditionKind.CATEGORY:
            self._panoptic(scores, masks)
            full = F.interpolate(low[None], side, mode="bilinear", align_corners=False)[0]
            self._agrees("post/panoptic_sem_seg", semantic_scores(scores, masks))
            semantic = resize_to_original(semantic_scores(scores, full), geometry)
            self._agrees("post/semantic_sem_seg", semantic)
            self._instances(scores, masks)
        elif self.kind is ConditionKind.SENTENCE:
            ours = referring_scores(scores[:, 0], masks)
            order = ours.argsort(descending=True)
            self._agrees("post/scores", ours[order])
            self._agrees("post/masks", (masks[order] > 0).to(torch.uint8))
        else:
            each = torch.stack([referring_scores(row, masks) for row in scores.T])
            self._agrees("post/scores", each)

    def _panoptic(self, scores: Tensor, masks: Tensor) -> None:
        golden = self.golden
        is_thing = golden["in/category/is_thing"].bool().tolist()
        score, overlap = (
            golden.config[f"panoptic_{name}_threshold"] for name in ("object", "overlap")
        )
        ids, segments = merge_panoptic(scores, masks, is_thing, score, overlap)
        self._agrees("post/panoptic_seg", ids)
        ours = [
            {"id": s.id, "isthing": is_thing[s.category], "category_id": s.category}
            for s in segments
        ]
        theirs = golden.metadata["panoptic_segments_info"]
        golden.require(ours == theirs, f"the panoptic segments differ: {ours}")

    def _instances(self, scores: Tensor, masks: Tensor) -> None:
        golden, top = self.golden, self.golden.config["instance_topk"]
        best = top_instances(scores, masks, top)
        self._agrees("post/instance_scores", best.scores)
        self._agrees("post/instance_classes", best.categories)
        self._agrees("post/instance_masks", (masks[best.queries] > 0).to(torch.uint8))
        things = top_instances(scores, masks, top, golden["in/category/is_thing"].bool())
        order = golden["out/category/post/panoptic_instances_scores"].argsort(descending=True)
        for name, values in (("scores", things.scores), ("classes", things.categories)):
            unsorted = torch.empty_like(values)
            unsorted[order] = values
            self._agrees(f"post/panoptic_instances_{name}", unsorted)
