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
from vlseg_cli.weights.resolve import EMBEDDED, model_digest, model_folder, published_folder, stage


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


def test_the_digest_follows_what_is_read(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "README.md").write_bytes(b"a card")
    first = model_digest(tmp_path)
    assert len(first) == 16
    (tmp_path / "README.md").write_bytes(b"another card")
    assert model_digest(tmp_path) == first
    (tmp_path / "pytorch_model.bin").write_bytes(b"weights")
    assert model_digest(tmp_path) != first


def test_the_digest_follows_the_latest_step_of_a_training_folder(tmp_path: Path) -> None:
    steps = [tmp_path / name for name in ("step1", "step2")]
    for step in steps:
        step.mkdir()
        (step / "mp_rank_00_model_states.pt").write_text(step.name)
    digests = set()
    for named in ("step1", "step2"):
        (tmp_path / "latest").write_text(f"{named}\n")
        digests.add(model_digest(tmp_path))
    (steps[1] / "mp_rank_00_model_states.pt").write_text("others")
    assert len({*digests, model_digest(tmp_path)}) == 3
