"""What is wrong with a published folder of any system is said by name: a tensor that is missing,
one too many, one of another shape, one that has another name."""

from pathlib import Path

import pytest
import torch
from miniatures.every import MINIATURES
from torch import Tensor

from vlseg_cli.models.convert import check_folder, convert_folder
from vlseg_cli.models.registry import SYSTEMS, load_model, official_system
from vlseg_cli.schema import WeightsError

PREFIX = {"hrseg": "base_model.model."}  # what PEFT puts before every name
# A tensor of the authors, and what it becomes.
TENSORS = {
    "psalm": ("region_projector.bias", "condition_projectors.region.bias"),
    "hyperseg": (
        "mgvp_layers.layers.0.0.to_kv.weight",
        "perceiver.layers.0.attention.to_kv.weight",
    ),
    "mvp-lm": ("predictor.enc_output.bias", "selection.project.bias"),
    "self1e": ("combine_decode_proj_all.2.bias", "refill.amplify.2.bias"),
    "hrseg": ("model.lisa_norm_final_attn.bias", "fusion.norm.bias"),
}
# A tensor that alone tells a size.
WITNESSES = {
    "psalm": "model.embed_tokens.weight",
    "hyperseg": "temporal_query",
    "mvp-lm": "model.embed_tokens.weight",
    "self1e": "language_model.model.embed_tokens.weight",
    "hrseg": "model.visual_model_dinov2.patch_embed.proj.weight",
}


def test_every_system_has_a_miniature(tmp_path: Path) -> None:
    assert MINIATURES.keys() == SYSTEMS.keys() == TENSORS.keys() == WITNESSES.keys()
    for system, miniature in MINIATURES.items():
        folder = miniature.write(tmp_path / system, miniature.tensors())
        assert official_system(folder) == system


@pytest.mark.parametrize("system", TENSORS)
@pytest.mark.parametrize("damage", ["missing", "extra", "misshapen", "renamed"])
def test_what_does_not_fit_is_named(system: str, damage: str, tmp_path: Path) -> None:
    (theirs, ours), tensors = TENSORS[system], MINIATURES[system].tensors()
    stored, more = PREFIX.get(system, "") + theirs, f"{theirs}_more"
    tensor = tensors[stored]
    rows, *rest = tensor.shape
    said = ""
    match damage:
        case "missing":
            del tensors[stored]
            said = f"lacks {ours}"
        case "extra":
            tensors[f"{stored}_more"] = tensor.clone()
            said = f"has unknown {more}"
        case "misshapen":
            tensors[stored] = torch.zeros(rows + 1, *rest)
            said = f"has {theirs} {(rows + 1, *rest)}: {ours} would be"
        case "renamed":
            tensors[f"{stored}_more"] = tensors.pop(stored)
            said = f"lacks {ours}; has unknown {more}"
    assert_refused(system, tensors, said, tmp_path)


@pytest.mark.parametrize("system", WITNESSES)
def test_what_alone_tells_a_size_is_named(system: str, tmp_path: Path) -> None:
    tensors = MINIATURES[system].tensors()
    del tensors[PREFIX.get(system, "") + WITNESSES[system]]
    assert_refused(system, tensors, WITNESSES[system], tmp_path)


def assert_refused(system: str, tensors: dict[str, Tensor], said: str, tmp_path: Path) -> None:
    folder = MINIATURES[system].write(tmp_path / "official", tensors)
    with pytest.raises(WeightsError) as caught:
        check_folder(folder)
    assert said in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("system", TENSORS)
def test_what_does_not_fit_is_neither_converted_nor_loaded(system: str, tmp_path: Path) -> None:
    (theirs, ours), tensors = TENSORS[system], MINIATURES[system].tensors()
    del tensors[PREFIX.get(system, "") + theirs]
    folder = MINIATURES[system].write(tmp_path / "official", tensors)
    with pytest.raises(WeightsError, match=f"lacks {ours}"):
        convert_folder(folder, tmp_path / "ours", {})
    with pytest.raises(WeightsError, match=f"lacks {ours}"):
        load_model(str(folder), "cpu")
    assert [path.name for path in tmp_path.iterdir()] == ["official"]
