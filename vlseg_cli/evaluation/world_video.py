"""The benchmark of the drawn world in motion: any model that follows, on held-out clips."""

from collections.abc import Callable
from typing import Any

from vlseg_cli.evaluation.video_scores import VideoScores
from vlseg_cli.models.base import VideoSegmenter
from vlseg_cli.schema import ClipSample, Prediction, PromptRequest, UsageError
from vlseg_cli.synthetic.categories import NAMES
from vlseg_cli.synthetic.clip_samples import ClipMix, clip_sample


def evaluate_world_video(
    model: VideoSegmenter,
    seeds: range,
    size: int = 256,
    frames: int = 16,
    progress: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Score a model on the clips of ``seeds``: ``frames`` frames, ``size`` px along the longest
    side.

    Returns fractions in [0, 1] by task and measure, None where nothing was asked. progress: called
    after each clip. Raises UsageError for an empty range or clips too short to be scored.
    """
    if not seeds or frames < 3:
        raise UsageError(
            f"There is nothing to score in {len(seeds)} clips of {frames} frames: give at least one"
            " seed, as in 900000:900010, and 3 frames (the first and the last do not count)."
        )
    scores = VideoScores(len(NAMES))
    for seed in seeds:
        sample = clip_sample(seed, ClipMix(frames=frames, size=size))
        scores.add(sample, watch(model, sample))
        progress()
    return {**scores.summary(), "model": model.name}


def watch(model: VideoSegmenter, sample: ClipSample) -> list[list[Prediction]]:
    """The answers to each query of a clip, frame by frame; all queries share each look."""
    requests = [PromptRequest(query.first, query.task, query.prompt) for query in sample.queries]
    session = model.session(requests)
    steps = [session.step(sample.read(index)) for index in range(sample.length)]
    return [list(of_query) for of_query in zip(*steps, strict=True)]
