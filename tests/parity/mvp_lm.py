"""Every stage of MVP-LM against the authors' own code, at whatever sizes the golden file has."""

from collections.abc import Callable
from functools import cached_property, partial

import torch
from parity.golden import Golden
from parity.mvp_lm_golden import FIRST, KINDS, agree, golden_model, level_agrees, said, sequence_of
from parity.mvp_lm_losses import LearningStep
from parity.mvp_lm_segments import segments_agree
from torch import Tensor

from vlseg_cli.models.mask2former.modeling import ImageFeatures
from vlseg_cli.models.mvp_lm.modeling import (
    InstructionSpan,
    MVPLMLanguageOutput,
    MVPLMMaskOutput,
    MVPLMQueries,
)
from vlseg_cli.models.mvp_lm.prompts import IGNORED
from vlseg_cli.nn.deformable import flatten_maps
from vlseg_cli.nn.mask_dino import grid_proposals
from vlseg_cli.schema import WeightsError
from vlseg_cli.text.placeholders import ConditionKind, Placeholder


def mvp_lm_stages(golden: Golden) -> dict[str, Callable[[], None]]:
    """The four steps for each prompt, then segments, then learning; each raises WeightsError."""
    model = _MVPLMParity(golden)
    runs = [_MVPLMRun(model, case) for case in KINDS]
    steps = ("read", "positions", "ask", "answer", "segments")
    asked = {f"{step} {run.case}": partial(getattr(run, step)) for run in runs for step in steps}
    learning = {
        f"{step} {case}": partial(model.learn, case, step)
        for case in KINDS
        for step in ("denoising", "losses")
    }
    return {"see": model.see, "candidates": model.candidates, **asked, **learning}


class _MVPLMParity:
    """A golden file, the model in it, and what that sees."""

    def __init__(self, golden: Golden) -> None:
        self.golden, self.model = golden, golden_model(golden)
        self.layers: list[Tensor] = []  # what each layer of the pixel decoder gave
        self.steps: dict[str, LearningStep] = {}

    @cached_property
    def seen(self) -> ImageFeatures:
        """Step 1."""
        hooks = [
            layer.register_forward_hook(lambda _, __, output: self.layers.append(output))
            for layer in self.model.pixel_decoder.layers
        ]
        with torch.no_grad():
            seen = self.model.encode_image(self.golden["in/image"])
        for hook in hooks:
            hook.remove()
        return seen

    def see(self) -> None:
        """Pyramid, image tokens and what the pixel decoder makes of it."""
        golden, seen = self.golden, self.seen
        for name, features in zip(("res2", "res3", "res4", "res5"), seen.pyramid, strict=True):
            agree(golden, f"vision/{name}", features)
        agree(golden, "vision/connector", seen.tokens.flatten(2).transpose(1, 2))
        agree(golden, "vision/mask_features", seen.pixels.mask_features)
        for layer, output in enumerate(self.layers):
            agree(golden, f"vision/enc_layer{layer}", output)
        for name, memory in zip(("res6", "res5", "res4", "res3"), seen.pixels.memory, strict=True):
            agree(golden, f"vision/pixel_{name}", memory)

    def candidates(self) -> None:
        """The places of the picture that queries are chosen from."""
        golden, model, memory = self.golden, self.model, flatten_maps(self.seen.pixels.memory)
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
            self.steps[case] = LearningStep(self.golden, self.model, self.seen, case)
        getattr(self.steps[case], step)()


