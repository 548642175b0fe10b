"""A long video is tracked in constant memory, and a kill in the middle of it changes no byte."""

from collections.abc import Callable
from pathlib import Path

from jobs.media_files import tree
from promises.films import repeat_film
from promises.measured import MB, finish_measured, growth_of, sample_of, slope_of, start_measured

GARDEN = Path(__file__).parents[2] / "examples" / "garden.mp4"
PROMPTS = 3  # categories, an expression and a region
FRAME = 320 * 240 * 3  # bytes
_FEW = 100  # frames, of the 750 in the second half of a short run


def test_a_long_video_is_tracked_killed_and_resumed(
    tmp_path: Path, full_size: bool, record_property: Callable[[str, object], None]
) -> None:
    """In full with the embedded model, else with one that costs nothing."""
    frames, model = (20_000, "embedded") if full_size else (1_500, "stub")
    film = repeat_film(GARDEN, tmp_path / "long.mp4", frames)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    undisturbed = start_measured(whole, "track", film, frames, model)
    victim = start_measured(killed, "track", film, frames, model)
    assert victim.stdout is not None
    next(line for line in victim.stdout if sample_of(line)[0] >= frames // 2)
    victim.kill()
    victim.communicate()
    rest = finish_measured(start_measured(killed, "track", film, frames, model))
    samples = finish_measured(undisturbed)
    record_property("MB per 1,000 frames", round(slope_of(samples), 4))
    assert rest[-1][0] < frames * 3 // 4  # completed chunks are not repeated
    assert samples[-1][0] > 0.9 * frames  # the last few frames have no sample
    # In a short run the allocator's steps are larger than any slope; frames that stay are not.
    assert slope_of(samples) < 1 if full_size else growth_of(samples) < _FEW * FRAME / MB
    assert sum(1 for _ in (whole / "records.jsonl").open()) == PROMPTS * frames
    assert tree(killed) == tree(whole)
