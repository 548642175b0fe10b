"""SELF1E's losses and their gradients against the authors' own code.

A gradient is recorded under its official name, so it is converted as that weight is.
"""

from collections.abc import Mapping

import torch
from parity.golden import Golden
from parity.self1e_golden import SELF1EGolden
from torch import Tensor

from vlseg_cli.models.self1e.conversion import SELF1E_RULES
from vlseg_cli.models.self1e.criterion import low_masks, mask_losses, soft_target, words_loss
from vlseg_cli.weights.conversion.rules import convert

_LOSSES, _GRADIENTS = 5e-6, 2e-6  # what another float32 order may differ by


def losses_and_gradients(parity: SELF1EGolden) -> None:
    """Of every row together, each part of the loss and the sum, and what that teaches."""
    golden, model = parity.golden, parity.model
    model.train()
    model.zero_grad()
    total = _losses(parity)
    total.backward()  # type: ignore[no-untyped-call]
    ours = {name: p.grad for name, p in model.named_parameters() if p.grad is not None}
    names = [name[9:] for name in golden.tensors if name.startswith("out/grad/")]
    golden.require(bool(names), "no gradient is recorded")
    for name in names:
        _agrees_in_gradient(golden, name, ours)
    model.eval()


def _losses(parity: SELF1EGolden) -> Tensor:
    golden, model = parity.golden, parity.model
    pictures = torch.arange(len(parity.conversations))
    seen = model.encode_image(golden["in/pixel_values"])
    read = model.run_language_model(seen, parity.conversations, pictures)
    asked = model.build_queries(seen, read)
    answered = model.decode_masks(seen, pictures, asked)
    targets = [
        soft_target(golden[f"in/gt_mask_{row}"]) if kind == "seg" else torch.zeros(0, 1, 1)
        for row, kind in enumerate(golden.metadata["rows"])
    ]
    words = words_loss(model, read)
    masks = mask_losses(answered.pred_masks, low_masks(asked), targets)
    weights = golden.metadata["loss_weights"]
    mask = weights["bce"] * masks.bce + weights["dice"] * masks.dice
    total: Tensor = weights["ce"] * words + mask
    parts = {"ce_loss": words, "mask_bce_loss": masks.bce, "mask_dice_loss": masks.dice}
    for name, loss in (parts | {"mask_loss": mask, "loss": total}).items():
        golden.agrees(name, loss.detach().reshape(1), _LOSSES)
    return total


def _agrees_in_gradient(golden: Golden, name: str, ours: Mapping[str, Tensor]) -> None:
    """A gradient goes the way of its weight; what that splits is compared one after another."""
    parts = list(convert(SELF1E_RULES, name, golden[f"out/grad/{name}"]))
    golden.require(bool(parts) and ours.keys() >= {*parts}, f"ours has no gradient of {name}")

    def joined(theirs: Tensor) -> Tensor:
        converted = convert(SELF1E_RULES, name, theirs)
        return torch.cat([converted[part].flatten() for part in parts])

    own = torch.cat([ours[part].flatten() for part in parts])
    golden.agrees(f"grad/{name}", own, _GRADIENTS, joined)
