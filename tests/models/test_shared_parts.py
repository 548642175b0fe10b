"""What two systems have in common passes from one to the other, whole parts alone."""

from dataclasses import fields
from typing import Any

import pytest

from vlseg_cli.models.configs.mvp_lm import MVPLMConfig
from vlseg_cli.models.fresh import build_model
from vlseg_cli.models.shared_parts import take_parts
from vlseg_cli.models.trainables.mvp_lm import TrainableMVPLM
from vlseg_cli.prompts.tokenizer import word_tokenizer
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.folder import load_settings, load_tensors
from vlseg_cli.weights.resolve import model_folder

EMBEDDED = model_folder("embedded")
TABLES = {"language.embed_tokens.weight", "lm_head.weight"}


def mvp_lm(**sizes: Any) -> TrainableMVPLM:
    """With the embedded default's sizes, as far as an MVP-LM has them."""
    theirs = load_settings(EMBEDDED)["config"]
    known = {field.name for field in fields(MVPLMConfig)} - {"vocabulary"}
    config = {key: value for key, value in theirs.items() if key in known}
    learner = build_model("mvp-lm", {**config, "stuff_queries": 4, **sizes})
    assert isinstance(learner, TrainableMVPLM)
    return learner


def test_parts_of_the_same_size_are_taken_and_the_rest_begins_anew() -> None:
    learner, theirs = mvp_lm(), load_tensors(EMBEDDED)
    before = {name: tensor.clone() for name, tensor in learner.model.state_dict().items()}
    anew = learner.begin_with(EMBEDDED)
    assert {"decoder", "selection", "pixel_decoder"} <= set(anew)
    assert not {"vision_tower", "connector", "language"} & set(anew)
    now = learner.model.state_dict()
    for name in now.keys() - TABLES:
        expected = before if name.partition(".")[0] in anew else theirs
        assert now[name].equal(expected[name]), name


def test_words_that_were_added_keep_their_rows() -> None:
    learner, theirs = mvp_lm(), load_tensors(EMBEDDED)
    before = {name: tensor.clone() for name, tensor in learner.model.state_dict().items()}
    learner.begin_with(EMBEDDED)
    now = learner.model.state_dict()
    for name in TABLES:
        assert len(now[name]) == len(theirs[name]) + 1  # MVP-LM's summary token
        assert now[name][:-1].equal(theirs[name]) and now[name][-1].equal(before[name][-1])


def test_a_part_that_fits_in_half_is_not_taken() -> None:
    assert "language" in mvp_lm(language_feedforward=256).begin_with(EMBEDDED)


def test_nothing_in_common_is_an_error() -> None:
    learner = mvp_lm(swin_embed=16, connector_width=64, language_channels=96, pixel_channels=32)
    with pytest.raises(WeightsError, match=r"has no part of the same size to begin with"):
        learner.begin_with(EMBEDDED)


def test_words_counted_otherwise_are_an_error() -> None:
    learner = mvp_lm()
    with pytest.raises(WeightsError, match="counts its words otherwise"):
        take_parts(learner.model, word_tokenizer(["zebra", "apple"]), EMBEDDED)
