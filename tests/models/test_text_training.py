"""Text-only training: batches of sentences and one loss per attribute."""

from typing import Any

import numpy as np
import pytest
import torch

from vlseg_cli.models.psalm.prompts import PSALMPrompts
from vlseg_cli.models.psalm.training import TrainablePSALM
from vlseg_cli.models.registry import build_trainable
from vlseg_cli.models.text_training import TextCollator, TextHeads, sentence_end
from vlseg_cli.schema import Sample
from vlseg_cli.schema.sample import TextSample
from vlseg_cli.synthetic.categories import COLORS
from vlseg_cli.synthetic.hands import NAMES
from vlseg_cli.synthetic.text_samples import POSITIONS, text_sample
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.training.vocabulary import synthetic_vocabulary

PLAIN = TextSample("the cup", frozenset({NAMES[3]}))
RICH = TextSample(
    "the red cup left of the tree", frozenset({NAMES[3]}), "red", POSITIONS[0], NAMES[5]
)
TWO = TextSample("what keeps food?", frozenset({NAMES[0], NAMES[1]}))


@pytest.fixture
def trainable(miniature: dict[str, Any]) -> TrainablePSALM:
    torch.manual_seed(0)
    return build_trainable(
        "psalm", synthetic_vocabulary(), miniature, {"points": 0, "assignment": "first"}
    )


def test_attributes_become_indices(tokenizer: Tokenizer) -> None:
    batch = TextCollator(PSALMPrompts(tokenizer, "plain", 1, 1).sentence, synthetic_vocabulary())(
        [PLAIN, RICH, TWO]
    )
    assert batch.category_shares.sum(1).tolist() == [1, 1, 1]
    assert batch.category_shares[2].nonzero()[:, 0].tolist() == [0, 1]
    assert batch.color.tolist() == [-1, tuple(COLORS).index("red"), -1]
    assert batch.position.tolist() == [-1, 0, -1]
    assert batch.anchor.tolist() == [-1, 5, -1]
    assert batch.to("meta").anchor.device.type == "meta"


def test_losses_on_generated_sentences_decrease(trainable: TrainablePSALM) -> None:
    rng = np.random.default_rng(0)
    batch = trainable.text_collator()([text_sample(rng) for _ in range(16)])
    optimizer = torch.optim.Adam(trainable.parameters(), 3e-3)
    totals = []
    for _ in range(12):
        losses = trainable(batch)
        total = torch.stack(list(losses.values())).sum()
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        totals.append(total.item())
    assert set(losses) == {
        "text_category",
        "text_color",
        "text_position",
        "text_anchor",
        "text_next_token",
    }
    assert totals[-1] < 0.8 * totals[0]


def test_absent_attributes_have_no_loss(trainable: TrainablePSALM) -> None:
    losses = trainable(trainable.text_collator()([PLAIN, TWO]))
    assert set(losses) == {"text_category", "text_next_token"}
    assert all(loss.isfinite() for loss in losses.values())


def test_vision_modules_get_no_gradient(trainable: TrainablePSALM) -> None:
    losses = trainable(trainable.text_collator()([PLAIN, RICH]))
    torch.stack(list(losses.values())).sum().backward()
    groups = trainable.parameter_groups()
    for name in ("vision", "connector", "pixel_decoder", "mask_decoder"):
        assert all(p.grad is None for p in groups[name])
    assert all(p.grad is not None and p.grad.any() for p in trainable.words.anchor.parameters())


def test_sentences_without_category_have_no_loss() -> None:
    heads, hidden = TextHeads(8, synthetic_vocabulary()), torch.randn(3, 8, requires_grad=True)
    loss = heads.class_loss(hidden, torch.zeros(3, len(NAMES)))
    loss.backward()
    assert loss.item() == 0
    shares = torch.zeros(3, len(NAMES))
    shares[1, 4] = 1
    expected = -heads.category(hidden[1]).log_softmax(0)[4]
    assert heads.class_loss(hidden, shares).item() == pytest.approx(expected.item())


def test_the_sentence_state_is_that_of_its_seg_token(
    trainable: TrainablePSALM, tokenizer: Tokenizer, samples: list[Sample]
) -> None:
    prompts = PSALMPrompts(tokenizer, "plain", 6, 2)
    sequences = [prompts.sentence(text) for text in ("cup", "the red cup left of the tree")]
    with torch.no_grad():
        features = trainable.eval().model.encode_image(torch.randn(1, 3, 64, 64))
        output = trainable.model.run_language_model(
            features, sequences, torch.zeros(2, dtype=torch.long)
        )
    ends = sentence_end(output)
    for row in range(2):
        (position,) = (output.ids[row] == tokenizer.seg).nonzero()[:, 0].tolist()
        assert ends[row].equal(output.hidden[row, position])
