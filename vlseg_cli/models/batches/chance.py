"""Chance for whoever makes batches: which wording, which names, decided by the sample alone.

So a run that resumes, or has another number of processes, sees the same.
"""

import numpy as np
from numpy.random import Generator


def chance_of(*key: str) -> Generator:
    """The same key, the same draws, in every process and run."""
    return np.random.default_rng(list(" ".join(key).encode()))
