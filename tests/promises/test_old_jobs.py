"""Job folders of the release before, killed midway, are resumed: the files keep their keys."""

import json
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from jobs.media_files import tree, write_film, write_photos
from jobs.stub import StubModel, StubSession, requests_for, run_stub
from safetensors.numpy import save

from vlseg_cli.jobs.job import read_job
from vlseg_cli.media.video import read_video
from vlseg_cli.schema import FrameRange

JOB = """{
 "arguments": [
  "refer",
  "the bright part"
 ],
 "model": "stub",
 "asked": [
  "the bright part"
 ],
 "options": {
  "clip": {
   "stride": 1,
   "start": null,
   "end": null,
   "max_frames": null
  },
  "batch_size": 2,
  "part": 8,
  "save": [
   %s
  ]
 },
 "version": "0.1.0",
 "fingerprint": "%s"
}
"""
FINGERPRINTS = {"photos": "5f0d7aef6f585a036eb25db8e04e1e94b1863fe37a033db0d600e957dec800a5",
        "film": "72e935392086baae005ca4389cc925d86d9195e9d36a8c32cb948ae0b2bb4208"}  # fmt: skip


def _write_old_job(
    out: Path, kind: str, formats: Sequence[str], inputs: Iterable[Path], journal: str
) -> None:
    (out / ".vlseg" / "journal").mkdir(parents=True)
    (out / ".vlseg" / "leases").mkdir()
    (out / ".vlseg" / "records" / "000").mkdir(parents=True)
    saved = ",\n   ".join(f'"{name}"' for name in formats)
    (out / "job.json").write_text(JOB % (saved, FINGERPRINTS[kind]))
    items = (
        f'{{"item": {number}, "input": "{path}", "name": "{path.stem}", '
        f'"video": {str(path.suffix == ".mp4").lower()}, "bytes": {path.stat().st_size}, '
        f'"modified": {path.stat().st_mtime_ns}, "attempt": 1}}\n'
        for number, path in enumerate(inputs)
    )
    (out / ".vlseg" / "items.jsonl").write_text("".join(items))
    (out / ".vlseg" / "journal" / "node-7-ef71674dc0dc.jsonl").write_text(journal)


def resumed(out: Path) -> dict[str, object]:
    """Everything in a folder; of ``job.json``, which is not written again, the job."""
    return {**tree(out), "job.json": read_job(out)}


def test_images_are_resumed(tmp_path: Path) -> None:
    photos = sorted(write_photos(tmp_path / "photos", 5, broken=(1,)).iterdir())
    whole, out, formats = tmp_path / "whole", tmp_path / "out", ("coco", "overlay")
    run_stub(whole, photos, formats=formats)
    error = json.loads((whole / "failures.jsonl").read_text())["error"]
    journal = (
        '{"part": 0, "last": true, "shares": {"0": {"attempt": 1, "frames": 1, "error": null, '
        f'"code": 0}}, "1": {{"attempt": 1, "frames": 0, "error": {json.dumps(error)}, '
        '"code": 3}}}\n'
    )
    _write_old_job(out, "photos", formats, photos, journal)
    records = out / ".vlseg" / "records" / "000"
    first, *_ = (whole / "records.jsonl").read_bytes().splitlines(keepends=True)
    (records / "000000-0.jsonl").write_bytes(first)
    (records / "000001-0.jsonl").touch()
    (out / "overlay").mkdir()
    shutil.copy(whole / "overlay" / "000.png", out / "overlay")
    model = StubModel()
    run_stub(out, photos, model=model, formats=formats)
    assert model.batches == [2, 1]  # of photos 2 to 4
    assert resumed(out) == resumed(whole)


def test_a_tracked_video_is_resumed(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", 21)
    whole, out, formats = tmp_path / "whole", tmp_path / "out", ("ytvis", "coco")
    run_stub(whole, [film], formats=formats, tracking=True)
    journal = (
        '{"part": 0, "last": false, "shares": {"0": {"attempt": 1, "frames": 8, "error": null, '
        '"code": 0}}}\n'
    )
    _write_old_job(out, "film", formats, [film], journal)
    records = out / ".vlseg" / "records" / "000"
    lines = (whole / "records.jsonl").read_bytes().splitlines(keepends=True)
    (records / "000000-0.jsonl").write_bytes(b"".join(lines[:8]))
    session = StubSession(StubModel(), requests_for("the bright part")(None, None, None), None)
    for frame in list(read_video(film, FrameRange()))[:8]:
        session.step(frame)
    state = {"watching/first": np.array(0), "past": session.past}
    (records / "000000-0.safetensors").write_bytes(save(state))
    model = StubModel()
    run_stub(out, [film], model=model, formats=formats, tracking=True)
    assert sum(model.batches) == 21 - 8
    assert resumed(out) == resumed(whole)
