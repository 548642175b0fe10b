"""Converts a folder in its authors' layout to a model folder, atomically."""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vlseg_cli.models.official import OfficialFolder
from vlseg_cli.models.registry import SYSTEMS, official_system
from vlseg_cli.schema import OutputError, WeightsError
from vlseg_cli.weights.conversion.coverage import Coverage, require_complete
from vlseg_cli.weights.read.shards import name_shards, write_shards
from vlseg_cli.weights.settings import CARD, CONFIG, TOKENIZER, load_settings, read_config

SHARD = 1 << 30  # bytes


def convert_folder(
    source: Path,
    target: Path,
    provenance: Mapping[str, Any],
    shard: int = SHARD,
) -> Coverage:
    """Convert ``source`` into ``target``, replacing an earlier conversion.

    provenance: origin of the files, written into the folder. shard: maximum bytes per file. Raises
    WeightsError naming every missing or unexpected tensor, OutputError if writing fails.
    """
    official = check_folder(source)
    _check_free(target)
    staged = target.with_name(f".{target.name}.part")
    shutil.rmtree(staged, ignore_errors=True)
    try:
        staged.mkdir(parents=True)
        _write(staged, official, provenance, shard)
        shutil.rmtree(target, ignore_errors=True)
        staged.rename(target)
    except OSError as error:
        shutil.rmtree(staged, ignore_errors=True)
        raise OutputError(
            f"{target} cannot be written ({error.strerror}): free disk space, then convert again"
        ) from error
    return official.coverage


def _open(source: Path) -> OfficialFolder:
    name = official_system(source)
    if name is None:
        kind = read_config(source).get("model_type")
        raise WeightsError(
            f"{source} is not of a system that vlseg converts ({', '.join(SYSTEMS)}); its "
            f"config.json has model_type {kind!r}"
        )
    return SYSTEMS[name].open_official(source)


def _check_free(target: Path) -> None:
    """Raise OutputError unless ``target`` is free, empty or an earlier conversion."""
    if not target.exists() or (target.is_dir() and not any(target.iterdir())):
        return
    try:
        converted = "provenance" in load_settings(target)
    except WeightsError:
        converted = False
    if not converted:
        raise OutputError(f"{target} exists and is not a converted folder: give a new one")


def check_folder(source: Path) -> OfficialFolder:
    """Inspect an official folder. Raises WeightsError unless all tensors match."""
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
    origin = [
        f"- {key}: {value}" for key, value in provenance.items() if not isinstance(value, dict)
    ]
    lines = ["# Converted by vlseg", "", *origin, "", "## What became of the tensors", ""]
    return "\n".join([*lines, *(f"- {line}" for line in coverage.lines())]) + "\n"
