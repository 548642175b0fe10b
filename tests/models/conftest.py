"""Tiny models with random weights, as published and as the miniatures are, and synthetic scenes.

PSALM's are float64: sums in another order cannot move a cell across a mask's threshold, so equal
masks can be asserted exactly.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from models import published_layouts
from torch import Tensor, nn

from vlseg_cli.models.hyperseg.config import HyperSegConfig
from vlseg_cli.models.hyperseg.modeling import HyperSeg
from vlseg_cli.models.hyperseg.video import HyperSegVideoSegmenter
from vlseg_cli.models.mask2former.image_processing import fit_pixels
from vlseg_cli.models.mask2former.modeling import ImageFeatures
from vlseg_cli.models.psalm.config import PSALMConfig
from vlseg_cli.models.psalm.modeling import PSALM
from vlseg_cli.models.psalm.prompts import PSALMPrompts, psalm_prompts
from vlseg_cli.models.psalm.video import PSALMVideoSegmenter
from vlseg_cli.schema import Sample
from vlseg_cli.synthetic import vocabulary
from vlseg_cli.synthetic.hands import NAMES, STUFF
from vlseg_cli.synthetic.samples import SampleMix, synthetic_sample
from vlseg_cli.text.tokenizer import Tokenizer, miniature_tokenizer

SIZES: dict[str, Any] = {
    "image_size": 64,
    "swin_embed": 8,
    "swin_depths": (1, 1, 1, 1),
    "swin_heads": (1, 1, 2, 2),
    "swin_window": 2,
    "swin_drop_path": 0.0,
    "connector_width": 16,
    "connector_stride": 1,
    "pixel_channels": 32,
    "mask_channels": 16,
    "pixel_layers": 1,
    "pixel_heads": 2,
    "pixel_feedforward": 16,
    "language_channels": 24,
    "language_layers": 2,
    "language_heads": 2,
    "language_feedforward": 32,
    "queries": 6,
    "decoder_layers": 3,
    "decoder_heads": 2,
    "decoder_feedforward": 16,
    "generates_text": False,
}
DESIGNS: dict[str, dict[str, Any]] = {
    "published": SIZES,
    "miniature": {
        **SIZES,
        "prompt_style": "plain",
        "coordinates": True,
        "single_queries": 2,
        "region_source": "pixels",
        "regions_together": False,
    },
}
HYPERSEG: dict[str, Any] = {
    **{key: value for key, value in SIZES.items() if not key.startswith("connector")},
    "clip_size": 48,
    "clip_patch": 16,
    "clip_channels": 16,
    "clip_layers": 1,
    "clip_heads": 2,
    "clip_feedforward": 16,
    "fine_tokens": 4,
    "fine_channels": 16,
    "fine_heads": 2,
    "fine_head_channels": 8,
    "generates_text": True,
}
HYPERSEG_DESIGNS: dict[str, dict[str, Any]] = {
    "published": HYPERSEG,
    "miniature": {
        **HYPERSEG,
        "conditional_weight": True,
        "recognize_entities": True,
        "prompt_frames": 3,
        "prompt_style": "plain",
        "coordinates": True,
        "single_queries": 2,
        "region_source": "pixels",
        "regions_together": False,
        "region_memory": True,
    },
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Tensors this small are slower with more threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session", params=list(DESIGNS))
def design(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Sizes and switches of one of the two."""
    return DESIGNS[request.param]


@pytest.fixture(scope="session")
def miniature() -> dict[str, Any]:
    """Sizes and switches of the miniature alone."""
    return DESIGNS["miniature"]


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return miniature_tokenizer(vocabulary.words())


@pytest.fixture(scope="session")
def model(design: dict[str, Any], tokenizer: Tokenizer) -> PSALM:
    """Random weights large enough that outputs differ; not to be trained."""
    torch.manual_seed(5)
    psalm = PSALM(PSALMConfig.from_dict({**design, "vocabulary": len(tokenizer)})).double().eval()
    nn.init.normal_(psalm.seg_query)
    for linear in (*psalm.condition_projectors.values(), psalm.seg_query_projector):
        nn.init.normal_(linear.weight, std=1.0)
    return psalm


@pytest.fixture(scope="session")
def prompts(model: PSALM, tokenizer: Tokenizer) -> PSALMPrompts:
    return psalm_prompts(tokenizer, model.config)


@pytest.fixture(scope="session")
def samples() -> list[Sample]:
    """Three synthetic scenes with every kind of prompt."""
    mix = SampleMix(sentences=3, questions=1, regions=3, negatives=3, no_target=0.0)
    return [synthetic_sample(seed, 64, mix) for seed in (11, 12, 13)]


@pytest.fixture(scope="session")
def pixel_values(samples: list[Sample]) -> Tensor:
    """(3, 3, 64, 64) float64."""
    images = [torch.from_numpy(fit_pixels(sample.frame, 64)[0]) for sample in samples]
    return torch.stack(images).double()


@pytest.fixture
def features(model: PSALM, pixel_values: Tensor) -> ImageFeatures:
    """Encoded for each test, so that no prefix is cached before."""
    with torch.no_grad():
        return model.encode_image(pixel_values)


@pytest.fixture(scope="session")
def segmenter(model: PSALM, tokenizer: Tokenizer) -> PSALMVideoSegmenter:
    model.vision_tower.register_forward_pre_hook(lambda _, pixels: (pixels[0].double(),))
    return PSALMVideoSegmenter("tiny", model, tokenizer, NAMES, STUFF)


@pytest.fixture(scope="session", params=list(HYPERSEG_DESIGNS))
def hyperseg(request: pytest.FixtureRequest, tokenizer: Tokenizer) -> HyperSegVideoSegmenter:
    """A tiny HyperSeg with random weights large enough that outputs differ."""
    torch.manual_seed(7)
    rows = {"vocabulary": len(tokenizer), "head_rows": len(tokenizer) + 8}
    config = HyperSegConfig.from_dict({**HYPERSEG_DESIGNS[request.param], **rows})
    model = HyperSeg(config)
    nn.init.normal_(model.seg_query)
    for linear in (*model.condition_projectors.values(), model.seg_query_projector):
        nn.init.normal_(linear.weight, std=1.0)
    for layer in model.perceiver.layers:
        if layer.gate is not None:
            nn.init.normal_(layer.gate.layers[-1].weight, std=0.3)
    return HyperSegVideoSegmenter("tiny", model, tokenizer, NAMES, STUFF)


@pytest.fixture(scope="session")
def hyperseg_designs() -> dict[str, dict[str, Any]]:
    """Sizes and switches of both, by name."""
    return HYPERSEG_DESIGNS


@pytest.fixture(scope="session")
def published() -> dict[str, Tensor]:
    """PSALM's published state dict on the meta device; not to be changed."""
    return published_layouts.published()


@pytest.fixture(scope="session")
def published_hyperseg() -> dict[str, Tensor]:
    """HyperSeg's published state dict on the meta device; not to be changed."""
    return published_layouts.published_hyperseg()
