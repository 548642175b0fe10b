"""Time of more prompts on one image: python benchmarks/prompts.py [MODEL FOLDER]

Prints the median time of encoding once and predicting 1 to 16 expressions, and the ratio to one.
"""

import statistics
import sys
import time
from pathlib import Path

import torch

from vlseg_cli.media import read_image
from vlseg_cli.models.registry import load_model
from vlseg_cli.schema import Expression, PromptRequest, Task

IMAGE = Path(__file__).parents[1] / "examples" / "street.png"
COLORS = ("red", "orange", "yellow", "green", "blue", "purple", "pink", "black")
TEXTS = [f"the {color} {thing}" for thing in ("bicycle", "car") for color in COLORS]
RUNS = 15


def main() -> None:
    """Print one row per number of prompts."""
    torch.set_num_threads(2)
    model = load_model(sys.argv[1] if len(sys.argv) > 1 else None, "cpu")
    frame = read_image(IMAGE)
    first = 0.0
    print("prompts  ms  ratio")
    for count in (1, 2, 4, 8, 16):
        requests = [PromptRequest(0, Task.REFER, Expression(text)) for text in TEXTS[:count]]
        times = []
        for _ in range(RUNS + 1):  # the first is not counted
            start = time.perf_counter()
            model.predict(model.encode([frame]), requests)
            times.append(time.perf_counter() - start)
        median = statistics.median(times[1:])
        first = first or median
        print(f"{count:7d} {median * 1000:4.0f} {median / first:5.2f}")


if __name__ == "__main__":
    main()
