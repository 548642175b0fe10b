"""Every stage of MVP-LM against the authors' own code, at the sizes of the golden file."""

from collections.abc import Callable
from functools import cached_property, partial

import torch
from parity.golden import Golden
from parity.mvp_lm_golden import (
    FIRST,
    KINDS,
    LearningStep,
    agree,
    golden_model,
    level_agrees,
    sequence_of,
    text_labels,
)
from torch import Tensor

from vlseg_cli.models.mask2former.modeling import ImageFeatures
from vlseg_cli.models.mvp_lm.config import MVPLMConfig
from vlseg_cli.models.mvp_lm.modeling import (
    DecoderLevel,
    InstructionSpan,
    MVPLMLanguageOutput,
    MVPLMMaskOutput,
    MVPLMQueries,
)
from vlseg_cli.models.mvp_lm.prompts import IGNORED
from vlseg_cli.nn.boxes import boxes_to_pixels
from vlseg_cli.nn.deformable import flatten_maps
from vlseg_cli.nn.mask_dino import grid_proposals
from vlseg_cli.nn.postprocessing import (
    ImageGeometry,
    merge_panoptic,
    referring_scores,
    resize_to_original,
    semantic_scores,
    top_instances,
)
from vlseg_cli.schema import WeightsError
from vlseg_cli.text.placeholders import ConditionKind, Placeholder


def mvp_lm_stages(golden: Golden) -> dict[str, Callable[[], None]]:
    """The four steps and segments for each prompt, then denoising and losses."""
    model = _MVPLMParity(golden)
    runs = [_MVPLMRun(model, case) for case in KINDS]
    steps = ("run_language_model", "positions", "build_queries", "decode_masks", "segments")
    prompts = {f"{step} {run.case}": partial(getattr(run, step)) for run in runs for step in steps}
    training = {
        f"{step} {case}": partial(model.learn, case, step)
        for case in KINDS
        for step in ("denoising", "losses")
    }
    first = {"encode_image": model.encode_image, "candidates": model.candidates}
    return {**first, **prompts, **training}


class _MVPLMParity:
    """A golden file, its model and the features of its image."""

    def __init__(self, golden: Golden) -> None:
        self.golden, self.model = golden, golden_model(golden)
        self.layers: list[Tensor] = []  # outputs of the pixel decoder's layers
        self.steps: dict[str, LearningStep] = {}

    @cached_property
    def features(self) -> ImageFeatures:
        """Step 1."""
        hooks = [
            layer.register_forward_hook(lambda _, __, output: self.layers.append(output))
            for layer in self.model.pixel_decoder.layers
        ]
        with torch.no_grad():
            features = self.model.encode_image(self.golden["in/image"])
        for hook in hooks:
            hook.remove()
        return features

    def encode_image(self) -> None:
        """Pyramid, image tokens, mask features and memory."""
        golden, features = self.golden, self.features
        for name, maps in zip(("res2", "res3", "res4", "res5"), features.pyramid, strict=True):
            agree(golden, f"vision/{name}", maps)
        agree(golden, "vision/connector", features.tokens.flatten(2).transpose(1, 2))
        agree(golden, "vision/mask_features", features.pixels.mask_features)
        for layer, output in enumerate(self.layers):
            agree(golden, f"vision/enc_layer{layer}", output)
        for name, memory in zip(
            ("res6", "res5", "res4", "res3"), features.pixels.memory, strict=True
        ):
            agree(golden, f"vision/pixel_{name}", memory)

    def candidates(self) -> None:
        """The locations that queries are selected from."""
        golden, model = self.golden, self.model
        memory = flatten_maps(self.features.pixels.memory)
        agree(golden, "vision/src_flatten", memory.vectors)
        agree(golden, "vision/spatial_shapes", torch.tensor(memory.sizes))
        with torch.no_grad():
            candidates = model.selection(memory)
            boxes = model.decoder.box_head(candidates.features) + candidates.proposals
        agree(golden, "vision/proposals_unsig", grid_proposals(memory)[None])
        agree(golden, "vision/output_memory", candidates.features)
        agree(golden, "vision/memory_boxes_unsig", boxes)

    def learn(self, case: str, step: str) -> None:
        """A part of a recorded training step, which is computed once."""
        if case not in self.steps:
            self.steps[case] = LearningStep(self.golden, self.model, self.features, case)
        getattr(self.steps[case], step)()


