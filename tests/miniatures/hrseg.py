"""LLM-Seg as DeepSpeed saves it: PEFT's names, unmerged adapters, LLaMA's tokenizer.

The golden file has DINOv2 and SAM apart, with sizes of their own; here all is one checkpoint.
"""

from dataclasses import replace
from pathlib import Path

import torch
from miniatures.golden import Tensors, golden, write_config
from miniatures.tokenizers import llama_tokenizer, write_sentencepiece
from parity.golden import Golden
from parity.llmseg_golden import config_of
from tokenizers import AddedToken
from torch import Tensor

from vlseg_cli.models.hrseg.config import OWN_SAM, HRSegConfig
from vlseg_cli.models.hrseg.conversion import LLM_SEG_RULES
from vlseg_cli.models.hrseg.modeling import HRSeg
from vlseg_cli.models.hrseg.segmenter import HRSegSegmenter
from vlseg_cli.text.tokenizer import Tokenizer

ADAPTED = "model.layers.1.self_attn.v_proj"
# Sizes that no tensor has; the heads of DINOv2 and of SAM's decoder are the golden file's.
_STATED = {"view": 70, "mask_size": 32, "dino_heads": 4, "sam_decoder_heads": 2}
_COMPONENTS = {
    "dino_layers": 2,
    "dino_native": 70,
    "sam_image": 64,
    "sam_width": 16,
    "sam_layers": 2,
    "sam_heads": 2,
    "sam_window": 2,
    "sam_global": (1,),
    "sam_channels": 16,
    "sam_decoder_feedforward": 32,
}


def merged() -> dict[str, Tensor]:
    """All golden weights under the authors' names."""
    file, sam, dino = golden("llmseg"), "model.visual_model.", "model.visual_model_dinov2."
    return {
        **file.weights(),
        **{sam + name: tensor for name, tensor in file.weights("sam/w/").items()},
        **{dino + name: tensor for name, tensor in file.weights("dino/w/").items()},
    }


def tensors() -> dict[str, Tensor]:
    """The same with one adapter apart, in PEFT's names."""
    state, random = merged(), torch.Generator().manual_seed(0)
    weight = state[f"{ADAPTED}.weight"]
    down = torch.randn(2, weight.shape[1], generator=random)
    up = torch.randn(weight.shape[0], 2, generator=random)
    state[f"{ADAPTED}.weight"] = weight - 2.0 * up @ down
    state |= {f"{ADAPTED}.lora_A.default.weight": down, f"{ADAPTED}.lora_B.default.weight": up}
    return {f"base_model.model.{name}": tensor for name, tensor in state.items()}


def write(folder: Path, tensors: Tensors) -> Path:
    """A folder as published, with the tokenizer of the LLaVA that it was trained from."""
    step = folder / "global_step12"
    step.mkdir(parents=True)
    torch.save({"module": dict(tensors)}, step / "mp_rank_00_model_states.pt")
    (folder / "latest").write_text("global_step12")
    config = config_of(golden("llmseg"))
    heads = {key: getattr(config, key) for key in ("clip_heads", "language_heads", "fusion_heads")}
    write_config(folder, {"vlseg": {**_STATED, **heads}})
    write_sentencepiece(folder / "tokenizer.model")
    return folder


def config() -> HRSegConfig:
    """The golden file's sizes and those of its DINOv2 and SAM."""
    return replace(config_of(golden("llmseg")), proposals=OWN_SAM, **_STATED, **_COMPONENTS)


def segmenter() -> HRSegSegmenter:
    """A model with the golden weights, read from no folder."""
    whole = Golden(Path("golden"), {}, {f"w/{name}": t for name, t in merged().items()})
    model = HRSeg(config()).eval()
    whole.fill(model, LLM_SEG_RULES)
    rust = llama_tokenizer()
    rust.add_tokens([AddedToken("[SEG]", normalized=False)])
    rust.add_special_tokens([AddedToken(mark) for mark in ("<im_start>", "<im_end>")])
    return HRSegSegmenter("golden", model, Tokenizer(rust), "digest")
