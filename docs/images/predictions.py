"""Draws predictions.png, the README's image: four predictions of the embedded default.

python docs/images/predictions.py
"""

from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from vlseg_cli.media import read_image
from vlseg_cli.models.registry import load_model
from vlseg_cli.outputs.overlay import draw_overlay
from vlseg_cli.schema import Categories, Expression, Prompt, PromptRequest, Question, Task

FOLDER = Path(__file__).parent
EXAMPLES = FOLDER.parents[1] / "examples"
TILE, CAPTION, GAP = (480, 360), 34, 12
QUESTION, EXPRESSION = "what keeps food cold?", "the clock"


def main() -> None:
    """Run four prompts on three images and draw the results side by side."""
    model = load_model(None, "cpu")
    everything = Categories(model.categories, model.stuff)
    tiles: list[tuple[str, Task, Prompt, float | None, str]] = [
        ("kitchen", Task.REASON, Question(QUESTION), None, f'reason "{QUESTION}"'),
        ("room", Task.REFER, Expression(EXPRESSION), None, f'refer "{EXPRESSION}"'),
        ("beach", Task.PANOPTIC, everything, None, "segment"),
        ("kitchen", Task.DETECT, everything, 0.9, "detect --threshold 0.9"),
    ]
    width, height = TILE
    sheet = Image.new("RGB", (2 * width + GAP, 2 * (height + CAPTION) + GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(20)
    for number, (name, task, prompt, threshold, caption) in enumerate(tiles):
        frame = read_image(EXAMPLES / f"{name}.png")
        request = PromptRequest(0, task, prompt, threshold)
        (prediction,) = model.predict(model.encode([frame]), [request])
        x, y = (number % 2) * (width + GAP), (number // 2) * (height + CAPTION + GAP)
        draw.text((x, y + 6), f"vlseg {caption}", "black", font)
        overlay = Image.fromarray(draw_overlay(frame, [prediction]))
        sheet.paste(overlay.resize(TILE, Image.Resampling.LANCZOS), (x, y + CAPTION))
    sheet.save(FOLDER / "predictions.png")


if __name__ == "__main__":
    main()
