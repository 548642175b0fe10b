"""Pictures of a part that may still be abandoned."""

from vlseg_cli.outputs.folder import OutputFolder


class UnfinishedPictures:
    """Writes the files of the current part, and takes them back if it is abandoned."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder
        self._written: list[tuple[str, ...]] = []

    def write(self, data: bytes, *parts: str) -> None:
        """Write a file below the folder, atomically."""
        self._written.append(parts)
        self._folder.write(data, *parts)

    def keep(self) -> None:
        """The part is complete."""
        self._written.clear()

    def remove(self) -> None:
        """The part will not be completed."""
        for parts in self._written:
            self._folder.remove(*parts)
        self._written.clear()
