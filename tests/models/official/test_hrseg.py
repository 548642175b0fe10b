"""LLM-Seg as its authors publish it: read, converted, used; what is wrong with it is said."""

from pathlib import Path

import pytest
import torch
from miniatures import llm_seg
from miniatures.golden import golden
from miniatures.tokenizers import LLAMA_PIECES

from vlseg_cli.models.official.convert import check_folder
from vlseg_cli.models.official.hrseg import open_official_llm_seg
from vlseg_cli.models.proposals.official_sam import is_official_sam, load_official_sam
from vlseg_cli.models.registry import load_model
from vlseg_cli.models.segmenters.hrseg import HRSegSegmenter
from vlseg_cli.schema import Ask, Question, Sample, Task, WeightsError


@pytest.fixture(scope="module")
def official(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return llm_seg.write(tmp_path_factory.mktemp("llm-seg") / "official", llm_seg.tensors())


def test_it_is_recognised_complete_and_answers(official: Path, samples: list[Sample]) -> None:
    assert check_folder(official).coverage.complete
    model = load_model(str(official), "cpu")
    assert isinstance(model, HRSegSegmenter) and model.model.config.windows == 0
    asks = [Ask(0, Task.REASON, Question(text)) for text in ("What barks?", "A cup")]
    assert len(model.answer(model.encode([samples[0].frame]), asks)) == 2


def test_adapters_are_in_the_weights(official: Path) -> None:
    opened = open_official_llm_seg(official)
    name = "llava.model.language_model.layers.1.self_attn.v_proj.weight"
    ((_, ours),) = opened.read([name])
    stored = opened.tensors[f"{llm_seg.ADAPTED}.lora_B.default.weight"]
    assert stored.shape[1] == 2 and name in opened.coverage.used[f"{llm_seg.ADAPTED}.weight"]
    assert torch.allclose(ours, llm_seg.merged()[f"{llm_seg.ADAPTED}.weight"], atol=1e-4)


def test_marks_are_added_in_order(official: Path) -> None:
    tokenizer = open_official_llm_seg(official).tokenizer
    ids = [tokenizer.rust.token_to_id(mark) for mark in ("[SEG]", "<im_start>", "<im_end>")]
    first = len(LLAMA_PIECES)
    assert ids == [first, first + 1, first + 2]


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
    (llava / "tokenizer.model").symlink_to(official / "tokenizer.model")
    assert open_official_llm_seg(bare).coverage.complete


def test_sam_as_published(tmp_path: Path) -> None:
    file = golden("llmseg")
    assert not is_official_sam(tmp_path)
    torch.save(file.weights("sam/w/"), tmp_path / "sam_vit_t_0.pth")
    assert is_official_sam(tmp_path)
    sam = load_official_sam(tmp_path, "cpu", decoder_heads=2)
    with torch.no_grad():
        features = sam.look(file["sam/in/pixel_values"])
    assert torch.allclose(features, file["sam/out/image_embeddings"], atol=1e-4)
    torch.save({"image_encoder.x": torch.zeros(1)}, tmp_path / "sam_vit_t_0.pth")
    with pytest.raises(WeightsError, match="no LLM-Seg or SAM checkpoint"):
        load_official_sam(tmp_path, "cpu")
