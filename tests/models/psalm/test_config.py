"""The defaults are the published sizes, and invalid values are errors of one sentence."""

import json
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from vlseg_cli.models.hyperseg.config import HyperSegConfig
from vlseg_cli.models.hyperseg.training import HyperSegLosses
from vlseg_cli.models.psalm.config import PSALMConfig
from vlseg_cli.models.psalm.segmenter import PSALMSegmenter
from vlseg_cli.models.registry import load_model
from vlseg_cli.models.training import read_losses
from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.resolve import EMBEDDED
from vlseg_cli.weights.settings import CONFIG


def test_json_and_back(design: dict[str, Any]) -> None:
    config = PSALMConfig.from_dict(design)
    assert PSALMConfig.from_dict(json.loads(json.dumps(asdict(config)))) == config
    assert PSALMConfig.from_dict({}) == PSALMConfig()


def test_keys_of_the_release_before_are_still_read() -> None:
    old = PSALMConfig.from_dict({"talks": False, "likeness": 0.7})
    assert old == PSALMConfig(generates_text=False, appearance_threshold=0.7)
    assert not {"talks", "likeness"} & asdict(old).keys()
    assert HyperSegConfig.from_dict({"talks": False}) == HyperSegConfig(generates_text=False)


def test_a_model_folder_with_the_old_keys_loads(tmp_path: Path) -> None:
    folder = shutil.copytree(EMBEDDED, tmp_path / "old")
    settings = json.loads((folder / CONFIG).read_text())
    config = settings["config"]
    config["talks"] = config.pop("generates_text")
    config["likeness"] = config.pop("appearance_threshold")
    (folder / CONFIG).write_text(json.dumps(settings))
    loaded = load_model(str(folder), "cpu")
    assert isinstance(loaded, PSALMSegmenter)
    assert not loaded.generates_text and loaded.model.config.appearance_threshold == 0.8


def test_losses_of_the_release_before_are_still_read() -> None:
    old = read_losses(HyperSegLosses, {"void": 0.2, "meant_names": 0.3, "alike": 0.5})
    assert (old.no_object_weight, old.sentence_class, old.reid_aux) == (0.2, 0.3, 0.5)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"query": 3}, "the PSALM configuration: unknown key 'query'; did you mean 'queries'"),
        ({"queries": 3.5}, "queries must be a whole number, not 3.5"),
        ({"prompt_style": "long"}, "prompt_style = 'long'; known are plain, psalm"),
        ({"region_source": "air"}, "region_source = 'air'; known are pixels, tokens"),
        ({"image_size": 100}, "image_size is 100, no multiple of 32"),
        ({"queries": 3, "single_queries": 4}, "single_queries are 4, more than its 3 queries"),
    ],
)
def test_invalid_values_are_named(values: dict[str, Any], expected: str) -> None:
    with pytest.raises(WeightsError, match=expected):
        PSALMConfig.from_dict(values)