class _MVPLMRun:
    """One prompt: steps 2 to 4 and post-processing."""

    def __init__(self, parity: _MVPLMParity, case: str) -> None:
        self.parity, self.case, self.kind = parity, case, KINDS[case]
        self.golden, self.model = parity.golden, parity.model
        self.sequence = sequence_of(self.golden, case, 1)

    @cached_property
    def _language_output(self) -> MVPLMLanguageOutput:
        with torch.no_grad():
            return self.model.run_language_model(self.parity.features, [self.sequence], FIRST)

    @cached_property
    def _instruction(self) -> InstructionSpan:
        return self.model.pool(self._language_output)

    @cached_property
    def _queries(self) -> MVPLMQueries:
        stuff = self.case == "pan"
        with torch.no_grad():
            return self.model.build_queries(
                self.parity.features, FIRST, self._instruction, self.kind, stuff
            )

    @cached_property
    def _mask_output(self) -> MVPLMMaskOutput:
        with torch.no_grad():
            return self.model.decode_masks(
                self.parity.features, FIRST, self._queries, self.kind, all_levels=True
            )

    def _agrees(self, name: str, ours: Tensor) -> None:
        agree(self.golden, f"{self.case}/{name}", ours)

    def run_language_model(self) -> None:
        """The whole sequence: the cached prefix with the image, and what follows it."""
        language_output = self._language_output
        prefix = self.parity.features.prefixes[self.sequence.prefix]
        embeds = torch.cat([prefix.embeds, language_output.embeds], 1)
        hidden = torch.cat([prefix.hidden, language_output.hidden], 1)
        with torch.no_grad():
            states = torch.stack(
                self.model.language(inputs_embeds=embeds, output_hidden_states=True).hidden_states
            )
            logits = self.model.lm_head(hidden)
        self._agrees("inputs_embeds", embeds)
        self._agrees("attention_mask", torch.ones(embeds.shape[:2]))
        self._agrees("llm_hidden_states", states[:, 0])
        before = prefix.embeds.shape[1]
        mean = states.mean(0)
        self._agrees("llm_hidden_mean", mean)
        self._agrees("llm_hidden_mean", torch.cat([mean[:, :before], language_output.mean], 1))
        self._agrees("llm_last_hidden", hidden)
        self._agrees("lm_logits", logits)

    def positions(self) -> None:
        """Positions of the image, the conditions and the summary token, and the text labels."""
        language_output, instruction = self._language_output, self._instruction
        before = self.parity.features.prefixes[self.sequence.prefix].embeds.shape[1]
        image = torch.zeros(1, before + language_output.ids.shape[1])
        image[:, len(self.sequence.prefix) : before] = 1
        self._agrees("image_mask", image)
        at = language_output.ids == Placeholder.QUERIES
        summary = torch.cat([torch.zeros(1, before), at], 1)
        self._agrees("seg_mask", summary)
        self._agrees("seg_position", summary.argmax(1))
        index = torch.cat([torch.full((1, before), -1), language_output.condition], 1) + 1
        sentence = self.kind is ConditionKind.SENTENCE
        self._agrees("refer_index" if sentence else "class_index", index)
        ignored = torch.full((1, before), IGNORED)
        labels = text_labels(self.golden, self.case, language_output.ids)
        labels = torch.cat([ignored, labels], 1)
        self._agrees("labels", labels)
        self._agrees("llm_last_hidden_at_seg", instruction.summary[None])
        self._agrees("llm_hidden_mean_at_seg", language_output.mean[:, at[0]])

    def build_queries(self) -> None:
        """Conditions, the locations most similar to them, and the queries from there."""
        queries = self._queries
        self._agrees("pooled", self._instruction.pooled)
        self._agrees("instr_embed", queries.conditions)
        wanted = queries.conditions[0]
        if self.kind is ConditionKind.CATEGORY:
            wanted = wanted[:-1]  # without background
        with torch.no_grad():
            candidates = self.model.selection(flatten_maps(self.parity.features.pixels.memory))
            logits = self.model.condition_heads[self.kind](candidates.features) @ wanted.T
        self._agrees("enc_logits", logits)
        self._agrees("topk_idx", queries.locations)
        self._agrees("query", queries.queries)
        self._agrees("ref_unsig", queries.boxes)
        self._agrees("ref_init_cxcywh", queries.boxes.sigmoid())

    def decode_masks(self) -> None:
        """Every level, and the last alone as at inference."""
        golden, case, mask_output = self.golden, self.case, self._mask_output
        if mask_output.initial is None:
            raise WeightsError(f"{golden.path.name}: there is no level to learn the selection from")
        for number, level in enumerate(mask_output.levels):
            level_agrees(golden, f"{case}/layer{number}", level)
        level_agrees(golden, f"{case}/final", mask_output.levels[-1])
        level_agrees(golden, f"{case}/interm", mask_output.initial)
        features, queries = self.parity.features, self._queries
        with torch.no_grad():
            memory = flatten_maps(features.pixels.memory)
            decoded = self.model.decoder(queries.queries, queries.boxes, memory, None)
            (last,) = self.model.decode_masks(features, FIRST, queries, self.kind).levels
        for number, hidden in enumerate(decoded.hidden, 1):
            self._agrees(f"layer{number}/hs", hidden)
        for number, reference in enumerate(decoded.references):
            self._agrees(f"reference{number}", reference)
        level_agrees(golden, f"{case}/final", last)

    def segments(self) -> None:
        """Post-processing on the original grid."""
        segments_agree(self.golden, self.case, self._mask_output.levels[-1])


