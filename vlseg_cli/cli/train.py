"""``vlseg train``: train a model from a recipe."""

import json
from pathlib import Path
from typing import Annotated

import typer

from vlseg_cli.schema import RecipeError


def command(
    recipe: Annotated[Path, typer.Argument(metavar="RECIPE", help="A TOML recipe.")],
    overrides: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="k=v", help="Change a key of the recipe. Repeatable."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the recipe's data sets.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Folder of the run.", show_default="runs/ and the recipe's name"),
    ] = None,
    restart: Annotated[
        bool,
        typer.Option("--restart/--resume", help="Start over, or resume from the last checkpoint."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the whole plan and train nothing.")
    ] = False,
) -> None:
    """Train a model from a recipe.

    vlseg train recipes/embedded.toml --set stage.0.steps=100

    vlseg train recipes/hyperseg.toml --out runs/hyperseg --dry-run
    """
    if not recipe.is_file():
        raise RecipeError(f"There is no recipe {recipe}: give a TOML file, as in recipes/.")
    from vlseg_cli.training.train import train

    changes = [*(overrides or ()), *([f"data.root={json.dumps(str(data))}"] if data else ())]
    train(recipe, out or Path("runs") / recipe.stem, changes, dry_run, restart)
