"""Rates and times left, in numbers that a person could work out again."""

from dataclasses import dataclass

import pytest

from vlseg_cli.cli.progress_counter import ProgressCounter, duration


@dataclass
class Clock:
    """Tells the time it is set to, in s."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def test_words_say_how_far_how_fast_and_how_long() -> None:
    clock = Clock()
    tally = ProgressCounter("inputs", 10_000, clock=clock)
    assert tally.words() == "0 of 10,000 inputs"
    tally.done, tally.failed, clock.now = 1200, 3, 1030.0
    assert tally.seconds_left == 220
    assert tally.words() == "1,200 of 10,000 inputs, 40.0/s, 3 min 40 s left, 3 failed"
    tally.done = 10_000
    assert tally.words() == "10,000 of 10,000 inputs, 333.3/s, 3 failed"


def test_what_was_done_before_does_not_make_it_faster() -> None:
    clock = Clock()
    tally = ProgressCounter("inputs", 100, done=90, clock=clock)
    clock.now += 10
    assert (tally.seconds_left, tally.words()) == (None, "90 of 100 inputs")
    tally.done = 92
    assert tally.words() == "92 of 100 inputs, 12.0/min, 40 s left"


def test_videos_are_counted_in_frames() -> None:
    clock = Clock()
    tally = ProgressCounter("inputs", 2, clock=clock)
    tally.frames, clock.now = 240, 1010.0
    assert tally.words() == "0 of 2 inputs, 240 frames, 24.0 frames/s"
    tally.frames, tally.done = 480, 1
    assert tally.words() == "1 of 2 inputs, 480 frames, 48.0 frames/s, 10 s left"


def test_images_are_not() -> None:
    tally = ProgressCounter("inputs", 3, clock=Clock())
    tally.frames, tally.done = 3, 2  # the third frame is told before its input is complete
    assert "frames" not in tally.words()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0 s"),
        (59.4, "59 s"),
        (60, "1 min"),
        (245, "4 min 5 s"),
        (7200, "2 h"),
        (7201, "2 h"),
        (7860, "2 h 11 min"),
        (86_400, "1 day"),
        (273_600, "3 days 4 h"),
    ],
)
def test_durations_are_two_units_at_most(seconds: float, words: str) -> None:
    assert duration(seconds) == words
