"""Every expression of the wide language means exactly its targets, by the facts of the scene."""

import numpy as np
import pytest
from synthetic.language.wide.meaning import meaning

from vlseg_cli.synthetic.referring import referring_expression
from vlseg_cli.synthetic.scene import WIDE_KINDS, Scene


@pytest.mark.parametrize("heldout", [False, True])
@pytest.mark.parametrize("kind", WIDE_KINDS)
def test_an_expression_means_exactly_its_targets(
    kind: str, heldout: bool, wide_scenes: list[Scene]
) -> None:
    rng = np.random.default_rng(1)
    read = 0
    for scene in wide_scenes:
        for _ in range(4):
            sentence = referring_expression(scene, rng, kind, heldout=heldout)
            if sentence is not None:
                assert sentence.kind == kind
                assert meaning(sentence.text, kind, scene) == set(sentence.targets), sentence
                assert sentence.text == sentence.text.lower()
                read += 1
    assert read > 100