class _MVPLMRun:
    """One prompt: steps 2 to 4, and what is made of the answer."""

    def __init__(self, parity: _MVPLMParity, case: str) -> None:
        self.parity, self.case, self.kind = parity, case, KINDS[case]
        self.golden, self.model = parity.golden, parity.model
        self.sequence = sequence_of(self.golden, case, 1)

    @cached_property
    def _read(self) -> MVPLMLanguageOutput:
        with torch.no_grad():
            return self.model.run_language_model(self.parity.seen, [self.sequence], FIRST)

    @cached_property
    def _instruction(self) -> InstructionSpan:
        return self.model.pool(self._read)

    @cached_property
    def _asked(self) -> MVPLMQueries:
        stuff = self.case == "pan"
        with torch.no_grad():
            return self.model.build_queries(
                self.parity.seen, FIRST, self._instruction, self.kind, stuff
            )

    @cached_property
    def _answered(self) -> MVPLMMaskOutput:
        with torch.no_grad():
            return self.model.decode_masks(
                self.parity.seen, FIRST, self._asked, self.kind, every=True
            )

    def _agrees(self, name: str, ours: Tensor) -> None:
        agree(self.golden, f"{self.case}/{name}", ours)

    def read(self) -> None:
        """The whole sequence, from what was remembered of the picture and what follows it."""
        read, prefix = self._read, self.parity.seen.prefixes[self.sequence.prefix]
        embeds = torch.cat([prefix.embeds, read.embeds], 1)
        hidden = torch.cat([prefix.hidden, read.hidden], 1)
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
        self._agrees("llm_hidden_mean", torch.cat([mean[:, :before], read.mean], 1))
        self._agrees("llm_last_hidden", hidden)
        self._agrees("lm_logits", logits)

    def positions(self) -> None:
        """Where the picture, the conditions and the end of the answer stand, and what is said."""
        read, instruction = self._read, self._instruction
        before = self.parity.seen.prefixes[self.sequence.prefix].embeds.shape[1]
        image = torch.zeros(1, before + read.ids.shape[1])
        image[:, len(self.sequence.prefix) : before] = 1
        self._agrees("image_mask", image)
        at = read.ids == Placeholder.QUERIES
        summary = torch.cat([torch.zeros(1, before), at], 1)
        self._agrees("seg_mask", summary)
        self._agrees("seg_position", summary.argmax(1))
        index = torch.cat([torch.full((1, before), -1), read.condition], 1) + 1
        sentence = self.kind is ConditionKind.SENTENCE
        self._agrees("refer_index" if sentence else "class_index", index)
        silent = torch.full((1, before), IGNORED)
        labels = torch.cat([silent, said(self.golden, self.case, read.ids)], 1)
        self._agrees("labels", labels)
        self._agrees("llm_last_hidden_at_seg", instruction.summary[None])
        self._agrees("llm_hidden_mean_at_seg", read.mean[:, at[0]])

    def ask(self) -> None:
        """Conditions, the places most similar to them, and the queries from there."""
        asked = self._asked
        self._agrees("pooled", self._instruction.pooled)
        self._agrees("instr_embed", asked.conditions)
        wanted = asked.conditions[0]
        if self.kind is ConditionKind.CATEGORY:
            wanted = wanted[:-1]  # without background
        with torch.no_grad():
            candidates = self.model.selection(flatten_maps(self.parity.seen.pixels.memory))
            logits = self.model.condition_heads[self.kind](candidates.features) @ wanted.T
        self._agrees("enc_logits", logits)
        self._agrees("topk_idx", asked.places)
        self._agrees("query", asked.queries)
        self._agrees("ref_unsig", asked.boxes)
        self._agrees("ref_init_cxcywh", asked.boxes.sigmoid())

    def answer(self) -> None:
        """Every level, and the last alone, as it is asked for in use."""
        golden, case, answered = self.golden, self.case, self._answered
        if answered.initial is None:
            raise WeightsError(f"{golden.path.name}: there is no level to learn the selection from")
        for number, level in enumerate(answered.levels):
            level_agrees(golden, f"{case}/layer{number}", level)
        level_agrees(golden, f"{case}/final", answered.levels[-1])
        level_agrees(golden, f"{case}/interm", answered.initial)
        seen, asked = self.parity.seen, self._asked
        with torch.no_grad():
            memory = flatten_maps(seen.pixels.memory)
            decoded = self.model.decoder(asked.queries, asked.boxes, memory, None)
            (last,) = self.model.decode_masks(seen, FIRST, asked, self.kind).levels
        for number, hidden in enumerate(decoded.hidden, 1):
            self._agrees(f"layer{number}/hs", hidden)
        for number, reference in enumerate(decoded.references):
            self._agrees(f"reference{number}", reference)
        level_agrees(golden, f"{case}/final", last)

    def segments(self) -> None:
        """Post-processing on the original grid."""
        segments_agree(self.golden, self.case, self._answered.levels[-1])
