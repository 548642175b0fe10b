"""Captions images with any vision-language model of transformers in a local folder."""

from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from vlseg_cli.models.checkpoint import usable_device
from vlseg_cli.schema import Frame, WeightsError
from vlseg_cli.schema.files import check_folder, reason_of


class Captioner:
    """Deterministic: captions depend on the image, not on the order of images."""

    def __init__(self, directory: Path, device: str | None = None) -> None:
        """Load the folder; code in it is not run.

        device: a torch device, None for a GPU if available. Raises WeightsError if the folder
        cannot be read, UsageError if the device cannot be used.
        """
        if not (directory / "config.json").is_file():
            raise WeightsError(
                f"{directory} is not a model folder: give one with a vision-language model of"
                " transformers, as written by save_pretrained"
            )
        try:
            check_folder(directory)
        except OSError as error:
            raise WeightsError(f"{error.filename} cannot be read ({reason_of(error)})") from error
        local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        try:
            self.processor = AutoProcessor.from_pretrained(directory, **local)
            model = AutoModelForImageTextToText.from_pretrained(
                directory, use_safetensors=True, **local
            )
        except Exception as error:  # transformers raises many types
            reason = " ".join(str(error).split())[:200]
            raise WeightsError(
                f"{directory} has no readable vision-language model ({reason})"
            ) from error
        self.device = usable_device(device)
        self.model = model.eval().to(self.device)

    @torch.inference_mode()
    def describe(
        self, frame: Frame, prompt: str, count: int, temperature: float, tokens: int
    ) -> list[str]:
        """``count`` captions of at most ``tokens`` tokens each.

        The first is decoded greedily, the others are sampled at ``temperature``.
        """
        inputs = self._inputs(Image.fromarray(frame.pixels), prompt).to(self.device)
        captions = []
        for number in range(count):
            torch.manual_seed(_seed(frame.source, number))
            sampling = {"do_sample": True, "temperature": temperature} if number else {}
            generated = self.model.generate(
                **inputs, max_new_tokens=tokens, **({"do_sample": False} | sampling)
            )
            if not self.model.config.is_encoder_decoder and "input_ids" in inputs:
                generated = generated[:, inputs["input_ids"].shape[1] :]
            (text,) = self.processor.batch_decode(generated, skip_special_tokens=True)
            captions.append(text.strip())
        return captions

    def _inputs(self, image: Image.Image, prompt: str) -> Any:
        """A conversation if the model has a chat template, else only the image, as for BLIP."""
        if not getattr(self.processor, "chat_template", None):
            return self.processor(images=image, return_tensors="pt")
        content = [{"type": "image", "image": image}, {"type": "text", "text": prompt}]
        return self.processor.apply_chat_template(
            [{"role": "user", "content": content}],
            add_generation_prompt=True,
            tokenize=True,
            return_dict=True,
            return_tensors="pt",
        )


def _seed(source: str, number: int) -> int:
    key = f"{number} {source}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(key, digest_size=4).digest())
