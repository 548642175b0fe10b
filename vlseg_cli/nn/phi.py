"""The language model: transformers' Phi at any size, which PSALM, HyperSeg and MVP-LM read with."""

from transformers import PhiConfig, PhiModel


def build_phi(
    vocabulary: int,
    channels: int,
    layers: int,
    heads: int,
    feedforward: int,
    positions: int,
    rotary_factor: float,
) -> PhiModel:
    """A Phi with random weights, all dropout off.

    rotary_factor: the share of each head's channels that turns with the position.
    """
    return PhiModel(
        PhiConfig(
            vocab_size=vocabulary,
            hidden_size=channels,
            intermediate_size=feedforward,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            max_position_embeddings=positions,
            hidden_act="gelu_new",
            layer_norm_eps=1e-5,
            rope_parameters={
                "rope_type": "default",
                "rope_theta": 10000.0,
                "partial_rotary_factor": rotary_factor,
            },
            resid_pdrop=0.0,
            embd_pdrop=0.0,
            attention_dropout=0.0,
            pad_token_id=None,
        )
    )
