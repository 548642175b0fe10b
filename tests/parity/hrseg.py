"""HRSeg's additions against figures computed from the paper's formulas, in double precision.

The layout has no language model and no encoder; the modules of an otherwise tiny HRSeg are used.
"""

import ast
from collections.abc import Callable
from functools import cached_property
from typing import Any, cast

import torch
from parity.golden import Golden
from parity.llmseg import llmseg_stages
from torch import Tensor, nn

from vlseg_cli.models.hrseg.config import HRSegConfig
from vlseg_cli.models.hrseg.criterion import align_loss, iop_loss
from vlseg_cli.models.hrseg.modeling import HRSeg, PerceptionOutput
from vlseg_cli.models.hrseg.postprocessing import Selection, select
from vlseg_cli.nn.high_resolution import EnhancementLayer, cut_windows, join_windows, split_regions
from vlseg_cli.nn.pooling import pool_masks, upsample

_ROUNDING = 1e-9
_PUBLISHED = Selection("topk_and_iop", 10, 0.7, "top1_similarity")
_REGIONS = {"w_g_q": "query.weight", "w_l_k": "key.weight", "w_l_v": "value.weight"}
_LAYER = {
    "w_m_q": "query.weight",
    "w_h_k": "key.weight",
    "w_h_v": "value.weight",
    "ln_weight": "norm.weight",
    "ln_bias": "norm.bias",
}
_UNUSED: dict[str, Any] = {  # sizes of modules that no figure is about
    "proposals": "embedded",
    "dino_width": 8,
    "dino_layers": 1,
    "dino_heads": 1,
    "clip_width": 8,
    "clip_layers": 2,
    "clip_heads": 1,
    "clip_feedforward": 8,
    "language_channels": 8,
    "language_layers": 1,
    "language_heads": 1,
    "language_feedforward": 8,
    "vocabulary": 8,
    "fusion_heads": 1,
}


def hrseg_stages(golden: Golden) -> dict[str, Callable[[], None]]:
    """Of whichever layout the file has; each raises WeightsError.

    LLM-Seg's is the authors' code, which HRSeg keeps but for its additions; those are the other's.
    """
    if golden.path.name.startswith("llmseg-"):
        return llmseg_stages(golden)
    parity = _HRSegParity(golden)
    return {
        "windows": parity.windows,
        "perception": parity.perception,
        "pooling": parity.pooling,
        "enhancement": parity.enhancement,
        "selection": parity.selection,
        "losses": parity.losses,
    }


def golden_model(golden: Golden) -> HRSeg:
    """The file's matrices in our modules. Raises WeightsError unless all of them fit."""
    sizes = _sizes_of(golden)
    config = HRSegConfig(
        **_UNUSED,
        view=14 * sizes["n_g"],
        windows=sizes["N"],
        gamma=float(golden.recorded("in/gamma")),
        channels=sizes["d"],
        enhancement_layers=sizes["L"],
        mask_size=sizes["S"],
    )
    gammas = config.gamma, sizes["gamma"]
    golden.require(len(set(gammas)) == 1, f"there are two gammas, {gammas}")
    model = HRSeg(config).double().eval()
    model.embedding_head = nn.Sequential()  # does nothing: the file has the embeddings themselves
    ours = _parameters(model)
    given = {name for name in golden.tensors if name.startswith(("w_", "ln_"))}
    odd = sorted(given ^ ours.keys())
    golden.require(not odd, f"the file and our modules do not share {', '.join(odd)}")
    for name, parameter in ours.items():
        matrix = golden.recorded(name)
        golden.require(matrix.shape == parameter.shape, f"{name} is {tuple(matrix.shape)}")
        parameter.data.copy_(matrix)
    return model


def _parameters(model: HRSeg) -> dict[str, nn.Parameter]:
    """Of both additions, by the paper's letters."""
    names = {theirs: f"region_attention.{ours}" for theirs, ours in _REGIONS.items()}
    for number in range(model.config.enhancement_layers):
        layer = f"enhancement.layers.{number}"
        names |= {f"{theirs}_{number}": f"{layer}.{ours}" for theirs, ours in _LAYER.items()}
    return {theirs: model.get_parameter(ours) for theirs, ours in names.items()}


def _sizes_of(golden: Golden) -> dict[str, Any]:
    found: dict[str, Any] = ast.literal_eval(str(golden.metadata["config"]))
    return found