def segments_agree(golden: Golden, case: str, level: DecoderLevel) -> None:
    """Post-processing of the last level of a prompt. Raises WeightsError."""
    geometry = _geometry_of(golden)
    scores, boxes, low = (part[0] for part in level)
    masks = resize_to_original(low, geometry)
    if KINDS[case] is ConditionKind.SENTENCE:
        _sentence_agrees(golden, case, scores[:, 0], masks)
        return
    is_thing = torch.tensor(golden.config["is_thing"]).bool()
    if case == "pan":
        _panoptic_agrees(golden, scores, masks, is_thing)
    top = golden.config["num_queries"]
    best = top_instances(scores, masks, top, is_thing if case == "pan" else None)
    order = _ranks(golden, f"{case}/post/inst_scores")
    agree(golden, f"{case}/post/inst_scores", best.scores[order])
    agree(golden, f"{case}/post/inst_labels", best.categories[order])
    found = boxes_to_pixels(boxes, geometry)[best.queries][order]
    agree(golden, f"{case}/post/inst_boxes_xyxy", found)
    agree(golden, f"{case}/post/inst_masks", masks[best.queries][order] > 0)


def _geometry_of(golden: Golden) -> ImageGeometry:
    padded, content, original = (tuple(golden.config[key]) for key in ("image", "content", "orig"))
    inside = int(golden["in/padding_mask"].bool().logical_not().sum())
    if inside != content[0] * content[1]:
        raise WeightsError(f"{golden.path.name} pads another area than its sizes say")
    return ImageGeometry(padded, content, original)


def _sentence_agrees(golden: Golden, case: str, scores: Tensor, masks: Tensor) -> None:
    each = referring_scores(scores, masks)
    order = each.argsort(descending=True)[_ranks(golden, f"{case}/post/inst_scores")]
    agree(golden, f"{case}/post/inst_scores", each[order])
    agree(golden, f"{case}/post/inst_masks", masks[order] > 0)
    # The authors' code gives no boxes for sentences; ours are those of the last level.
    agree(golden, f"{case}/post/inst_boxes_xyxy", torch.zeros(len(each), 4))


def _panoptic_agrees(golden: Golden, scores: Tensor, masks: Tensor, is_thing: Tensor) -> None:
    defaults = MVPLMConfig()
    ids, segments = merge_panoptic(
        scores, masks, is_thing.tolist(), defaults.panoptic_score, defaults.panoptic_overlap
    )
    agree(golden, "pan/post/panoptic_seg", ids)
    ours = [
        {"id": s.id, "isthing": bool(is_thing[s.category]), "category_id": s.category}
        for s in segments
    ]
    if ours != golden.metadata["post"]["pan"]["segments_info"]:
        raise WeightsError(f"{golden.path.name}: the panoptic segments differ: {ours}")
    semantic = semantic_scores(scores, masks)
    agree(golden, "pan/post/sem_seg_argmax", semantic.argmax(0))
    agree(golden, "pan/post/sem_seg_mean", semantic.mean((1, 2)))


def _ranks(golden: Golden, name: str) -> Tensor:
    """The rank of each of theirs, which are in another order, among ours, which are best first."""
    return golden[f"out/{name}"].argsort(descending=True, stable=True).argsort()
