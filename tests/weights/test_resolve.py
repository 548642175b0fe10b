"""A name becomes a folder, or a sentence that says how to get it."""

from pathlib import Path

import pytest

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.pins import (
    Pin,
    PinnedFile,
    converted_folder,
    lock_file,
    official_folder,
    weights_home,
    write_pin,
)
from vlseg_cli.weights.resolve import EMBEDDED, model_folder, published_folder, stage


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize(
    ("variables", "place"),
    [
        ({"HF_HOME": "/a/b"}, "/a/b/vlseg"),
        ({"HF_HOME": "$MINE/b", "MINE": "/x"}, "/x/b/vlseg"),
        ({"XDG_CACHE_HOME": "/c"}, "/c/huggingface/vlseg"),
        ({"HOME": "/h"}, "/h/.cache/huggingface/vlseg"),
    ],
)
def test_where_weights_lie(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], place: str
) -> None:
    for name in ("HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert weights_home() == Path(place)


def test_how_far_a_name_has_come() -> None:
    assert stage("psalm") == "-"
    with pytest.raises(WeightsError, match="'vlseg weights pull psalm' fetches it"):
        model_folder("psalm")
    official_folder("psalm").mkdir(parents=True)
    assert stage("psalm") == "fetched" and model_folder("psalm") == official_folder("psalm")
    write_pin(lock_file("psalm"), Pin("x", files={"a": PinnedFile(1, "0")}))
    assert stage("psalm") == "in part"
    with pytest.raises(WeightsError, match="'vlseg weights pull psalm' resumes"):
        model_folder("psalm")
    converted_folder("psalm").mkdir()
    assert stage("psalm") == "converted" and published_folder("psalm") == converted_folder("psalm")


def test_the_embedded_one_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert model_folder(None) == model_folder("embedded") == published_folder("embedded")
    assert model_folder(None) == EMBEDDED and model_folder(str(tmp_path)) == tmp_path
    monkeypatch.chdir(tmp_path)
    (tmp_path / "psalm").mkdir()
    assert model_folder("./psalm") == Path("./psalm")
    with pytest.raises(WeightsError, match="is not on this machine"):
        model_folder("psalm")
    with pytest.raises(WeightsError, match=r"no model folder 'no/where'.*a name of"):
        model_folder("no/where")