class _HRSegParity:
    """A golden file, its model and the features of its image."""

    def __init__(self, golden: Golden) -> None:
        self.golden, self.model = golden, golden_model(golden)
        self.overview = golden.recorded("in/F_g")
        tokens = golden.recorded("in/window_tokens")
        self.window_tokens = tokens.view(-1, *self.overview.shape)
        self.masks = golden.recorded("in/masks")

    @cached_property
    def perceived(self) -> PerceptionOutput:
        """Equations 7 and 8."""
        views = torch.cat([self.overview[None], self.window_tokens])
        with torch.no_grad():
            return self.model.attend_to_windows(views[None])

    @cached_property
    def regions(self) -> Tensor:
        """F_r (1, h, w, d)."""
        regions = self.perceived.regions
        assert regions is not None
        return regions

    def _agrees(self, entry: str, ours: Tensor) -> None:
        self.golden.close(entry, ours, _ROUNDING)

    def windows(self) -> None:
        """How an image is cut into windows."""
        image = self.golden.recorded("tile/in/image")
        self._agrees("tile/out/windows", cut_windows(image, self.model.config.windows))

    @torch.no_grad()
    def perception(self) -> None:
        """High-resolution perception (section 3.2) up to the hybrid features."""
        model = self.model
        local = join_windows(self.window_tokens[None])
        self._agrees("out/F_l", local[0])
        regions = split_regions(local, model.config.windows)
        self._agrees("out/regions", regions[0])
        weights = model.region_attention.weights(self.overview[None], regions)
        self._agrees("out/attention", weights[0])
        self._agrees("out/F_r", self.regions[0])
        hybrid = model.hybrid_features(self.perceived)
        self._agrees("out/F_h", hybrid[0])
        large = upsample(hybrid.permute(0, 3, 1, 2), model.config.mask_size)
        self._agrees("out/F_h_upsampled", large[0].permute(1, 2, 0))

    @torch.no_grad()
    def pooling(self) -> None:
        """Equation 10 with hybrid features as we do, and with F_r as it is printed."""
        pooled, present = self.model.pool_masks(
            self.perceived, self.model.hybrid_features(self.perceived), [self.masks]
        )
        self._agrees("out/M_hrp", pooled[0][present[0]])
        literal = upsample(self.regions.permute(0, 3, 1, 2), self.model.config.mask_size)[0]
        self._agrees("alt/M_hrp_from_F_r", pool_masks(literal, self.masks))

    @torch.no_grad()
    def enhancement(self) -> None:
        """High-resolution enhancement (section 3.3), layer by layer and as a whole."""
        hybrid = self.model.hybrid_features(self.perceived)
        masks, _ = self.model.pool_masks(self.perceived, hybrid, [self.masks])
        features = hybrid.flatten(1, 2)
        for number, module in enumerate(self.model.enhancement.layers):
            layer = cast("EnhancementLayer", module)
            weights = layer.weights(masks, features)
            self._agrees(f"out/hre_attention_{number}", weights[0])
            masks = layer(masks, features)
            self._agrees(f"out/M_hre_{number}", masks[0])
        described, _ = self.model.encode_masks(self.perceived, [self.masks])
        self._agrees("out/M_hre", described[0])

    def selection(self) -> None:
        """The published rule, where it selects masks and where it selects none."""
        golden = self.golden
        for case in sorted({n.split("/")[1] for n in golden.tensors if n.startswith("select/")}):
            given, expected = f"select/{case}/in", f"select/{case}/out"
            similarity, iop = (golden.recorded(f"{given}/{name}") for name in ("similarity", "iop"))
            strict = select(similarity, iop, _PUBLISHED._replace(empty="nothing"))
            chosen = select(similarity, iop, _PUBLISHED)
            union = golden.recorded(f"{given}/masks").bool()[chosen].any(0)
            self._agrees(f"{expected}/is_empty_before_fallback", ~strict.any().reshape(1))
            self._agrees(f"{expected}/selected", chosen)
            self._agrees(f"{expected}/mask", union)

    def losses(self) -> None:
        """Equations 13 to 16, and the error of IoP without weights."""
        iou, predicted, true, masks, text = (
            self.golden.recorded(f"loss/in/{name}")[None]
            for name in ("iou", "iop_pred", "iop_gt", "mask_embedding", "seg_embedding")
        )
        similarity = self.model.similarity(text, masks)
        self._agrees("loss/out/similarity", similarity[0])
        present = torch.ones_like(similarity, dtype=torch.bool)
        align = align_loss(similarity, iou, present)
        weighted = iop_loss(predicted, true, present)
        self._agrees("loss/out/kl", align)
        self._agrees("loss/out/iop_plain_mse", iop_loss(predicted, true, present, "plain"))
        self._agrees("loss/out/iop_weighted_mse", weighted)
        self._agrees("loss/out/select_total", align + weighted)
