"""The writer loses an item whose source is gone, and nothing else."""

from collections.abc import Sequence
from pathlib import Path

from jobs.media_files import write_film
from jobs.stub import StubModel, run_stub

from vlseg_cli.schema import Frame


class Thief(StubModel):
    """Removes its input, so that it cannot be opened again."""

    def __init__(self, wanted: Path) -> None:
        super().__init__()
        self.wanted = wanted

    def encode(self, frames: Sequence[Frame]) -> Sequence[Frame]:
        self.wanted.unlink(missing_ok=True)
        return super().encode(frames)


def test_an_input_that_vanishes_during_the_run_fails_alone(tmp_path: Path) -> None:
    first = write_film(tmp_path / "films" / "first.mp4", 12)
    write_film(tmp_path / "films" / "second.mp4", 12)
    out = tmp_path / "out"
    summary = run_stub(out, [tmp_path / "films"], model=Thief(first), formats=("video", "coco"))
    assert summary.finished
    assert (summary.exit_code, list(summary.failed)) == (3, [str(first)])
    assert [path.name for path in (out / "video").iterdir()] == ["second.mp4"]
    assert not (out / ".vlseg").exists()
