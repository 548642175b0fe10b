"""The published checkpoints: every name and true shape, and not a number."""

import torch
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]


def affine(name: str, *weight: int) -> Shapes:
    """A weight and its bias, one number per output."""
    return {f"{name}.weight": weight, f"{name}.bias": weight[:1]}


def language() -> Shapes:
    shapes: Shapes = {"model.embed_tokens.weight": (50297, 2048), "lm_head.weight": (50297, 2048)}
    for layer in range(24):
        at = f"model.layers.{layer}"
        shapes |= affine(f"{at}.self_attn.query_key_value", 6144, 2048)
        shapes |= affine(f"{at}.self_attn.dense", 2048, 2048)
        shapes |= affine(f"{at}.mlp.fc1", 8192, 2048) | affine(f"{at}.mlp.fc2", 2048, 8192)
        shapes |= affine(f"{at}.input_layernorm", 2048)
    return shapes | affine("model.final_layernorm", 2048)


def vision_tower(tower: str = "model.vision_tower") -> Shapes:
    shapes = affine(f"{tower}.patch_embed.proj", 128, 3, 4, 4)
    shapes |= affine(f"{tower}.patch_embed.norm", 128)
    for stage, (depth, heads) in enumerate(zip((2, 2, 18, 2), (4, 8, 16, 32), strict=True)):
        c = 128 * 2**stage
        shapes |= affine(f"{tower}.norm{stage}", c)
        for block in range(depth):
            at = f"{tower}.layers.{stage}.blocks.{block}"
            shapes |= affine(f"{at}.norm1", c) | affine(f"{at}.norm2", c)
            shapes |= affine(f"{at}.attn.qkv", 3 * c, c) | affine(f"{at}.attn.proj", c, c)
            shapes[f"{at}.attn.relative_position_bias_table"] = (529, heads)
            shapes[f"{at}.attn.relative_position_index"] = (144, 144)
            shapes |= affine(f"{at}.mlp.fc1", 4 * c, c) | affine(f"{at}.mlp.fc2", c, 4 * c)
        if stage < 3:
            at = f"{tower}.layers.{stage}.downsample"
            shapes |= {f"{at}.reduction.weight": (2 * c, 4 * c)} | affine(f"{at}.norm", 4 * c)
    return shapes


def connector() -> Shapes:
    at = "model.mm_projector"
    shapes: Shapes = {
        f"{at}.layer1.0.conv1.weight": (2048, 1024, 3, 3),
        f"{at}.layer1.0.conv2.weight": (2048, 2048, 3, 3),
        f"{at}.layer1.0.downsample.0.weight": (2048, 1024, 1, 1),
    }
    for norm in ("bn1", "bn2", "downsample.1"):
        shapes |= affine(f"{at}.layer1.0.{norm}", 2048)
        shapes[f"{at}.layer1.0.{norm}.running_mean"] = (2048,)
        shapes[f"{at}.layer1.0.{norm}.running_var"] = (2048,)
        shapes[f"{at}.layer1.0.{norm}.num_batches_tracked"] = ()
    return shapes | affine(f"{at}.fc", 2048, 2048)


def pixel_decoder() -> Shapes:
    shapes: Shapes = {"pixel_decoder.transformer.level_embed": (3, 256)}
    for level, channels in enumerate((1024, 512, 256)):
        shapes |= affine(f"pixel_decoder.input_proj.{level}.0", 256, channels, 1, 1)
        shapes |= affine(f"pixel_decoder.input_proj.{level}.1", 256)
    for layer in range(6):
        at = f"pixel_decoder.transformer.encoder.layers.{layer}"
        shapes |= affine(f"{at}.self_attn.sampling_offsets", 192, 256)
        shapes |= affine(f"{at}.self_attn.attention_weights", 96, 256)
        shapes |= affine(f"{at}.self_attn.value_proj", 256, 256)
        shapes |= affine(f"{at}.self_attn.output_proj", 256, 256)
        shapes |= affine(f"{at}.norm1", 256) | affine(f"{at}.norm2", 256)
        shapes |= affine(f"{at}.linear1", 1024, 256) | affine(f"{at}.linear2", 256, 1024)
    shapes |= affine("pixel_decoder.mask_features", 256, 256, 1, 1)
    for name, *weight in (("adapter_1", 256, 128, 1, 1), ("layer_1", 256, 256, 3, 3)):
        shapes |= affine(f"pixel_decoder.{name}.0", *weight)
        shapes |= affine(f"pixel_decoder.{name}.1", 256)
    return shapes


def predictor() -> Shapes:
    shapes: Shapes = {}
    for layer in range(9):
        for kind, attention in (("cross", "multihead_attn"), ("self", "self_attn")):
            at = f"predictor.transformer_{kind}_attention_layers.{layer}"
            shapes[f"{at}.{attention}.in_proj_weight"] = (768, 256)
            shapes[f"{at}.{attention}.in_proj_bias"] = (768,)
            shapes |= affine(f"{at}.{attention}.out_proj", 256, 256) | affine(f"{at}.norm", 256)
        at = f"predictor.transformer_ffn_layers.{layer}"
        shapes |= affine(f"{at}.linear1", 2048, 256) | affine(f"{at}.linear2", 256, 2048)
        shapes |= affine(f"{at}.norm", 256)
    for name, rows in (("query_embed", 100), ("query_feat", 100), ("level_embed", 3)):
        shapes[f"predictor.{name}.weight"] = (rows, 256)
    shapes["predictor.SEG_query_embed.weight"] = (101, 256)
    for name, layers in (("mask_embed", 3), ("CLASS_proj", 2), ("SEG_proj", 2), ("REGION_proj", 2)):
        for layer in range(layers):
            shapes |= affine(f"predictor.{name}.layers.{layer}", 256, 256)
    return shapes | affine("predictor.decoder_norm", 256)


