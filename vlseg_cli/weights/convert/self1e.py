"""Official SELF1E state dict to ours: every tensor renamed, split, or dropped for a reason.

Three namings are read: InternVL's own (``vision_model``, ``mlp1``), which the authors use, too, and
the older and newer ones of its ``-hf`` repositories. Source: SELF1E section 11.
"""

from vlseg_cli.weights.convert.rules import Drop, Rename, Rule, SplitRows

# In config.json: InternVL's own and that of its -hf repositories.
MODEL_TYPES = ("internvl_chat", "internvl")

_BLOCK = r"vision_model\.encoder\.layers\.(\d+)"
_OUR_TOWER = "internvl.model.vision_tower"
_OUR_BLOCK = rf"{_OUR_TOWER}.encoder.layer.\1"
_OUR_PROJECTOR = "internvl.model.multi_modal_projector"
_OUR_LANGUAGE = "internvl.model.language_model"

_RECOMPUTED = Drop(r".*\.rotary_emb\.inv_freq", "recomputed from the head's size, identical")

_REFILL: tuple[Rule, ...] = (
    Rename(r"combine_decode_proj\.([02])\.(weight|bias)", r"refill.describe.\1.\2"),
    Rename(r"combine_decode_proj_all\.([02])\.(weight|bias)", r"refill.amplify.\1.\2"),
    Rename(r"combine_decode_proj_ori\.([02])\.(weight|bias)", r"refill.restore.\1.\2"),
)

_OPENGVLAB: tuple[Rule, ...] = (
    Rename(r"vision_model\.embeddings\.class_embedding", f"{_OUR_TOWER}.embeddings.cls_token"),
    Rename(
        r"vision_model\.embeddings\.position_embedding",
        f"{_OUR_TOWER}.embeddings.position_embeddings",
    ),
    Rename(
        r"vision_model\.embeddings\.patch_embedding\.(weight|bias)",
        rf"{_OUR_TOWER}.embeddings.patch_embeddings.projection.\1",
    ),
    Rename(rf"{_BLOCK}\.ls([12])", rf"{_OUR_BLOCK}.lambda_\2"),
    SplitRows(rf"{_BLOCK}\.attn\.qkv\.(weight|bias)", rf"{_OUR_BLOCK}.attention.{{}}_proj.\2"),
    Rename(rf"{_BLOCK}\.attn\.proj\.(weight|bias)", rf"{_OUR_BLOCK}.attention.projection_layer.\2"),
    Rename(rf"{_BLOCK}\.mlp\.(fc[12])\.(weight|bias)", rf"{_OUR_BLOCK}.mlp.\2.\3"),
    Rename(rf"{_BLOCK}\.norm1\.(weight|bias)", rf"{_OUR_BLOCK}.layernorm_before.\2"),
    Rename(rf"{_BLOCK}\.norm2\.(weight|bias)", rf"{_OUR_BLOCK}.layernorm_after.\2"),
    Rename(r"mlp1\.0\.(weight|bias)", rf"{_OUR_PROJECTOR}.layer_norm.\1"),
    Rename(r"mlp1\.1\.(weight|bias)", rf"{_OUR_PROJECTOR}.linear_1.\1"),
    Rename(r"mlp1\.3\.(weight|bias)", rf"{_OUR_PROJECTOR}.linear_2.\1"),
)

_HF: tuple[Rule, ...] = (
    Rename(r"(?:model\.)?vision_tower\.(.+)", rf"{_OUR_TOWER}.\1"),
    Rename(r"(?:model\.)?multi_modal_projector\.(.+)", rf"{_OUR_PROJECTOR}.\1"),
    Rename(r"model\.language_model\.(.+)", rf"{_OUR_LANGUAGE}.\1"),
    Rename(r"lm_head\.weight", "internvl.lm_head.weight"),
)

SELF1E_RULES: tuple[Rule, ...] = (
    _RECOMPUTED,
    Rename(r"language_model\.model\.(.+)", rf"{_OUR_LANGUAGE}.\1"),  # the authors and older -hf
    Rename(r"language_model\.lm_head\.weight", "internvl.lm_head.weight"),
    *_REFILL,
    *_OPENGVLAB,
    *_HF,
)
