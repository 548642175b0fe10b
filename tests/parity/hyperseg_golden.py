"""A golden file of HyperSeg: sizes, weights, prompts, frames and sampled points."""

from functools import cached_property
from typing import Any, NamedTuple

import torch
from parity.golden import Golden
from torch import Tensor

from vlseg_cli.models.hyperseg.config import HyperSegConfig
from vlseg_cli.models.hyperseg.conversion import hyperseg_rules
from vlseg_cli.models.hyperseg.modeling import HyperSeg, HyperSegFeatures
from vlseg_cli.models.mask2former.modeling import LanguageOutput, MaskOutput, PrefixCache, Queries
from vlseg_cli.nn.losses import sample_points
from vlseg_cli.nn.postprocessing import ImageGeometry
from vlseg_cli.text.placeholders import ConditionKind
from vlseg_cli.text.sequence import TokenSequence, assemble

# What the file calls the prompts.
FILED = {
    ConditionKind.SENTENCE: "ref",
    ConditionKind.CATEGORY: "cls",
    ConditionKind.REGION: "reg",
}
FIRST = torch.zeros(1, dtype=torch.long)  # every frame is a batch of its own


class GoldenRun(NamedTuple):
    """One prompt about one frame: its tokens, the frame's cached prefix, steps 2 to 4."""

    sequence: TokenSequence
    prefix: PrefixCache
    language_output: LanguageOutput
    queries: Queries
    mask_output: MaskOutput


class HyperSegGolden:
    """A golden file, its model and the features of its frames."""

    def __init__(self, golden: Golden) -> None:
        self.golden, self.model = golden, golden_model(golden)

    @cached_property
    def features(self) -> HyperSegFeatures:
        """The first frame."""
        return self.encode_image(0)

    @cached_property
    def geometry(self) -> ImageGeometry:
        """How the frames are padded to the model's input."""
        golden = self.golden
        size, content = golden.config["image_size_swin"], tuple(golden.config["valid_hw"])
        original = tuple(golden["in/orig_hw"].tolist())
        golden.require(original == tuple(golden.config["original_hw"]), "two sizes of the frame")
        valid = int((golden["in/padding_mask"] == 0).sum())
        golden.require(valid == content[0] * content[1], "padding_mask contradicts valid_hw")
        return ImageGeometry((size, size), content, original)

    def encode_image(self, frame: int, carried: Tensor | None = None) -> HyperSegFeatures:
        """Step 1. carried: the fine-grained queries of the frame before."""
        pixels, clip = self.golden["in/frames"][frame], self.golden["in/frames_clip"][frame]
        with torch.no_grad():
            return self.model.encode_image(pixels[None], clip[None], carried)

    def run(
        self, features: HyperSegFeatures, kind: ConditionKind, regions: Tensor | None = None
    ) -> GoldenRun:
        """Steps 2 to 4 for a recorded prompt. regions: (R, D) vectors."""
        sequence = sequence_of(self.golden, kind)
        with torch.no_grad():
            language_output = self.model.run_language_model(features, [sequence], FIRST, regions)
            queries = self.model.build_queries(language_output, kind)
            mask_output = self.model.decode_masks(features, FIRST, queries, kind)
        prefix = features.prefixes[sequence.prefix, sequence.between]
        return GoldenRun(sequence, prefix, language_output, queries, mask_output)


