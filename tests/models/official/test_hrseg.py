"""LLM-Seg as its authors publish it: read, converted, used; what is wrong with it is said."""

import ast
import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
from torch import Tensor

from vlseg_cli.models.official.convert import check_folder, convert_folder
from vlseg_cli.models.official.hrseg import open_official_llm_seg
from vlseg_cli.models.proposals.official_sam import is_official_sam, load_official_sam
from vlseg_cli.models.registry import load_model
from vlseg_cli.models.segmenters.hrseg import HRSegSegmenter
from vlseg_cli.schema import Ask, Question, Sample, Task, WeightsError

GOLDEN = Path(__file__).parents[2] / "parity" / "goldens" / "llmseg-a.safetensors"
ADAPTED = "model.layers.1.self_attn.v_proj"


def golden() -> tuple[dict[str, Any], dict[str, Tensor]]:
    with safe_open(str(GOLDEN), "pt") as file:
        config = ast.literal_eval(file.metadata()["config"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    return {k: ast.literal_eval(v) for k, v in config.items()}, tensors


def under(tensors: dict[str, Tensor], stem: str, name: str) -> dict[str, Tensor]:
    return {name + k.removeprefix(stem): t for k, t in tensors.items() if k.startswith(stem)}


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden's parts put together as DeepSpeed would have left them, with one adapter."""
    folder = tmp_path_factory.mktemp("llm-seg")
    sizes, tensors = golden()
    state = under(tensors, "w/", "") | under(tensors, "sam/w/", "model.visual_model.")
    state |= under(tensors, "dino/w/", "model.visual_model_dinov2.")
    generator = torch.Generator().manual_seed(0)
    width = sizes["H"]
    state[f"{ADAPTED}.lora_A.default.weight"] = torch.randn(2, width, generator=generator)
    state[f"{ADAPTED}.lora_B.default.weight"] = torch.randn(width, 2, generator=generator)
    (folder / "global_step12").mkdir()
    module = {f"base_model.model.{name}": tensor for name, tensor in state.items()}
    torch.save({"module": module}, folder / "global_step12" / "mp_rank_00_model_states.pt")
    (folder / "latest").write_text("global_step12")
    stated = {"view": 70, "mask_size": 32, "dino_heads": 4, "sam_decoder_heads": 2}
    stated |= {"clip_heads": sizes["clipheads"], "language_heads": sizes["lheads"]}
    stated |= {"fusion_heads": sizes["heads"], "empty": "top1_similarity"}
    (folder / "config.json").write_text(json.dumps({"vlseg": stated}))
    _tokenizer().save(str(folder / "tokenizer.json"))
    return folder


def _tokenizer() -> Tokenizer:
    words = ("<unk>", "<s>", "</s>", "A", "USER", ":", "ASSISTANT", "what", "barks", "?", ".")
    tokenizer = Tokenizer(models.WordLevel({w: i for i, w in enumerate(words)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.add_special_tokens([AddedToken(mark) for mark in words[:3]])
    return tokenizer


def answers(model: Any, sample: Sample) -> Any:
    asks = [Ask(0, Task.REASON, Question(text)) for text in ("what barks ?", "A what")]
    return [p.segments for p in model.answer(model.encode([sample.frame]), asks)]


def test_it_is_recognised_complete_and_answers(official: Path, samples: list[Sample]) -> None:
    assert check_folder(official).coverage.complete
    model = load_model(str(official), "cpu")
    assert isinstance(model, HRSegSegmenter) and model.model.config.windows == 0
    assert len(answers(model, samples[0])) == 2


def test_converted_it_answers_alike(official: Path, samples: list[Sample], tmp_path: Path) -> None:
    convert_folder(official, tmp_path / "model", {"from": "a test"})
    directly = answers(load_model(str(official), "cpu"), samples[0])
    assert answers(load_model(str(tmp_path / "model"), "cpu"), samples[0]) == directly


def test_adapters_are_in_the_weights(official: Path) -> None:
    opened = open_official_llm_seg(official)
    name = "llava.model.language_model.layers.1.self_attn.v_proj.weight"
    _, tensors = golden()
    ((_, ours),) = opened.read([name])
    adapter = opened.tensors[f"{ADAPTED}.lora_B.default.weight"]
    change = adapter @ opened.tensors[f"{ADAPTED}.lora_A.default.weight"]
    assert torch.allclose(ours, tensors[f"w/{ADAPTED}.weight"] + 2 * change, atol=1e-4)


def test_marks_are_added_in_order(official: Path) -> None:
    tokenizer = open_official_llm_seg(official).tokenizer
    ids = [tokenizer.rust.token_to_id(mark) for mark in ("[SEG]", "<im_start>", "<im_end>")]
    assert ids == [11, 12, 13]


def test_a_folder_without_a_tokenizer(
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
    (llava / "tokenizer.json").symlink_to(official / "tokenizer.json")
    assert open_official_llm_seg(bare).coverage.complete


def test_sam_as_published(tmp_path: Path) -> None:
    _, tensors = golden()
    assert not is_official_sam(tmp_path)
    torch.save(under(tensors, "sam/w/", ""), tmp_path / "sam_vit_t_0.pth")
    assert is_official_sam(tmp_path)
    sam = load_official_sam(tmp_path, "cpu", decoder_heads=2)
    with torch.no_grad():
        features = sam.look(tensors["sam/in/pixel_values"])
    assert torch.allclose(features, tensors["sam/out/image_embeddings"], atol=1e-4)
    torch.save({"image_encoder.x": torch.zeros(1)}, tmp_path / "sam_vit_t_0.pth")
    with pytest.raises(WeightsError, match="no LLM-Seg or SAM checkpoint"):
        load_official_sam(tmp_path, "cpu")
