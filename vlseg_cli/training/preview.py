"""The first batch as a picture: what a model is asked and what it should answer, for the eye.

One tile per query: the scene under its true masks, the words below. Errors in data show here long
before they show in a loss.
"""

import textwrap
from pathlib import Path

from PIL import Image, ImageDraw

from vlseg_cli.outputs.overlay import draw_overlay
from vlseg_cli.outputs.records import prompt_words
from vlseg_cli.schema import Categories, Frame, Prediction, Query, Sample, segment_from_mask
from vlseg_cli.training.recipe import Recipe
from vlseg_cli.training.sources import dataset_of

_TILE, _TEXT, _COLUMNS, _MOST = 224, 44, 6, 72  # px, px, tiles across, tiles in all


def draw_first_batch(recipe: Recipe, out: Path) -> list[Path]:
    """Write ``first-batch-<stage>.png`` for each stage that has pictures; returns the paths."""
    out.mkdir(parents=True, exist_ok=True)
    paths = []
    for stage in recipe.stage:
        if stage.data != "text":
            scenes = dataset_of(recipe, stage)
            drawn = [scenes[number] for number in range(stage.batch_size)]
            samples = [s for one in drawn for s in getattr(one, "samples", (one,))]
            paths.append(out / f"first-batch-{stage.name}.png")
            sheet(samples).save(paths[-1])
    return paths


def sheet(samples: list[Sample]) -> Image.Image:
    """Tiles of all queries of some samples in reading order, as many as one sheet holds."""
    tiles = [_tile(sample.frame, query) for sample in samples for query in sample.queries][:_MOST]
    rows = -(-len(tiles) // _COLUMNS)
    picture = Image.new("RGB", (_COLUMNS * _TILE, rows * (_TILE + _TEXT)), "white")
    for number, tile in enumerate(tiles):
        row, column = divmod(number, _COLUMNS)
        picture.paste(tile, (column * _TILE, row * (_TILE + _TEXT)))
    return picture


def _tile(frame: Frame, query: Query) -> Image.Image:
    overlay = Image.fromarray(draw_overlay(frame, [_truth(frame, query)]))
    tile = Image.new("RGB", (_TILE, _TILE + _TEXT), "white")
    tile.paste(overlay.resize((_TILE, _TILE)))
    words = prompt_words(query.prompt)
    text = words if isinstance(words, str) else ", ".join(words)
    lines = textwrap.wrap(f"{query.task} {query.kind}: {text}", 36)[:3]
    ImageDraw.Draw(tile).multiline_text((3, _TILE + 2), "\n".join(lines), fill="black", spacing=2)
    return tile


def _truth(frame: Frame, query: Query) -> Prediction:
    """The true masks as if a model had answered them."""
    names = query.prompt.names if isinstance(query.prompt, Categories) else ()
    segments = tuple(
        segment_from_mask(mask, 1.0, names[label] if names else "", int(label))
        for mask, label in zip(query.masks, query.labels, strict=True)
    )
    return Prediction(
        frame.source, frame.index, frame.height, frame.width, query.task, query.prompt, segments
    )
