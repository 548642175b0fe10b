"""The defaults are the published sizes, and what cannot be a PSALM is refused in a sentence."""

import json
from dataclasses import asdict
from typing import Any

import pytest

from vlseg_cli.models.psalm.config import PSALMConfig
from vlseg_cli.schema import WeightsError


def test_json_and_back(design: dict[str, Any]) -> None:
    config = PSALMConfig.from_dict(design)
    assert PSALMConfig.from_dict(json.loads(json.dumps(asdict(config)))) == config
    assert PSALMConfig.from_dict({}) == PSALMConfig()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"query": 3}, "the PSALM configuration: unknown key 'query'; did you mean 'queries'"),
        ({"queries": 3.5}, "queries must be a whole number, not 3.5"),
        ({"prompt_style": "long"}, "prompt_style = 'long'; known are plain, psalm"),
        ({"region_source": "air"}, "region_source = 'air'; known are pixels, tokens"),
        ({"image_size": 100}, "image_size is 100, no multiple of 32"),
        ({"queries": 3, "single_queries": 4}, "single_queries are 4, more than its 3 queries"),
    ],
)
def test_what_cannot_be(values: dict[str, Any], said: str) -> None:
    with pytest.raises(WeightsError, match=said):
        PSALMConfig.from_dict(values)
