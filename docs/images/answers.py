"""Draws answers.png, the README's picture: what the embedded default says about these examples.

python examples/answers.py
"""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from vlseg_cli.media import read_image
from vlseg_cli.models.registry import load_model
from vlseg_cli.outputs.overlay import draw_overlay
from vlseg_cli.schema import Categories, Expression, Prompt, PromptRequest, Question, Task

FOLDER = Path(__file__).parent
TILE, CAPTION, GAP = (480, 360), 34, 12


def main() -> None:
    """Ask four things about four pictures and put the answers side by side."""
    model = load_model(None, "cpu")
    asked: list[tuple[str, Task, Prompt, str]] = [
        (
            "kitchen",
            Task.REASON,
            Question("what keeps food cold?"),
            'reason "what keeps food cold?"',
        ),
        ("street", Task.REFER, Expression("the red bicycle"), 'refer "the red bicycle"'),
        ("beach", Task.PANOPTIC, Categories(model.categories, model.stuff), "segment"),
        ("harbour", Task.DETECT, Categories(model.categories, model.stuff), "detect"),
    ]
    width, height = TILE
    sheet = Image.new("RGB", (2 * width + GAP, 2 * (height + CAPTION) + GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(20)
    for number, (name, task, prompt, caption) in enumerate(asked):
        frame = read_image(FOLDER / f"{name}.png")
        (prediction,) = model.predict(model.encode([frame]), [PromptRequest(0, task, prompt)])
        x, y = (number % 2) * (width + GAP), (number // 2) * (height + CAPTION + GAP)
        draw.text((x, y + 6), f"vlseg {caption}", "black", font)
        picture = Image.fromarray(draw_overlay(frame, [prediction]))
        sheet.paste(picture.resize(TILE, Image.Resampling.LANCZOS), (x, y + CAPTION))
    sheet.save(FOLDER / "answers.png")


if __name__ == "__main__":
    main()
