"""HRSeg's additions against figures computed from the paper's formulas, in double precision.

The layout has no language model and no encoder; the modules of an otherwise tiny HRSeg are used.
"""

import ast
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from vlseg_cli.models.hrseg import HRSeg, Perceived
from vlseg_cli.models.hrseg_config import HRSegConfig
from vlseg_cli.nn.mask_pooling import enlarge, pool_masks
from vlseg_cli.nn.mask_selection import Selection, select
from vlseg_cli.nn.selection_losses import align_loss, iop_loss
from vlseg_cli.nn.windows import cut_windows, join_windows, regions_of

TOLERANCE = 1e-9
PUBLISHED = Selection("topk_and_iop", 10, 0.7, "top1_similarity")


def close(golden: Any, name: str, ours: Tensor) -> None:
    assert name in golden.tensors, f"{golden.path.name} lacks {name}"
    theirs = golden.tensors[name]
    assert tuple(ours.shape) == tuple(theirs.shape), f"{name}: {ours.shape} != {theirs.shape}"
    error = float((ours.detach().double() - theirs.double()).abs().max())
    assert error <= TOLERANCE * max(1.0, float(theirs.abs().max())), f"{name}: off by {error:.1e}"


@pytest.fixture(scope="module")
def sizes(golden: Any) -> dict[str, Any]:
    found: dict[str, Any] = ast.literal_eval(golden.config)
    return found


@pytest.fixture(scope="module")
def model(golden: Any, sizes: dict[str, Any]) -> HRSeg:
    tiny = {"clip_width": 8, "clip_layers": 2, "clip_heads": 1, "clip_feedforward": 8}
    tiny |= {"language_channels": 8, "language_layers": 1, "language_heads": 1}
    tiny |= {"language_feedforward": 8, "vocabulary": 8, "dino_width": 8, "dino_layers": 1}
    config = HRSegConfig(
        **tiny,
        dino_heads=1,
        view=14 * sizes["n_g"],
        windows=sizes["N"],
        gamma=float(golden.tensors["in/gamma"]),
        channels=sizes["d"],
        fusion_heads=1,
        enhancement_layers=sizes["L"],
        mask_size=sizes["S"],
        proposals="embedded",
    )
    assert config.gamma == sizes["gamma"]
    model = HRSeg(config).double().eval()
    region = model.region_attention
    pairs = {"w_g_q": region.query.weight, "w_l_k": region.key.weight, "w_l_v": region.value.weight}
    for number, layer in enumerate(model.enhancement.layers):
        pairs |= {
            f"w_m_q_{number}": layer.query.weight,
            f"w_h_k_{number}": layer.key.weight,
            f"w_h_v_{number}": layer.value.weight,
            f"ln_weight_{number}": layer.norm.weight,
            f"ln_bias_{number}": layer.norm.bias,
        }
    assert pairs.keys() == {n for n in golden.tensors if n.startswith(("w_", "ln_"))}
    with torch.no_grad():
        for name, parameter in pairs.items():
            assert parameter.shape == golden.tensors[name].shape
            parameter.copy_(golden.tensors[name])
    return model


@pytest.fixture(scope="module")
def perceived(golden: Any, model: HRSeg, sizes: dict[str, Any]) -> Perceived:
    overview = golden.tensors["in/F_g"]
    windows = golden.tensors["in/window_tokens"].unflatten(1, overview.shape[:2])
    with torch.no_grad():
        return model.gather(torch.cat([overview[None], windows])[None])


def test_windows(golden: Any, sizes: dict[str, Any]) -> None:
    windows = cut_windows(golden.tensors["tile/in/image"], sizes["N"])
    assert windows.equal(golden.tensors["tile/out/windows"])


@torch.no_grad()
def test_perception(golden: Any, model: HRSeg, perceived: Perceived, sizes: dict[str, Any]) -> None:
    overview = golden.tensors["in/F_g"]
    tokens = golden.tensors["in/window_tokens"].unflatten(1, overview.shape[:2])
    local = join_windows(tokens[None])
    close(golden, "out/F_l", local[0])
    regions = regions_of(local, sizes["N"])
    close(golden, "out/regions", regions[0])
    close(golden, "out/attention", model.region_attention.weights(overview[None], regions)[0])
    assert perceived.regions is not None
    close(golden, "out/F_r", perceived.regions[0])
    hybrid = model.blend(perceived)
    close(golden, "out/F_h", hybrid[0])
    large = enlarge(hybrid.permute(0, 3, 1, 2), sizes["S"])
    close(golden, "out/F_h_upsampled", large[0].permute(1, 2, 0))


@torch.no_grad()
def test_pooling(golden: Any, model: HRSeg, perceived: Perceived, sizes: dict[str, Any]) -> None:
    masks = golden.tensors["in/masks"]
    pooled, present = model.pool(perceived, model.blend(perceived), [masks])
    assert present.all()
    close(golden, "out/M_hrp", pooled[0])
    assert perceived.regions is not None
    literal = enlarge(perceived.regions.permute(0, 3, 1, 2), sizes["S"])[0]
    close(golden, "alt/M_hrp_from_F_r", pool_masks(literal, masks))


@torch.no_grad()
def test_enhancement(golden: Any, model: HRSeg, perceived: Perceived) -> None:
    hybrid = model.blend(perceived)
    masks, _ = model.pool(perceived, hybrid, [golden.tensors["in/masks"]])
    features = hybrid.flatten(1, 2)
    for number, layer in enumerate(model.enhancement.layers):
        close(golden, f"out/hre_attention_{number}", layer.weights(masks, features)[0])
        masks = layer(masks, features)
        close(golden, f"out/M_hre_{number}", masks[0])
    described, _ = model.describe(perceived, [golden.tensors["in/masks"]])
    close(golden, "out/M_hre", described[0])


def test_selection(golden: Any) -> None:
    cases = sorted({n.split("/")[1] for n in golden.tensors if n.startswith("select/")})
    assert {"normal", "empty"} <= set(cases)
    for case in cases:
        at = f"select/{case}"
        similarity, iop = (golden.tensors[f"{at}/in/{name}"] for name in ("similarity", "iop"))
        strict = select(similarity, iop, PUBLISHED._replace(empty="nothing"))
        assert bool(golden.tensors[f"{at}/out/is_empty_before_fallback"]) is not bool(strict.any())
        chosen = select(similarity, iop, PUBLISHED)
        assert chosen.byte().equal(golden.tensors[f"{at}/out/selected"])
        union = golden.tensors[f"{at}/in/masks"].bool()[chosen].any(0)
        assert union.byte().equal(golden.tensors[f"{at}/out/mask"])


def test_losses(golden: Any, model: HRSeg) -> None:
    given = {
        name: golden.tensors[f"loss/in/{name}"]
        for name in ("iou", "iop_pred", "iop_gt", "mask_embedding", "seg_embedding")
    }
    heads = model.embedding_head
    model.embedding_head = nn.Identity()  # the file has the embeddings themselves
    similarity = model.similarity(given["seg_embedding"][None], given["mask_embedding"][None])
    model.embedding_head = heads
    close(golden, "loss/out/similarity", similarity[0])
    present = torch.ones_like(similarity, dtype=torch.bool)
    align = align_loss(similarity, given["iou"][None], present)
    close(golden, "loss/out/kl", align)
    iop = given["iop_pred"][None], given["iop_gt"][None], present
    close(golden, "loss/out/iop_plain_mse", iop_loss(*iop, "plain"))
    close(golden, "loss/out/iop_weighted_mse", iop_loss(*iop))
    close(golden, "loss/out/select_total", align + iop_loss(*iop))
