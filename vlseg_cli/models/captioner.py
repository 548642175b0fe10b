"""Any vision-language model of transformers, in a folder on this machine, says what it sees."""

from hashlib import blake2b
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from vlseg_cli.schema import Frame, UsageError, WeightsError


class Captioner:
    """Deterministic: the same picture, the same captions, in whatever order pictures come."""

    def __init__(self, directory: Path, device: str | None = None) -> None:
        """Read the folder; no code of its own is run.

        device: as torch names it, None for a GPU if there is one. Raises WeightsError if the folder
        cannot be read, UsageError for no device.
        """
        if not (directory / "config.json").is_file():
            raise WeightsError(
                f"{directory} is no model folder: give one with a vision-language model of"
                " transformers, as save_pretrained writes it"
            )
        local: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
        try:
            self.processor = AutoProcessor.from_pretrained(directory, **local)
            model = AutoModelForImageTextToText.from_pretrained(
                directory, use_safetensors=True, **local
            )
        except Exception as error:  # transformers and its readers raise whatever they like
            reason = " ".join(str(error).split())[:200]
            raise WeightsError(
                f"{directory} holds no vision-language model that can be read ({reason})"
            ) from error
        self.device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        try:
            self.model = model.eval().to(self.device)
        except (RuntimeError, AssertionError) as error:
            reason = str(error).splitlines()[0].rstrip(".")
            raise UsageError(f"--device {self.device}: {reason}; try cpu or cuda") from error

    @torch.inference_mode()
    def describe(
        self, frame: Frame, prompt: str, count: int, temperature: float, tokens: int
    ) -> list[str]:
        """``count`` captions of at most ``tokens`` tokens each.

        The first is what the model finds most likely, the others are drawn at ``temperature``.
        """
        inputs = self._inputs(Image.fromarray(frame.pixels), prompt).to(self.device)
        captions = []
        for number in range(count):
            torch.manual_seed(_seed(frame.source, number))
            drawn = {"do_sample": True, "temperature": temperature} if number else {}
            said = self.model.generate(
                **inputs, max_new_tokens=tokens, **({"do_sample": False} | drawn)
            )
            if not self.model.config.is_encoder_decoder and "input_ids" in inputs:
                said = said[:, inputs["input_ids"].shape[1] :]
            (text,) = self.processor.batch_decode(said, skip_special_tokens=True)
            captions.append(text.strip())
        return captions

    def _inputs(self, picture: Image.Image, prompt: str) -> Any:
        """As a conversation where the model knows any, else the picture alone, as BLIP takes it."""
        if not getattr(self.processor, "chat_template", None):
            return self.processor(images=picture, return_tensors="pt")
        content = [{"type": "image", "image": picture}, {"type": "text", "text": prompt}]
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
