"""``vlseg merge``: one folder from those of shards that ran on machines without a shared disk."""

import json
from pathlib import Path
from typing import Annotated

import typer

from vlseg_cli.cli import options
from vlseg_cli.jobs import merge_jobs


def command(
    folders: Annotated[
        list[Path], typer.Argument(metavar="DIR...", help="Output folders of the shards.")
    ],
    out: Annotated[Path, typer.Option(help="Folder to write to; it must not hold a job yet.")],
    as_json: options.ReportJSON = False,
) -> None:
    """Merge the folders of a job that ran in shards.

    vlseg merge shard-0 shard-1 --out whole
    """
    count = merge_jobs(folders, out)
    if as_json:
        print(json.dumps({"inputs": count, "out": str(out)}))
    else:
        print(f"Merged {count:,} inputs of {len(folders)} folders into {out}.")
