"""What holds for every system: a text longer than its language model is refused."""

from pathlib import Path

import pytest
from miniatures.every import MINIATURES

from vlseg_cli.models.base import check_length
from vlseg_cli.models.registry import load_model
from vlseg_cli.schema import UsageError


@pytest.mark.parametrize("system", MINIATURES)
def test_a_text_longer_than_the_language_model_is_refused(system: str, tmp_path: Path) -> None:
    miniature = MINIATURES[system]
    model = load_model(str(miniature.write(tmp_path / system, miniature.tensors())), "cpu")
    check_length(model, "the red cup on the left")
    longest = "cup " * (4 * model.positions)
    with pytest.raises(UsageError, match=f"takes at most {model.positions:,}: shorten it"):
        check_length(model, longest)


def test_many_characters_may_be_few_tokens() -> None:
    model = load_model(device="cpu")
    check_length(model, "z" * 10 * model.positions)  # one unknown word
