"""Time of SELF1E's masks beside the backbone's alone.

    python benchmarks/self1e.py bfloat16    # the published 2B size, random weights, 5 GB of memory

One image, one expression, from pixels to mask logits, against vision tower and language layers
alone on the same inputs (no logits, no projector). The two alternate, so that the load of the
machine affects both; processor seconds are printed beside wall time.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from vlseg_cli.models.checkpoint import build_empty
from vlseg_cli.models.self1e.config import SELF1EConfig
from vlseg_cli.models.self1e.modeling import SELF1E
from vlseg_cli.models.self1e.prompts import SELF1EPrompts, self1e_tokenizer, until_seg
from vlseg_cli.nn.residual_refill import two_pathway_mask
from vlseg_cli.weights.folder import load_into

TEXT = "the small red cup left of the plate on the wooden table"


def main() -> None:
    """Print a line per round and the ratio of the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("dtype", choices=["bfloat16", "float32"])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    dtype = getattr(torch, chosen.dtype)
    config = SELF1EConfig()
    model = random_model(config, dtype)
    prompts = SELF1EPrompts(self1e_tokenizer(TEXT.split()), "self1e", config.image_tokens)
    conversation, picture = until_seg(prompts.phrase(TEXT)), torch.tensor([0])
    pixels = torch.randn(1, 3, config.image_size, config.image_size).to(dtype)
    embeds = torch.randn(1, len(conversation.ids), config.language_channels).to(dtype)
    image, seg = (torch.from_numpy(marks)[None] for marks in (conversation.image, conversation.seg))
    mask = two_pathway_mask(image, seg, torch.zeros_like(seg))

    def backbone() -> Tensor:
        model.internvl.model.vision_tower(pixels)
        hidden: Tensor = model.internvl.model.language_model(
            inputs_embeds=embeds, attention_mask=mask, use_cache=False
        ).last_hidden_state
        return hidden

    def segment() -> Tensor:
        masks: Tensor = model(model.encode_image(pixels), [conversation], picture).pred_masks
        return masks

    with torch.inference_mode():
        segment(), backbone()
        rounds = [(timed(backbone), timed(segment)) for _ in range(chosen.rounds)]
    print(
        f"{len(conversation.ids)} tokens, {chosen.dtype}, {chosen.threads} threads; s of clock, cpu"
    )
    for bare, whole in rounds:
        print("backbone {:6.2f} {:6.2f}   SELF1E {:6.2f} {:6.2f}".format(*bare, *whole))
    for kind, name in enumerate(("clock", "processor")):
        bare, whole = (statistics.median(r[which][kind] for r in rounds) for which in (0, 1))
        print(f"ratio of medians, {name}: {whole / bare:.3f}")


def random_model(config: SELF1EConfig, dtype: torch.dtype) -> SELF1E:
    """Weights as large as trained ones: denormal numbers are slow."""
    model = build_empty(lambda: SELF1E(config)).eval()
    tensors = {
        name: torch.ones(tensor.shape, dtype=dtype)
        if tensor.dim() == 1
        else torch.empty(tensor.shape, dtype=dtype).normal_(std=0.02)
        for name, tensor in model.state_dict().items()
    }
    load_into(model, tensors, Path("random weights"))
    return model


def timed(run: Callable[[], Tensor]) -> tuple[float, float]:
    """Wall and processor seconds."""
    clock, cpu = time.perf_counter(), time.process_time()
    run()
    return time.perf_counter() - clock, time.process_time() - cpu


if __name__ == "__main__":
    main()
