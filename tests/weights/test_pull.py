"""Fetching from a local server: complete, broken off, changed, refused, resumed."""

import os
import resource
import subprocess
import sys
from contextlib import nullcontext
from typing import Any

import pytest

from vlseg_cli.schema import OutputError, VlsegError, WeightsError
from vlseg_cli.weights.catalog import CatalogEntry
from vlseg_cli.weights.pins import lock_file, official_folder, read_pin, remove, verify
from vlseg_cli.weights.pull import PullResult, list_remote, pull, wanted

ENTRY = CatalogEntry("Weights", "model", "psalm", "safetensors", repository="some/weights")
SHARD = "model-00001-of-00001.safetensors"


@pytest.fixture
def served(hub: Any) -> Any:
    """A repository with a shard, a config, and what is not wanted of it."""
    hub.files = {
        SHARD: os.urandom(50_000),
        "config.json": b"{}",
        "pytorch_model.bin": b"a pickle with the same in it",
        "training.log": b"long",
    }
    return hub


def fetch_all(entry: CatalogEntry = ENTRY, **options: Any) -> PullResult:
    return pull("some", entry, lambda *_: nullcontext(lambda _: None), **options)


def fails(error: type[VlsegError], **options: Any) -> str:
    with pytest.raises(error) as caught:
        fetch_all(**options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def is_whole(hub: Any) -> bool:
    folder = official_folder("some")
    names = {file.name for file in folder.iterdir()}
    return names == {SHARD, "config.json"} and all(
        (folder / name).read_bytes() == hub.files[name] for name in names
    )


def test_everything_wanted_is_fetched_and_pinned(served: Any) -> None:
    got = fetch_all()
    assert (got.fetched, got.files) == (2, 2) and is_whole(served)
    pin = read_pin(lock_file("some"))
    assert pin == got.pin == verify("some")
    assert (pin.source, pin.commit, pin.complete) == ("some/weights", "a" * 40, True)
    assert pin.files.keys() == {SHARD, "config.json"}


def test_a_second_time_fetches_nothing(served: Any) -> None:
    fetch_all()
    served.asked.clear()
    assert fetch_all().fetched == 0
    assert [path for path, *_ in served.asked] == [f"/api/models/some/weights/revision/{'a' * 40}"]


def test_nothing_but_what_was_named_is_asked_for(served: Any) -> None:
    """No telemetry and no side calls."""
    fetch_all()
    assert {path for path, *_ in served.asked} == {
        "/api/models/some/weights/revision/main",
        f"/some/weights/resolve/{'a' * 40}/{SHARD}",
        f"/some/weights/resolve/{'a' * 40}/config.json",
    }


def test_the_token_goes_to_the_hub(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    fetch_all()
    assert {authorization for *_, authorization in served.asked} == {"Bearer hf_secret"}
    assert "hf_secret" not in lock_file("some").read_text()


def test_a_connection_lost_now_and_then_resumes_by_itself(served: Any) -> None:
    served.breaks, served.break_after = {SHARD: 3}, 10_000
    fetch_all()
    ranges = [asked for path, asked, _ in served.asked if path.endswith(SHARD)]
    assert ranges == ["", "bytes=10000-", "bytes=20000-", "bytes=30000-"] and is_whole(served)


def test_a_connection_lost_for_good_ends_and_the_next_pull_resumes(served: Any) -> None:
    served.breaks = {SHARD: 99}
    served.break_after = 0
    assert "cannot be reached; try again" in fails(WeightsError)
    served.break_after, served.breaks = 20_000, {SHARD: 1}
    served.status = 200
    served.asked.clear()
    fetch_all()
    assert is_whole(served)


def test_what_had_come_is_not_asked_for_again(served: Any) -> None:
    served.breaks, served.break_after = {SHARD: 1}, 30_000

    def unplugged(_: int) -> None:
        if len([path for path, *_ in served.asked if path.endswith(SHARD)]) == 1:
            served.status = 503

    with pytest.raises(WeightsError, match="responds with status 503; try again later"):
        pull("some", ENTRY, lambda *_: nullcontext(unplugged))
    served.status = 200
    served.asked.clear()
    fetch_all()
    assert ("bytes=30000-") in {asked for path, asked, _ in served.asked if path.endswith(SHARD)}
    assert is_whole(served)


def test_a_server_that_ignores_the_range(served: Any) -> None:
    served.breaks, served.break_after, served.forgets = {SHARD: 2}, 30_000, True
    fetch_all()
    assert is_whole(served)


def test_other_bytes_than_announced_are_thrown_away(served: Any) -> None:
    served.sent = {SHARD: os.urandom(50_000)}
    said = fails(WeightsError)
    assert f"{SHARD} is not what was expected" in said and "SHA-256" in said
    assert [f.name for f in official_folder("some").iterdir() if "model" in f.name] == []
    served.sent = {}
    fetch_all()
    assert is_whole(served)


def test_a_file_cut_short_by_the_server(served: Any) -> None:
    served.sent = {SHARD: served.files[SHARD][:40_000]}
    assert f"{SHARD} arrived with 40000 bytes instead of 50000" in fails(WeightsError)
    served.sent = {}
    fetch_all()
    assert is_whole(served)


def test_a_changed_file_is_found_and_fetched_again(served: Any) -> None:
    fetch_all()
    shard = official_folder("some") / SHARD
    data = bytearray(shard.read_bytes())
    data[1234] ^= 1
    shard.write_bytes(data)
    with pytest.raises(WeightsError, match=f"{SHARD} has SHA-256 .* instead of the pinned"):
        verify("some")
    assert fetch_all().fetched == 1 and is_whole(served)


def test_a_truncated_and_a_missing_file_are_found_and_fetched_again(served: Any) -> None:
    fetch_all()
    folder = official_folder("some")
    (folder / SHARD).write_bytes(b"short")
    (folder / "config.json").unlink()
    with pytest.raises(WeightsError) as caught:
        verify("some")
    assert f"config.json is missing; {SHARD} has 5 bytes instead of 50000" in str(caught.value)
    assert fetch_all().fetched == 2 and is_whole(served)


def test_the_pinned_commit_is_asked_for_ever_after(served: Any) -> None:
    fetch_all()
    remove("some")
    served.asked.clear()
    fetch_all()
    assert served.asked[0][0].endswith("a" * 40) and is_whole(served)


def test_a_server_that_changes_a_pinned_file_is_refused(served: Any) -> None:
    fetch_all()
    remove("some")
    served.files["config.json"] = b"[]"
    assert "config.json is not what was expected" in fails(WeightsError)


def test_an_update_has_to_be_asked_for(served: Any) -> None:
    fetch_all()
    served.commit, served.files["config.json"] = "c" * 40, b'{"new": 1}'
    got = fetch_all(update=True)
    assert got.pin.commit == "c" * 40 and is_whole(served)
    assert got.fetched == 2 and verify("some").files["config.json"].size == 10


@pytest.mark.parametrize(
    ("status", "gated", "said"),
    [
        (401, False, "needs a token that may read it: set HF_TOKEN"),
        (403, False, "needs a token that may read it: set HF_TOKEN"),
        (403, True, "is gated: ask for access on its page, then set HF_TOKEN"),
        (404, False, "there is nothing at some/weights; it may have moved"),
        (500, False, "responds with status 500; try again later"),
    ],
)
def test_a_refusal_says_what_to_do(served: Any, status: int, gated: bool, said: str) -> None:
    served.status, served.gated = status, gated
    assert said in fails(WeightsError)


def test_no_server_at_all(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "cannot be reached; try again with a network, or place its files" in fails(WeightsError)


def test_offline_is_obeyed(served: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    said = fails(WeightsError)
    assert "HF_HUB_OFFLINE is set" in said and str(official_folder("some")) in said
    assert served.asked == []


def test_a_disk_without_room_is_said_before_anything_is_fetched(served: Any) -> None:
    assert "GB more and its disk has" in fails(OutputError, room=1e12)
    assert len(served.asked) == 1


def test_a_disk_that_fills_up_ends_in_a_sentence_and_resumes(served: Any) -> None:
    """A limit on the size of files stands for the end of the disk."""
    program = (
        "import resource\n"
        "from vlseg_cli.weights.catalog import CatalogEntry\n"
        "from vlseg_cli.weights.pull import pull\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))\n"
        "entry = CatalogEntry('', 'model', 'psalm', 'safetensors', repository='some/weights')\n"
        "from contextlib import nullcontext\n"
        "pull('some', entry, lambda *_: nullcontext(lambda _: None))"
    )
    env = {**os.environ, "HF_HUB_OFFLINE": "0"}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True)
    assert "OutputError: the disk is too full for" in done.stderr.splitlines()[-1]
    assert "pull again, which resumes" in done.stderr
    served.asked.clear()
    fetch_all()
    assert "bytes=20000-" in {asked for _, asked, _ in served.asked} and is_whole(served)
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY


def test_a_second_process_is_refused(served: Any) -> None:
    def second(*_: object) -> Any:
        assert "another vlseg is fetching some" in fails(WeightsError)
        return nullcontext(lambda _: None)

    assert pull("some", ENTRY, second).fetched == 2


def test_files_placed_by_hand_are_pinned_when_verified(served: Any) -> None:
    with pytest.raises(WeightsError, match="some is not on this machine"):
        verify("some")
    folder = official_folder("some")
    folder.mkdir(parents=True)
    (folder / SHARD).write_bytes(b"by hand")
    assert verify("some").files[SHARD].size == 7
    (folder / SHARD).write_bytes(b"by h4nd")
    with pytest.raises(WeightsError, match="instead of the pinned"):
        verify("some")


def test_removing_frees_the_disk_and_keeps_the_pin(served: Any) -> None:
    fetch_all()
    assert remove("some") == 50_002
    assert not official_folder("some").exists() and lock_file("some").is_file()
    assert remove("some") == 0


@pytest.mark.parametrize(
    "name", ["Gewichte für Bäume.json", "重み/設定.json", "a b+c%20d#e?f.json"]
)
def test_names_in_any_script(served: Any, name: str) -> None:
    served.files[name] = b"{}"
    got = fetch_all(
        CatalogEntry("Weights", "model", "psalm", "safetensors", repository="some/weights")
    )
    assert got.pin.files.keys() == {SHARD, "config.json", name}
    assert (official_folder("some") / name).read_bytes() == b"{}"
    assert verify("some") == got.pin and fetch_all().fetched == 0


PLAIN = CatalogEntry("One file", "base", "sam", "pth", files=("one.pth",))


def test_an_entry_without_an_address_takes_one(served: Any) -> None:
    served.files["one.pth"] = os.urandom(30_000)
    with pytest.raises(WeightsError, match="some has no URL; give one with --url"):
        fetch_all(PLAIN)
    served.breaks, served.break_after = {"one.pth": 2}, 10_000
    fetch_all(PLAIN, url=f"{served.url}/plain/one.pth")
    assert (official_folder("some") / "one.pth").read_bytes() == served.files["one.pth"]
    (official_folder("some") / "one.pth").unlink()
    assert fetch_all(PLAIN).pin.source.endswith("/plain/one.pth")
    served.files["one.pth"] = os.urandom(30_000)
    (official_folder("some") / "one.pth").unlink()
    with pytest.raises(WeightsError, match=r"one\.pth is not what was expected"):
        fetch_all(PLAIN)


def test_an_entry_with_an_address_is_fetched_like_any_other(served: Any) -> None:
    """Disk checked first, gone on with, pinned, and refused when it changes."""
    entry = CatalogEntry("One file", "base", "sam", "pth", url=f"{served.url}/plain/one.pth")
    served.files["one.pth"] = os.urandom(30_000)
    assert "GB more and its disk has" in fails(OutputError, entry=entry, room=1e12)
    served.breaks, served.break_after = {"one.pth": 1}, 10_000
    got = fetch_all(entry)
    assert "bytes=10000-" in {asked for _, asked, _ in served.asked}
    assert (got.pin.source, got.pin.commit) == (entry.url, "")
    assert (official_folder("some") / "one.pth").read_bytes() == served.files["one.pth"]
    served.files["one.pth"] = os.urandom(30_000)
    remove("some")
    assert "one.pth is not what was expected" in fails(WeightsError, entry=entry)
    assert fetch_all(entry, update=True).fetched == 1 and verify("some").complete


def test_sizes_hashes_and_commit_are_told(hub: Any) -> None:
    hub.files = {"model.safetensors": b"12345", "config.json": b"{}", "notes.pdf": b"x"}
    remote = list_remote("some", ENTRY)
    assert (remote.source, remote.commit) == ("some/weights", "a" * 40)
    config, model = remote.files
    assert (config.size, model.size) == (2, 5)
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
    with pytest.raises(WeightsError, match="is no URL of a file"):
        list_remote("some", PLAIN, url=url)
