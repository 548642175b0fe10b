"""EMA: the formula, and that the model gets its own weights back."""

import torch
from torch import nn

from vlseg_cli.training.ema import Ema


def test_average_follows_the_formula() -> None:
    model = nn.Linear(2, 2)
    ema, expected = Ema(model, 0.5), model.weight.detach().clone()
    for number in range(12):
        nn.init.normal_(model.weight)
        ema.update(model)
        decay = min(0.5, (1 + number) / (10 + number))
        expected = decay * expected + (1 - decay) * model.weight.detach()
    torch.testing.assert_close(ema.tensors["weight"], expected)


def test_counters_are_copied_and_statistics_averaged() -> None:
    model = nn.BatchNorm1d(2)
    ema = Ema(model, 0.9)
    model(torch.randn(8, 2) + 5)
    ema.update(model)
    assert ema.tensors["num_batches_tracked"] == 1
    torch.testing.assert_close(ema.tensors["running_mean"], 0.9 * model.running_mean)


def test_own_weights_return_after_the_block() -> None:
    model = nn.Linear(2, 2)
    ema, first = Ema(model, 0.9), model.weight.detach().clone()
    nn.init.zeros_(model.weight)
    with ema.applied(model):
        assert torch.equal(model.weight, first)
    assert not model.weight.any()


def test_non_finite_statistics_are_replaced_by_their_averages() -> None:
    model = nn.BatchNorm1d(2)
    ema = Ema(model, 0.9)
    model(torch.full((4, 2), float("nan")))
    assert model.running_mean is not None and model.running_mean.isnan().all()
    ema.repair_buffers(model)
    assert torch.equal(model.running_mean, torch.zeros(2))
