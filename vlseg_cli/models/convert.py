"""An official folder becomes a model folder of ours, whole or not at all."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vlseg_cli.models.official import OfficialFolder, read_config
from vlseg_cli.models.registry import SYSTEMS, official_system
from vlseg_cli.schema import OutputError, WeightsError
from vlseg_cli.weights.conversion.coverage import Coverage, require_complete
from vlseg_cli.weights.folder import CARD, CONFIG, TOKENIZER, load_settings
from vlseg_cli.weights.read.shards import name_shards, write_shards

SHARD = 1 << 30  # bytes


def convert_folder(
    source: Path,
    target: Path,
    provenance: Mapping[str, Any],
    shard: int = SHARD,
) -> Coverage:
    """Convert ``source`` into ``target``, replacing what an earlier conversion left there.

    provenance: where the files came from; it is written into the folder. Raises WeightsError,
    naming every tensor, unless all of them find their place and all of ours are filled;
    OutputError if the disk refuses.
    """
    official = check_folder(source)
    _check_free(target)
    part = target.with_name(f".{target.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        _write(part, official, provenance, shard)
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
    except OSError as error:
        shutil.rmtree(part, ignore_errors=True)
        raise OutputError(
            f"{target} cannot be written ({error.strerror}): free the place, then convert again"
        ) from error
    return official.coverage


def _open(source: Path) -> OfficialFolder:
    name = official_system(source)
    if name is None:
        kind = read_config(source).get("model_type")
        raise WeightsError(
            f"{source} is of none of the systems that vlseg converts ({', '.join(SYSTEMS)}); its "
            f"config.json says model_type {kind!r}"
        )
    return SYSTEMS[name].open_official(source)


def _check_free(target: Path) -> None:
    """Nothing but a converted folder is ever deleted to make room for a new one."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    try:
        converted = "provenance" in load_settings(target)
    except WeightsError:
        converted = False
    if not converted:
        raise OutputError(f"{target} is there already and no converted folder: give a new one")


def check_folder(source: Path) -> OfficialFolder:
    """Look through an official folder without writing. Raises WeightsError unless all fits."""
    official = _open(source)
    require_complete(official.coverage, source)
    return official


def _write(
    directory: Path, official: OfficialFolder, provenance: Mapping[str, Any], shard: int
) -> None:
    sizes = {ours: official.size(ours) for ours in official.names}
    write_shards(directory, name_shards(sizes, shard), official.read)
    settings = {
        "architecture": official.architecture,
        "config": dict(official.sizes),
        "categories": asdict(official.categories),
        "provenance": dict(provenance),
    }
    (directory / CONFIG).write_text(json.dumps(settings, indent=2) + "\n", "utf-8")
    official.tokenizer.save(directory / TOKENIZER)
    (directory / CARD).write_text(_card(official.coverage, provenance), "utf-8")


def _card(coverage: Coverage, provenance: Mapping[str, Any]) -> str:
    told = [f"- {key}: {value}" for key, value in provenance.items() if not isinstance(value, dict)]
    lines = ["# Converted by vlseg", "", *told, "", "## What became of the tensors", ""]
    return "\n".join([*lines, *(f"- {line}" for line in coverage.lines())]) + "\n"
