"""What every test may use: options, the golden PSALM as published, a Hugging Face Hub."""

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import pytest

if TYPE_CHECKING:
    from vlseg_cli.text.tokenizer import Tokenizer


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--goldens",
        type=Path,
        help="directory of golden files to run against (default: the folder's own goldens/)",
    )
    parser.addoption(
        "--full-size",
        action="store_true",
        help="promises in full: 200 kills, 10,000 mutants, 100,000 frames (an hour or two)",
    )


@pytest.fixture(scope="session", autouse=True)
def _threads() -> None:
    """Tests run in a process per core."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _ordinary_priority() -> Iterator[None]:
    """SVT-AV1 gives the process of a superuser that encodes AV1 real-time priority for good; then
    its main thread keeps all others, such as NumPy's, from the processor."""
    _leave_real_time()
    yield
    _leave_real_time()


def _leave_real_time() -> None:
    if hasattr(os, "SCHED_FIFO") and os.sched_getscheduler(0) == os.SCHED_FIFO:
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))


@pytest.fixture(scope="session")
def official_psalm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The golden PSALM as a folder in its authors' layout: two shards, config, tokenizer."""
    from miniatures import psalm

    return psalm.write(tmp_path_factory.mktemp("psalm") / "official", psalm.tensors())


@dataclass
class Hub:
    """A Hugging Face Hub on this machine. files: what every repository has.

    Faults on request: break a file's connection after so many bytes so many times, respond with a
    status, send other bytes than listed, ignore the requested range.
    """

    url: str = ""
    commit: str = "a" * 40
    files: dict[str, bytes] = field(default_factory=dict)
    sent: dict[str, bytes] = field(default_factory=dict)  # instead of the real bytes
    breaks: dict[str, int] = field(default_factory=dict)
    break_after: int = 1000
    status: int = 200
    gated: bool = False
    forgets: bool = False
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # path, range, authorization

    def listing(self) -> dict[str, object]:
        siblings = [
            {
                "rfilename": name,
                "size": len(data),
                "blobId": "b" * 40,
                "lfs": {
                    "sha256": hashlib.sha256(data).hexdigest(),
                    "size": len(data),
                    "pointerSize": 130,
                }
                if name.endswith(".safetensors")
                else None,
            }
            for name, data in self.files.items()
        ]
        return {"id": "any/thing", "sha": self.commit, "siblings": siblings}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """Serve a hub on loopback for one test; vlseg fetches from it into an empty HF_HOME."""
    from huggingface_hub import close_session, constants

    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            """No log."""

        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            asked = self.headers.get("range", ""), self.headers.get("authorization", "")
            hub.asked.append((path, *asked))
            name = path.partition(f"/{hub.commit}/")[2] or path.rpartition("/")[2]
            if hub.status != 200:
                self._send(hub.status, b"no", {"X-Error-Code": "GatedRepo"} if hub.gated else {})
            elif path.startswith("/api/models/"):
                self._send(200, json.dumps(hub.listing()).encode(), {})
            elif (name in hub.files and f"/{hub.commit}/" in path) or path == f"/plain/{name}":
                self._send_file(name, asked[0])
            else:
                self._send(404, b"not found", {})

        def _send_file(self, name: str, asked: str) -> None:
            data = hub.sent.get(name, hub.files[name])
            begin = 0 if hub.forgets else int(asked.removeprefix("bytes=").rstrip("-") or 0)
            if begin >= len(data) > 0:
                self._send(416, b"", {"Content-Range": f"bytes */{len(data)}"})
                return
            extra = {"Content-Range": f"bytes {begin}-{len(data) - 1}/{len(data)}"} if begin else {}
            cut = None
            if hub.breaks.get(name, 0) and self.command == "GET":
                hub.breaks[name] -= 1
                cut = hub.break_after
            self._send(206 if begin else 200, data[begin:], extra, cut)

        def _send(
            self, status: int, body: bytes, extra: dict[str, str], cut: int | None = None
        ) -> None:
            self.send_response(status)
            for key, value in {"Content-Length": str(len(body)), **extra}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body[:cut])
            if cut is not None:
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)  # read when it was imported
    template = constants.HUGGINGFACE_CO_URL_TEMPLATE
    template = template.replace(template[: template.index("/{repo_id}")], hub.url)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)  # what is written at once
    monkeypatch.setattr("huggingface_hub.file_download.time", SimpleNamespace(sleep=lambda _: None))
    yield hub
    close_session()
    server.shutdown()
    server.server_close()


TEXT = (
    "This is an image, Please do Panoptic Segmentation. This is all the candidate categories: "
    "cat, dog, background. Sure, the segmentation result is a cat on the left of a dog."
)


@pytest.fixture(scope="session")
def bytes_tokenizer() -> "Tokenizer":
    """Byte pairs with GPT-2's splitting, where a word with a space before it is another token."""
    from tokenizers import Tokenizer as RustTokenizer
    from tokenizers import decoders, models, pre_tokenizers, trainers

    from vlseg_cli.text.tokenizer import END, SEG, Tokenizer

    rust = RustTokenizer(models.BPE())
    rust.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    rust.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=[END, SEG],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    rust.train_from_iterator([TEXT] * 3, trainer)
    return Tokenizer(rust)


@pytest.fixture(scope="session")
def words() -> "Tokenizer":
    """The miniature's kind, of a few words."""
    from vlseg_cli.text.tokenizer import word_tokenizer

    return word_tokenizer(["cat", "dog", "the", "segment", "find", "point", "background", ",", "?"])
