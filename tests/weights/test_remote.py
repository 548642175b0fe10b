"""What there is to fetch: what is wanted of a repository, and addresses that are none."""

from typing import Any

import pytest

from vlseg_cli.schema import WeightsError
from vlseg_cli.weights.catalog import CatalogEntry
from vlseg_cli.weights.remote import list_remote, wanted

ENTRY = CatalogEntry("Weights", "model", "psalm", "safetensors", repository="some/weights")
PLAIN = CatalogEntry("One file", "base", "sam", "pth")


def test_sizes_hashes_and_commit_are_told(hub: Any) -> None:
    hub.files = {"model.safetensors": b"12345", "config.json": b"{}", "notes.pdf": b"x"}
    remote = list_remote("some", ENTRY)
    assert (remote.source, remote.commit, remote.size) == ("some/weights", "a" * 40, 7)
    config, model = remote.files
    assert (config.path, config.size, config.sha256) == ("config.json", 2, None)
    assert model.url == f"{hub.url}/some/weights/resolve/{'a' * 40}/model.safetensors"
    assert model.sha256 and model.sha256.startswith("5994471a")


def test_a_pickle_is_wanted_only_where_nothing_safer_is() -> None:
    patterns = ("*.json", "*.safetensors", "*.bin")
    both = ["a.bin", "a.bin.index.json", "b.safetensors", "c.json", "d.txt"]
    assert wanted(both, patterns) == ["b.safetensors", "c.json"]
    assert wanted(["a.bin", "c.json"], patterns) == ["a.bin", "c.json"]
    deeper = ["latest", "global_step5/mp_rank_00_model_states.pt", "global_step5/optim.pt"]
    assert wanted(deeper, ("latest", "global_step*/mp_rank_00_model_states.pt")) == deeper[1::-1]


@pytest.mark.parametrize("path", ["../../x.json", "/x.json", "a/../../x.json", "a\\..\\x.json"])
def test_a_path_out_of_the_folder_is_refused(hub: Any, path: str) -> None:
    hub.files = {path: b"{}"}
    with pytest.raises(WeightsError, match="names a file outside of its folder"):
        list_remote("some", ENTRY)


@pytest.mark.parametrize("path", ["a\0.json", "a\nb.json", "half \ud800.json"])
def test_a_path_that_is_no_name_is_refused(hub: Any, path: str) -> None:
    hub.files = {path: b"{}"}
    with pytest.raises(WeightsError, match="names a file that no disk can hold") as caught:
        list_remote("some", ENTRY)
    assert str(caught.value).isprintable()


def test_a_repository_without_what_is_wanted(hub: Any) -> None:
    hub.files = {"training.log": b"x"}
    with pytest.raises(WeightsError, match="some/weights has none of the files"):
        list_remote("some", ENTRY)


@pytest.mark.parametrize("url", ["ftp://x/y", "https://x/", "/etc/passwd", "file:///etc/passwd"])
def test_an_address_that_is_none(hub: Any, url: str) -> None:
    with pytest.raises(WeightsError, match="is no address of a file"):
        list_remote("some", PLAIN, url=url)