def heads() -> Shapes:
    shapes: Shapes = {"seg_query": (100, 2048)}
    for name in ("seg_query_projector", "SEG_token_projector", "class_name_projector"):
        shapes |= affine(name, 256, 2048)
    return shapes | affine("region_projector", 256, 2048)


def published() -> dict[str, Tensor]:
    """Every entry of the published state dict on the meta device; not to be changed."""
    shapes = language() | vision_tower() | connector() | pixel_decoder() | predictor() | heads()
    return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}


def phi_2() -> Shapes:
    shapes: Shapes = {"model.embed_tokens.weight": (50296, 2560), "lm_head.weight": (51200, 2560)}
    for layer in range(32):
        at = f"model.layers.{layer}"
        for name in ("q_proj", "k_proj", "v_proj", "dense"):
            shapes |= affine(f"{at}.self_attn.{name}", 2560, 2560)
        shapes |= affine(f"{at}.mlp.fc1", 10240, 2560) | affine(f"{at}.mlp.fc2", 2560, 10240)
        shapes |= affine(f"{at}.input_layernorm", 2560)
    return shapes | affine("model.final_layernorm", 2560)


def siglip() -> Shapes:
    tower = "model.vision_tower.vision_model"
    shapes = affine(f"{tower}.embeddings.patch_embedding", 1152, 3, 14, 14)
    shapes[f"{tower}.embeddings.position_embedding.weight"] = (729, 1152)
    for layer in range(27):
        at = f"{tower}.encoder.layers.{layer}"
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes |= affine(f"{at}.self_attn.{name}", 1152, 1152)
        shapes |= affine(f"{at}.mlp.fc1", 4304, 1152) | affine(f"{at}.mlp.fc2", 1152, 4304)
        shapes |= affine(f"{at}.layer_norm1", 1152) | affine(f"{at}.layer_norm2", 1152)
    shapes |= affine(f"{tower}.post_layernorm", 1152)
    shapes |= affine(f"{tower}.head.layernorm", 1152)
    shapes[f"{tower}.head.probe"] = (1, 1, 1152)
    shapes[f"{tower}.head.attention.in_proj_weight"] = (3456, 1152)
    shapes[f"{tower}.head.attention.in_proj_bias"] = (3456,)
    shapes |= affine(f"{tower}.head.attention.out_proj", 1152, 1152)
    return (
        shapes
        | affine(f"{tower}.head.mlp.fc1", 4304, 1152)
        | affine(f"{tower}.head.mlp.fc2", 1152, 4304)
        | affine("model.mm_projector.0", 2560, 1152)
        | affine("model.mm_projector.2", 2560, 2560)
    )


def perceiver() -> Shapes:
    shapes: Shapes = {"temporal_query": (128, 512), "level_embed.weight": (3, 512)}
    for level, channels in enumerate((256, 512, 1024)):
        shapes |= affine(f"local_project.{level}", 512, channels, 1, 1)
        at = f"mgvp_layers.layers.{level}"
        shapes |= affine(f"{at}.0.norm_media", 512) | affine(f"{at}.0.norm_latents", 512)
        shapes[f"{at}.0.to_q.weight"] = (512, 512)
        shapes[f"{at}.0.to_kv.weight"] = (1024, 512)
        shapes[f"{at}.0.to_out.weight"] = (512, 512)
        shapes |= affine(f"{at}.1.0", 512)
        shapes[f"{at}.1.1.weight"], shapes[f"{at}.1.3.weight"] = (2048, 512), (512, 2048)
    return (
        shapes
        | affine("mgvp_layers.norm", 512)
        | affine("expanded_seg_query_project", 2560, 512)
        | affine("temporal_query_project", 512, 2560)
    )


def hyperseg_heads() -> Shapes:
    shapes: Shapes = {"seg_query": (100, 2560)}
    for name in ("seg_query_projector", "SEG_token_projector", "class_name_projector"):
        shapes |= affine(name, 256, 2560)
    for name, out in (("box_embed", 4), ("reid_embed_head", 256)):
        for layer, rows in enumerate((256, 256, out)):
            shapes |= affine(f"predictor.{name}.layers.{layer}", rows, 256)
    return shapes | affine("region_projector", 256, 2560) | affine("predictor.iou_head", 1, 256)


def published_hyperseg() -> dict[str, Tensor]:
    """Every entry of HyperSeg's state dict on the meta device; not to be changed."""
    shapes = phi_2() | siglip() | vision_tower("model.vision_tower_mask") | perceiver()
    shapes |= pixel_decoder() | predictor() | hyperseg_heads()
    return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}
