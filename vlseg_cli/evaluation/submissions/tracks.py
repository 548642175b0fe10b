"""YouTube-VIS: ``results.json``, a list of tracks with a mask per frame, in an archive."""

import json
from collections.abc import Iterator, Sequence

from vlseg_cli.evaluation.scorers.clips import predictions_of
from vlseg_cli.evaluation.scorers.tracks import detected_tracks
from vlseg_cli.evaluation.submissions.archive import write_archive
from vlseg_cli.outputs.folder import OutputFolder
from vlseg_cli.schema import ClipSample, Prediction

_PARTS, _RESULTS, _ARCHIVE = "videos", "results.json", "results.zip"


class TrackResults:
    """A file for each video until all are there. Names have the ids 1, 2, … of YouTube-VIS."""

    def __init__(self, folder: OutputFolder) -> None:
        self._folder = folder

    def add(self, sample: ClipSample, predictions: Sequence[Prediction]) -> None:
        """See ``Submission``."""
        for place, query in enumerate(sample.queries):
            tracks = [
                {
                    "video_id": int(query.key),
                    "category_id": track.category + 1,
                    "score": track.score,
                    "segmentations": list(track.tube),
                }
                for track in detected_tracks(predictions_of(sample, predictions, place))
            ]
            lines = "".join(json.dumps(track) + "\n" for track in tracks)
            self._folder.write(lines.encode(), _PARTS, f"{query.key}.jsonl")

    def close(self) -> None:
        """See ``Submission``."""
        self._folder.write_stream(self._results(), _RESULTS)
        data = (self._folder.root / _RESULTS).read_bytes()
        write_archive(self._folder, [(_RESULTS, data)], _ARCHIVE)

    def _results(self) -> Iterator[bytes]:
        opening = b"["
        for path in sorted((self._folder.root / _PARTS).glob("*.jsonl")):
            for line in path.read_bytes().splitlines():
                yield opening + line
                opening = b",\n"
        yield b"[]" if opening == b"[" else b"]"
