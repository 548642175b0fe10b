"""LLM-Seg as its authors publish it: read, converted, used; damaged checkpoints are reported."""

from functools import cache
from pathlib import Path

import pytest
import torch
from miniatures import hrseg
from miniatures.golden import golden
from miniatures.tokenizers import LLAMA_PIECES
from torch import Tensor

from vlseg_cli.models.convert import check_folder
from vlseg_cli.models.hrseg.config import LLM_SEG, HRSegConfig
from vlseg_cli.models.hrseg.conversion import LLM_SEG_RULES, llm_seg_sizes, open_official_llm_seg
from vlseg_cli.models.hrseg.modeling import HRSeg
from vlseg_cli.models.hrseg.segmenter import HRSegSegmenter
from vlseg_cli.models.official import own_shapes
from vlseg_cli.models.proposals.conversion import is_official_sam, load_official_sam, sam_sizes
from vlseg_cli.models.registry import load_model
from vlseg_cli.schema import PromptRequest, Question, Sample, Task, WeightsError
from vlseg_cli.weights.conversion.coverage import Coverage, cover, require_complete
from vlseg_cli.weights.conversion.lora import Merged


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return hrseg.write(tmp_path_factory.mktemp("llm-seg") / "official", hrseg.tensors())


def test_the_official_folder_is_complete_and_predicts(
    official: Path, samples: list[Sample]
) -> None:
    assert check_folder(official).coverage.complete
    model = load_model(str(official), "cpu")
    assert isinstance(model, HRSegSegmenter) and model.model.config.windows == 0
    requests = [PromptRequest(0, Task.REASON, Question(text)) for text in ("What barks?", "A cup")]
    assert len(model.predict(model.encode([samples[0].frame]), requests)) == 2


def test_adapters_are_merged_into_the_weights(official: Path) -> None:
    opened = open_official_llm_seg(official)
    name = "llava.model.language_model.layers.1.self_attn.v_proj.weight"
    ((_, ours),) = opened.read([name])
    stored = opened.tensors[f"{hrseg.ADAPTED}.lora_B.default.weight"]
    assert stored.shape[1] == 2 and name in opened.coverage.used[f"{hrseg.ADAPTED}.weight"]
    assert torch.allclose(ours, hrseg.merged()[f"{hrseg.ADAPTED}.weight"], atol=1e-4)


def test_special_tokens_are_added_in_order(official: Path) -> None:
    tokenizer = open_official_llm_seg(official).tokenizer
    ids = [tokenizer.rust.token_to_id(mark) for mark in ("[SEG]", "<im_start>", "<im_end>")]
    first = len(LLAMA_PIECES)
    assert ids == [first, first + 1, first + 2]


