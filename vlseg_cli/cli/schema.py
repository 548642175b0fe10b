"""``vlseg schema``: JSON Schemas of what vlseg reads and writes, from the dataclasses it uses.

An editor that knows the schema of a recipe completes its keys and marks wrong values.
"""

import json
from enum import StrEnum
from typing import Annotated, Any

import typer


class SchemaKind(StrEnum):
    """What there are schemas of."""

    RECIPE = "recipe"
    PROMPTS = "prompts"
    RECORD = "record"


def command(
    kind: Annotated[
        SchemaKind,
        typer.Argument(
            help="A TOML recipe, a row of a prompts file, or a line that --json prints."
        ),
    ],
) -> None:
    """Print the JSON Schema of a recipe, a prompts file's row or a record.

    vlseg schema recipe > recipe.schema.json

    vlseg schema record > record.schema.json
    """
    make = {
        SchemaKind.RECIPE: recipe_schema,
        SchemaKind.PROMPTS: prompts_schema,
        SchemaKind.RECORD: record_schema,
    }
    print(json.dumps(make[kind](), indent=2))


def recipe_schema() -> dict[str, Any]:
    """Of a recipe, parsed from TOML; [model.config] and [losses] are left to the architecture."""
    from vlseg_cli.schema.tables import json_schema
    from vlseg_cli.training.recipe import Recipe

    return json_schema(Recipe)


def prompts_schema() -> dict[str, Any]:
    """Of a row of a prompts file in JSON lines."""
    from vlseg_cli.cli.prompts_file.row import PromptFileRow
    from vlseg_cli.schema.tables import json_schema

    return json_schema(PromptFileRow)


def record_schema() -> dict[str, Any]:
    """Of a line that ``--json`` prints."""
    from vlseg_cli.schema import Record
    from vlseg_cli.schema.tables import json_schema

    schema = json_schema(Record)
    for kind, key, written in (("Record", "is_video", "video"), ("Segment", "rle", "segmentation")):
        table = schema["$defs"][kind]
        table["properties"][written] = table["properties"].pop(key)
        table["required"] = [written if name == key else name for name in table["required"]]
    return schema
