"""Where published weights lie on this machine, by the conventions of the Hugging Face Hub.

``$HF_HOME/vlseg/NAME/official`` has the files as published, ``model`` beside it the same weights as
a model folder of ours, and ``lock.json`` what was fetched first.
"""

import os
from pathlib import Path


def weights_home() -> Path:
    """``$HF_HOME/vlseg``; HF_HOME defaults to ``$XDG_CACHE_HOME/huggingface``."""
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    home = os.environ.get("HF_HOME") or f"{cache}/huggingface"
    return Path(os.path.expandvars(home)).expanduser() / "vlseg"


def official_folder(name: str) -> Path:
    """The files as their authors published them."""
    return weights_home() / name / "official"


def converted_folder(name: str) -> Path:
    """The same weights as a model folder of ours."""
    return weights_home() / name / "model"


def lock_file(name: str) -> Path:
    """What was fetched first: commit, sizes and SHA-256 of every file."""
    return weights_home() / name / "lock.json"
