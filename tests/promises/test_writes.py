"""Nothing is written outside the output folder, whatever the names of the inputs."""

from pathlib import Path

import pytest
from jobs.media_files import stamps, tree, write_photos
from jobs.stub import run_stub

from vlseg_cli.outputs import FORMATS
from vlseg_cli.schema import OutputError, UsageError

_HOSTILE = (
    "..png",
    "...png",
    "-rf.png",
    "a\nb.png",
    "a\\..\\..\\b.png",
    "%2e%2e%2fb.png",
    "con.png",
    "x" * 240 + ".png",
    "$(touch owned).png",
    "café\u202egnp.png",
    "~.png",
)


def _hostile_photos(folder: Path) -> Path:
    original = write_photos(folder / "one", 1) / "000.png"
    photos = folder / "photos"
    photos.mkdir()
    for name in _HOSTILE:
        (photos / name).write_bytes(original.read_bytes())
    (photos / b"broken-\xff\xfe.png".decode(errors="surrogateescape")).write_bytes(
        original.read_bytes()
    )
    return photos


def test_hostile_names_stay_in_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = _hostile_photos(tmp_path)
    monkeypatch.chdir(tmp_path)
    out = tmp_path / "below" / "out"
    out.parent.mkdir()
    before = stamps(tmp_path / "photos"), sorted(tmp_path.iterdir())
    summary = run_stub(out, sorted(photos.iterdir()), formats=tuple(FORMATS))
    assert not summary.failed
    assert (stamps(tmp_path / "photos"), sorted(tmp_path.iterdir())) == before
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert len(list((out / "overlay").iterdir())) == len(_HOSTILE) + 1


@pytest.mark.parametrize("name", ["overlay", ".vlseg"])
def test_a_link_that_leads_out_is_not_followed(name: str, tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", 2)
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    elsewhere.mkdir()
    out.mkdir()
    (out / name).symlink_to(elsewhere)
    with pytest.raises(OutputError, match="leads out of"):
        run_stub(out, [photos])
    assert tree(elsewhere) == {}


def test_a_link_in_place_of_a_result_is_refused(tmp_path: Path) -> None:
    photos = write_photos(tmp_path / "photos", 2)
    out, secret = tmp_path / "out", tmp_path / "secret"
    secret.write_text("mine")
    (out / "overlay").mkdir(parents=True)
    (out / "overlay" / "000.png").symlink_to(secret)
    with pytest.raises(UsageError, match=r"overlay/000\.png"):
        run_stub(out, [photos])
    assert secret.read_text() == "mine"
