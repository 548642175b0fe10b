"""Phi's state dict to ours, as it lies under ``model`` in PSALM's and HyperSeg's checkpoints."""

from vlseg_cli.weights.convert.rules import Drop, Rename, Rule

LANGUAGE: tuple[Rule, ...] = (
    Rename(r"model\.embed_tokens\.weight", r"language.embed_tokens.weight"),
    Rename(
        r"model\.layers\.(\d+)\.(self_attn\.dense|mlp\.fc[12]|input_layernorm)\.(weight|bias)",
        r"language.layers.\1.\2.\3",
    ),
    Rename(r"model\.final_layernorm\.(\w+)", r"language.final_layernorm.\1"),
    Drop(r".*\.rotary_emb\.inv_freq", "recomputed from the head's size, identical"),
    Rename(
        r"model\.layers\.(\d+)\.self_attn\.([qkv])_proj\.(\w+)",
        r"language.layers.\1.self_attn.\2_proj.\3",
    ),
)
