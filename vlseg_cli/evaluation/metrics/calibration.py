"""Expected calibration error (Guo et al., ICML 2017): are answers scored 0.8 right in 80 of 100?

Bins of equal width, each with its share of all answers as weight.
"""

from fractions import Fraction

BINS = 10


class CalibrationError:
    """Scores in [0, 1], and whether what they stand for was right."""

    def __init__(self) -> None:
        self._scores = [Fraction(0)] * BINS  # exact, so that shards add up to the same number
        self._right, self._count = [0] * BINS, [0] * BINS

    def add(self, score: float, right: bool) -> None:
        """Count one answer."""
        bin_index = min(int(score * BINS), BINS - 1)
        self._scores[bin_index] += Fraction(score)
        self._right[bin_index] += right
        self._count[bin_index] += 1

    @property
    def n(self) -> int:
        """Number of answers."""
        return sum(self._count)

    def result(self) -> float | None:
        """The error in [0, 1], None without answers."""
        if not self.n:
            return None
        gaps = zip(self._scores, self._right, strict=True)
        return float(sum(abs(score - right) for score, right in gaps) / self.n)