def test_a_folder_without_a_tokenizer_uses_that_of_llava(
    official: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    bare = tmp_path / "bare"
    bare.mkdir()
    for name in ("latest", "config.json", "global_step12"):
        (bare / name).symlink_to(official / name)
    with pytest.raises(WeightsError, match="weights pull llava-lightning-7b-v1-1"):
        open_official_llm_seg(bare)
    llava = tmp_path / "home" / "vlseg" / "llava-lightning-7b-v1-1" / "official"
    llava.mkdir(parents=True)
    (llava / "tokenizer.model").symlink_to(official / "tokenizer.model")
    assert open_official_llm_seg(bare).coverage.complete


def test_the_published_sam_is_recognized_and_loaded(tmp_path: Path) -> None:
    file = golden("llmseg")
    assert not is_official_sam(tmp_path)
    torch.save(file.weights("sam/w/"), tmp_path / "sam_vit_t_0.pth")
    assert is_official_sam(tmp_path)
    sam = load_official_sam(tmp_path, "cpu", decoder_heads=2)
    with torch.no_grad():
        features = sam.encode_image(file["sam/in/pixel_values"])
    assert torch.allclose(features, file["sam/out/image_embeddings"], atol=1e-4)
    torch.save({"image_encoder.x": torch.zeros(1)}, tmp_path / "sam_vit_t_0.pth")
    with pytest.raises(WeightsError, match="no LLM-Seg or SAM checkpoint"):
        load_official_sam(tmp_path, "cpu")


Shapes = dict[str, tuple[int, ...]]
Official = dict[str, Tensor]


def affine(name: str, *weight: int) -> Shapes:
    """A weight and its bias, one number per output."""
    return {f"{name}.weight": weight, f"{name}.bias": weight[:1]}


def llama(vocabulary: int = 32004) -> Shapes:
    shapes: Shapes = {"lm_head.weight": (vocabulary, 4096), "model.norm.weight": (4096,)}
    shapes["model.embed_tokens.weight"] = (vocabulary, 4096)
    for layer in range(32):
        at = f"model.layers.{layer}"
        for part in "qkvo":
            shapes[f"{at}.self_attn.{part}_proj.weight"] = (4096, 4096)
        for part in "qv":
            shapes[f"{at}.self_attn.{part}_proj.lora_A.default.weight"] = (8, 4096)
            shapes[f"{at}.self_attn.{part}_proj.lora_B.default.weight"] = (4096, 8)
        shapes[f"{at}.self_attn.rotary_emb.inv_freq"] = (64,)
        shapes |= {f"{at}.mlp.{p}_proj.weight": (11008, 4096) for p in ("gate", "up")}
        shapes[f"{at}.mlp.down_proj.weight"] = (4096, 11008)
        for norm in ("input_layernorm", "post_attention_layernorm"):
            shapes[f"{at}.{norm}.weight"] = (4096,)
    return shapes | affine("model.mm_projector", 4096, 1024)


def clip() -> Shapes:
    at = "model.vision_tower.vision_tower.vision_model"
    shapes: Shapes = {
        f"{at}.embeddings.class_embedding": (1024,),
        f"{at}.embeddings.patch_embedding.weight": (1024, 3, 14, 14),
        f"{at}.embeddings.position_embedding.weight": (257, 1024),
        f"{at}.embeddings.position_ids": (1, 257),
    }
    shapes |= affine(f"{at}.pre_layrnorm", 1024) | affine(f"{at}.post_layernorm", 1024)
    for layer in range(24):
        block = f"{at}.encoder.layers.{layer}"
        for part in ("q_proj", "k_proj", "v_proj", "out_proj"):
            shapes |= affine(f"{block}.self_attn.{part}", 1024, 1024)
        shapes |= affine(f"{block}.mlp.fc1", 4096, 1024) | affine(f"{block}.mlp.fc2", 1024, 4096)
        shapes |= affine(f"{block}.layer_norm1", 1024) | affine(f"{block}.layer_norm2", 1024)
    return shapes


def dinov2() -> Shapes:
    at = "model.visual_model_dinov2"
    shapes: Shapes = {
        f"{at}.cls_token": (1, 1, 1024),
        f"{at}.mask_token": (1, 1024),
        f"{at}.pos_embed": (1, 1370, 1024),
    }
    shapes |= affine(f"{at}.patch_embed.proj", 1024, 3, 14, 14) | affine(f"{at}.norm", 1024)
    for layer in range(24):
        block = f"{at}.blocks.{layer}"
        shapes |= affine(f"{block}.attn.qkv", 3072, 1024) | affine(f"{block}.attn.proj", 1024, 1024)
        shapes |= affine(f"{block}.mlp.fc1", 4096, 1024) | affine(f"{block}.mlp.fc2", 1024, 4096)
        for number in (1, 2):
            shapes |= affine(f"{block}.norm{number}", 1024)
            shapes[f"{block}.ls{number}.gamma"] = (1024,)
    return shapes


def attention(name: str, width: int, inner: int) -> Shapes:
    """Projections of a SAM or fusion attention unit."""
    shapes = affine(f"{name}.out_proj", width, inner)
    for part in "qkv":
        shapes |= affine(f"{name}.{part}_proj", inner, width)
    return shapes


def sam(before: str) -> Shapes:
    encoder, decoder = f"{before}image_encoder", f"{before}mask_decoder"
    shapes: Shapes = {f"{encoder}.pos_embed": (1, 64, 64, 1280)}
    shapes |= affine(f"{encoder}.patch_embed.proj", 1280, 3, 16, 16)
    for layer in range(32):
        block, reach = f"{encoder}.blocks.{layer}", 127 if layer % 8 == 7 else 27
        shapes |= affine(f"{block}.norm1", 1280) | affine(f"{block}.norm2", 1280)
        shapes |= affine(f"{block}.attn.qkv", 3840, 1280) | affine(f"{block}.attn.proj", 1280, 1280)
        shapes |= {f"{block}.attn.rel_pos_{axis}": (reach, 80) for axis in "hw"}
        shapes |= affine(f"{block}.mlp.lin1", 5120, 1280) | affine(f"{block}.mlp.lin2", 1280, 5120)
    shapes[f"{encoder}.neck.0.weight"] = (256, 1280, 1, 1)
    shapes[f"{encoder}.neck.2.weight"] = (256, 256, 3, 3)
    shapes |= affine(f"{encoder}.neck.1", 256) | affine(f"{encoder}.neck.3", 256)
    prompts = f"{before}prompt_encoder"
    shapes[f"{prompts}.pe_layer.positional_encoding_gaussian_matrix"] = (2, 128)
    for name in (
        *(f"point_embeddings.{n}" for n in range(4)),
        "not_a_point_embed",
        "no_mask_embed",
    ):
        shapes[f"{prompts}.{name}.weight"] = (1, 256)
    for place, *weight in ((0, 4, 1, 2, 2), (1, 4), (3, 16, 4, 2, 2), (4, 16), (6, 256, 16, 1, 1)):
        shapes |= affine(f"{prompts}.mask_downscaling.{place}", *weight)
    for layer in range(2):
        block = f"{decoder}.transformer.layers.{layer}"
        shapes |= attention(f"{block}.self_attn", 256, 256)
        shapes |= attention(f"{block}.cross_attn_token_to_image", 256, 128)
        shapes |= attention(f"{block}.cross_attn_image_to_token", 256, 128)
        shapes |= affine(f"{block}.mlp.lin1", 2048, 256) | affine(f"{block}.mlp.lin2", 256, 2048)
        for number in range(1, 5):
            shapes |= affine(f"{block}.norm{number}", 256)
    shapes |= attention(f"{decoder}.transformer.final_attn_token_to_image", 256, 128)
    shapes |= affine(f"{decoder}.transformer.norm_final_attn", 256)
    shapes |= {f"{decoder}.iou_token.weight": (1, 256), f"{decoder}.mask_tokens.weight": (4, 256)}
    for place, *weight in ((0, 256, 64, 2, 2), (1, 64), (3, 64, 32, 2, 2)):
        shapes |= affine(f"{decoder}.output_upscaling.{place}", *weight)
    shapes[f"{decoder}.output_upscaling.0.bias"] = (64,)
    shapes[f"{decoder}.output_upscaling.3.bias"] = (32,)
    heads = [(f"output_hypernetworks_mlps.{n}", 32) for n in range(4)]
    for head, out in (*heads, ("iou_prediction_head", 4)):
        for layer, rows in enumerate((256, 256, out)):
            shapes |= affine(f"{decoder}.{head}.layers.{layer}", rows, 256)
    return shapes


def selection() -> Shapes:
    shapes = affine("model.lisa_dino_conv", 256, 1024, 1, 1)
    shapes |= affine("model.text_hidden_fcs.0.0", 4096, 4096)
    shapes |= affine("model.text_hidden_fcs.0.2", 256, 4096)
    for layer in range(2):
        block = f"model.lisa_attention_layers.{layer}"
        for name in ("self_attn", "cross_attn_token_to_image", "cross_attn_image_to_token"):
            shapes |= attention(f"{block}.{name}", 256, 256)
        for number in range(1, 5):
            shapes |= affine(f"{block}.norm{number}", 256)
        shapes |= affine(f"{block}.mlp.lin1", 2048, 256) | affine(f"{block}.mlp.lin2", 256, 2048)
    shapes |= attention("model.lisa_final_attn", 256, 256)
    shapes |= affine("model.lisa_norm_final_attn", 256)
    shapes |= affine("model.lisa_iou_head.0", 128, 256) | affine("model.lisa_iou_head.2", 1, 128)
    shapes |= affine("model.lisa_embedding_head.0", 2048, 256)
    return shapes | affine("model.lisa_embedding_head.2", 256, 2048)


@pytest.fixture(scope="module")
def published() -> Official:
    """Every entry without PEFT's prefix, on the meta device; not to be changed."""
    shapes = llama() | clip() | dinov2() | sam("model.visual_model.") | selection()
    return {name: torch.empty(shape, device="meta") for name, shape in shapes.items()}


def config_of(official: Official) -> HRSegConfig:
    shapes = {name: tuple(tensor.shape) for name, tensor in official.items()}
    return HRSegConfig.from_dict({**LLM_SEG, **llm_seg_sizes(shapes)})


def covered(official: Official) -> Coverage:
    return cover(LLM_SEG_RULES, Merged(official, 2.0), own(config_of(official)))


@cache
def own(config: HRSegConfig) -> Shapes:
    """Shapes of ours at these sizes."""
    return own_shapes(lambda: HRSeg(config))


def test_sizes_are_derived_from_the_tensors(published: Official) -> None:
    assert config_of(published) == HRSegConfig.from_dict(LLM_SEG)


def test_conversion_covers_all_tensors_in_both_directions(published: Official) -> None:
    coverage = covered(published)
    require_complete(coverage, "it")
    assert coverage.used.keys() | coverage.dropped.keys() == published.keys()
    assert len(coverage.dropped) == 32 * 4 + 32 + 1 and all(coverage.dropped.values())


@pytest.mark.parametrize("rows", [32003, 32004])
def test_embedding_rows_give_the_vocabulary_size(published: Official, rows: int) -> None:
    other = {
        n: torch.empty(rows, 4096, device="meta")
        for n in llama()
        if n.endswith("embed_tokens.weight")
    }
    other["lm_head.weight"] = torch.empty(rows, 4096, device="meta")
    assert config_of(published | other).vocabulary == rows


def test_base_layer_names_of_adapted_weights_are_accepted(published: Official) -> None:
    newer = {
        name.replace("q_proj.weight", "q_proj.base_layer.weight") if "layers" in name else name: t
        for name, t in published.items()
        if not ("vision_model" in name or "lisa" in name or "visual" in name)
    }
    rest = {
        n: t for n, t in published.items() if "vision_model" in n or "lisa" in n or "visual" in n
    }
    require_complete(covered(newer | rest), "it")


@pytest.mark.parametrize(
    "name",
    [
        "model.lisa_dino_conv.weight",
        "model.visual_model_dinov2.blocks.7.attn.qkv.bias",
        "model.visual_model.prompt_encoder.pe_layer.positional_encoding_gaussian_matrix",
        "model.layers.31.mlp.up_proj.weight",
        "model.text_hidden_fcs.0.2.bias",
    ],
)
def test_a_missing_tensor_is_named(published: Official, name: str) -> None:
    coverage = covered({key: tensor for key, tensor in published.items() if key != name})
    assert coverage.missing and not coverage.unknown
    with pytest.raises(WeightsError, match="it is no complete checkpoint: it lacks"):
        require_complete(coverage, "it")


def test_an_extra_tensor_is_named(published: Official) -> None:
    coverage = covered(published | {"model.visual_model.extra": torch.empty(1, device="meta")})
    assert coverage.unknown == ("model.visual_model.extra",) and not coverage.missing


def test_an_incomplete_adapter_is_rejected(published: Official) -> None:
    half = "model.layers.3.self_attn.v_proj.lora_B.default.weight"
    with pytest.raises(WeightsError, match=r"3\.self_attn\.v_proj\.lora_A.* lacks its other half"):
        covered({name: tensor for name, tensor in published.items() if name != half})
    alone = {
        name: t for name, t in published.items() if name != "model.layers.3.self_attn.v_proj.weight"
    }
    with pytest.raises(WeightsError, match=r"lacks its weight model\.layers\.3\.self_attn"):
        covered(alone)


def test_merged_weights_equal_the_lora_formula() -> None:
    a, b, weight = torch.randn(2, 6), torch.randn(4, 2), torch.randn(4, 6)
    stem = "model.layers.0.self_attn.q_proj"
    merged = Merged(
        {f"{stem}.weight": weight, f"{stem}.lora_A.weight": a, f"{stem}.lora_B.weight": b}, 2.0
    )
    assert torch.allclose(merged[f"{stem}.weight"], weight + 2 * b @ a, atol=1e-6)
    assert merged[f"{stem}.lora_A.weight"] is a and len(merged) == 3


def test_sizes_of_a_sam_checkpoint() -> None:
    assert sam_sizes(sam("")) == {
        "image": 1024,
        "patch": 16,
        "width": 1280,
        "layers": 32,
        "heads": 16,
        "window": 14,
        "global": [7, 15, 23, 31],
        "channels": 256,
        "decoder_feedforward": 2048,
    }
    with pytest.raises(WeightsError, match="no LLM-Seg or SAM checkpoint"):
        sam_sizes({"encoder.weight": (3, 4)})
