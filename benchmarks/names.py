"""Memory and time of 1,203 category names on one image, in chunks and all at once.

    python benchmarks/names.py runs/mvp-lm-mini/model    # a trained MVP-LM
    python benchmarks/names.py --full-size               # the published size, random weights, 11 GB

As many names as LVIS has, made of the words of the synthetic scenes. The peak memory of the process
is printed after each pass, chunks first, as it only grows; then how far the two differ.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from loading import peak_memory

from vlseg_cli.media import read_image
from vlseg_cli.models.mvp_lm.config import MVPLMConfig
from vlseg_cli.models.mvp_lm.modeling import MVPLM
from vlseg_cli.models.mvp_lm.segmenter import MVPLMSegmenter
from vlseg_cli.models.registry import load_model
from vlseg_cli.schema import Categories, Prediction, PromptRequest, Task
from vlseg_cli.synthetic.vocabulary import words
from vlseg_cli.text.tokenizer import miniature_tokenizer

IMAGE = Path(__file__).parents[1] / "examples" / "street.png"


def main() -> None:
    """Print a line per pass, then the largest differences."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", nargs="?", help="folder of a trained MVP-LM")
    parser.add_argument("--full-size", action="store_true", help="random weights instead")
    parser.add_argument("--names", type=int, default=1203)
    chosen = parser.parse_args()
    segmenter = random_model() if chosen.full_size else load_model(chosen.model, "cpu")
    if not isinstance(segmenter, MVPLMSegmenter):
        sys.exit("Name a folder with an MVP-LM, or --full-size.")
    request = PromptRequest(0, Task.DETECT, Categories(names(chosen.names)), 0.0)
    encoded = segmenter.encode([read_image(IMAGE)])
    print(f"the model and one image: {peak_memory() / 1e9:.2f} GB")
    predictions = []
    for at_once in (segmenter.names_per_pass, chosen.names):
        segmenter.names_per_pass = at_once
        start = time.perf_counter()
        (prediction,) = segmenter.predict(encoded, [request])
        predictions.append(prediction)
        print(
            f"{chosen.names:,} names, {at_once:,} at once: "
            f"{time.perf_counter() - start:.1f} s, peak {peak_memory() / 1e9:.2f} GB"
        )
    score, box = differences(*predictions)
    print(f"{len(predictions[0].segments)} boxes; differ by {score:.1e} in score, {box:.1e} px")


def random_model() -> MVPLMSegmenter:
    """MVP-LM at its published size with random weights."""
    model = MVPLM(MVPLMConfig(prompt_style="plain"))
    return MVPLMSegmenter("random", model, miniature_tokenizer(words()), (), ())


def names(count: int) -> tuple[str, ...]:
    """Different names of three words."""
    known = sorted(words())
    return tuple(f"{known[i % 97]} {known[i // 97]} {known[i % 31]}" for i in range(count))


def differences(one: Prediction, other: Prediction) -> tuple[float, float]:
    """The largest in score and in px, of the same boxes in the same order."""
    assert [segment.label for segment in one.segments] == [s.label for s in other.segments]
    pairs = list(zip(one.segments, other.segments, strict=True))
    boxes = [np.abs(np.subtract(a.bbox, b.bbox)).max() for a, b in pairs]
    return max(abs(a.score - b.score) for a, b in pairs), float(max(boxes))


if __name__ == "__main__":
    main()
