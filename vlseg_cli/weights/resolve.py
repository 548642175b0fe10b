"""From the name of a model to its folder, and to a digest that tells two models apart.

Free of torch: a job that is finished finds that out without loading anything.
"""

import hashlib
from pathlib import Path

from vlseg_cli.schema import WeightsError

# The miniature that comes with the package, trained by recipes/embedded.toml.
EMBEDDED = Path(__file__).parent / "embedded"

_WHOLE = 256 << 20  # larger files are told apart by their size, head and tail
_ENDS = 4 << 20


def model_folder(name: str | None) -> Path:
    """Where a model lies: a folder, or None or 'embedded' for the one that comes with vlseg.

    Raises WeightsError if there is none.
    """
    directory = EMBEDDED if name in (None, "embedded") else Path(str(name)).expanduser()
    if not directory.is_dir():
        raise WeightsError(
            f"there is no model folder {name!r}; give the folder that vlseg train wrote, or leave "
            "--model out for the embedded default"
        )
    return directory


def model_digest(directory: Path) -> str:
    """16 hexadecimal digits that change with the model's files (cards and notes aside)."""
    digest = hashlib.sha256()
    for path in sorted(directory.iterdir()):
        if path.suffix in (".json", ".safetensors") and path.is_file():
            digest.update(f"{path.name} {path.stat().st_size}\n".encode())
            _add(digest, path)
    return digest.hexdigest()[:16]


def _add(digest: "hashlib._Hash", path: Path) -> None:
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= _WHOLE:
            while block := file.read(1 << 20):
                digest.update(block)
        else:
            digest.update(file.read(_ENDS))
            file.seek(size - _ENDS)
            digest.update(file.read())