class DrawnPoints:
    """A ``MaskSampling`` at the points that the authors drew, (M, S, 2) each."""

    def __init__(self, golden: Golden) -> None:
        self._matching = golden["in/loss/matcher_points"]
        self._learning = golden["in/loss/mask_points"]
        count = golden.config["loss"]["num_points"]
        drawn = (self._matching.shape[1], self._learning.shape[1])
        golden.require(drawn == (count, count), f"{drawn} points drawn, not {count}")

    def prepare(self, truth: Tensor) -> Tensor:
        """Truth at full resolution."""
        return truth.float()

    def for_matching(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """The same points for every query and every true mask."""
        return _at(logits, self._matching), _at(truth, self._matching)

    def for_loss(self, logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
        """Points of their own for each pair."""
        return _at(logits, self._learning), _at(truth, self._learning)


def _at(maps: Tensor, points: Tensor) -> Tensor:
    return sample_points(maps, points.expand(len(maps), -1, -1))


def config_of(golden: Golden) -> HyperSegConfig:
    """A golden file's sizes as a configuration."""
    sizes: dict[str, Any] = golden.config
    swin, clip, phi, fine = (sizes[part] for part in ("swin", "siglip", "phi", "fvp"))
    pixel, mask = sizes["pixel_decoder"], sizes["predictor"]
    golden.require(pixel["conv_dim"] == mask["hidden_dim"], "two widths of the mask decoder")
    golden.require(clip["select_hidden_state"] == -2, "not the last layer but one of SigLIP")
    return HyperSegConfig(
        image_size=sizes["image_size_swin"],
        swin_embed=swin["embed_dim"],
        swin_depths=tuple(swin["depths"]),
        swin_heads=tuple(swin["num_heads"]),
        swin_window=swin["window_size"],
        clip_size=clip["image_size"],
        clip_patch=clip["patch_size"],
        clip_channels=clip["hidden_size"],
        clip_layers=clip["num_hidden_layers"] - 1,
        clip_heads=clip["num_attention_heads"],
        clip_feedforward=clip["intermediate_size"],
        fine_tokens=fine["num_tokens"],
        fine_channels=fine["dim"],
        fine_heads=fine["heads"],
        fine_head_channels=fine["dim_head"],
        pixel_channels=pixel["conv_dim"],
        mask_channels=pixel["mask_dim"],
        pixel_layers=pixel["enc_layers"],
        pixel_heads=pixel["heads"],
        pixel_feedforward=pixel["ffn"],
        language_channels=phi["hidden_size"],
        language_layers=phi["num_hidden_layers"],
        language_heads=phi["num_attention_heads"],
        language_feedforward=phi["intermediate_size"],
        vocabulary=phi["vocab_size"],
        head_rows=phi["lm_head_rows"],
        rotary_factor=phi["partial_rotary_factor"],
        queries=mask["num_mask_tokens"],
        decoder_layers=mask["decoder_layers"],
        decoder_heads=mask["heads"],
        decoder_feedforward=mask["dim_feedforward"],
    )


def golden_model(golden: Golden) -> HyperSeg:
    """The authors' weights in our modules. Raises WeightsError unless all of them fit."""
    config = config_of(golden)
    model = HyperSeg(config).eval()
    golden.fill(model, hyperseg_rules(config.clip_layers))
    return model


def sequence_of(golden: Golden, kind: ConditionKind) -> TokenSequence:
    """The recorded tokens with their placeholders filled."""
    ids = golden[f"in/{FILED[kind]}/input_ids"].tolist()
    queries = golden.config["predictor"]["num_mask_tokens"]
    if kind is ConditionKind.CATEGORY:
        tokens, owner = golden["in/cls/class_name_ids"], golden["in/cls/cls_indices"]
        names = [tokens[owner == i].tolist() for i in range(int(owner.max()) + 1)]
        count = golden.config["num_classes_incl_background"]
        golden.require(len(names) == count, f"{len(names)} names, not {count}")
        return assemble(ids, queries, names=names, keep_tail=True)
    if kind is ConditionKind.SENTENCE:
        refer = golden["in/ref/token_refer_id"].tolist()
        return assemble(ids, queries, expression=refer, keep_tail=True)
    return assemble(ids, queries, keep_tail=True)


def drawn_regions(golden: Golden) -> Tensor:
    """The points that the authors drew inside each region, (R, S, 2) as x, y."""
    points = golden["in/reg/points_yx"].flip(-1)
    count = golden.config["region_points"]
    golden.require(points.shape[1] == count, f"{points.shape[1]} points a region, not {count}")
    return points
