"""Fine-grained tokens from learned or carried queries, with and without the gate."""

import pytest
import torch
from torch import Tensor
from transformers import PhiConfig, PhiModel

from vlseg_cli.nn.lora import inject_lora, merged_state_dict
from vlseg_cli.nn.perceiver import FineGrainedPerceiver
from vlseg_cli.nn.reid import InstanceHeads


def perceiver(gated: bool) -> FineGrainedPerceiver:
    torch.manual_seed(0)
    return FineGrainedPerceiver(
        in_channels=(6, 12, 24),
        out_channels=20,
        tokens=5,
        channels=8,
        heads=2,
        head_channels=4,
        gated=gated,
    ).eval()


@pytest.fixture
def pyramid() -> list[Tensor]:
    return [torch.randn(2, channels, side, side) for channels, side in ((6, 8), (12, 4), (24, 2))]


@pytest.mark.parametrize("gated", [False, True])
def test_tokens_depend_on_carried_queries(gated: bool, pyramid: list[Tensor]) -> None:
    model = perceiver(gated)
    tokens = model(pyramid)
    assert tokens.shape == (2, 5, 20)
    carried = model.carry(tokens)
    assert carried.shape == (2, 5, 8)
    assert not model(pyramid, carried).allclose(tokens)
    assert model([level[1:] for level in pyramid]).allclose(tokens[1:], atol=1e-5)


def test_the_gate_starts_closed_and_has_a_gradient(pyramid: list[Tensor]) -> None:
    model = perceiver(True)
    other = [level + 1 for level in pyramid]
    assert model(pyramid).equal(model(other))
    model(pyramid).sum().backward()
    gates = [layer.gate.layers[-1].weight.grad for layer in model.layers]  # type: ignore[union-attr]
    assert all(grad is not None and grad.any() for grad in gates)
    assert not perceiver(False)(pyramid).allclose(perceiver(False)(other))


def test_predicted_boxes_are_in_the_image() -> None:
    found = InstanceHeads(8)(torch.randn(2, 3, 8) * 9, torch.randn(2, 3, 8))
    assert found.boxes.shape == (2, 3, 4) and found.embeddings.shape == (2, 3, 8)
    assert (found.boxes >= 0).all() and (found.boxes <= 1).all()


def test_merged_adapters_compute_the_same() -> None:
    torch.manual_seed(1)
    config = PhiConfig(
        vocab_size=11,
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
    )
    phi, plain = (PhiModel(config).eval() for _ in range(2))
    adapters = inject_lora(phi, 2, 4.0, 0.0, ["q_proj", "v_proj"])
    assert [p for p in phi.parameters() if p.requires_grad] == adapters or len(adapters) == 8
    for parameter in adapters:
        torch.nn.init.normal_(parameter, std=0.3)
    plain.load_state_dict(merged_state_dict(phi))
    ids = torch.arange(6)[None]
    with torch.no_grad():
        expected, found = phi(ids).last_hidden_state, plain(ids).last_hidden_state
    assert found.allclose(expected, atol=1e-5)
