"""Make data for training."""

from vlseg_cli.cli import data_caption

VERBS = {"caption": data_caption.command}
