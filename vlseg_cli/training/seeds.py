"""Which seeds training may draw scenes from: never those on which models are tested.

Sample n of a run owns one seed, so the order never depends on the number of processes.
"""

HELD_OUT = 900_000  # this seed and all above it are for tests


def check_first_seed(first: int) -> None:
    """Raise ValueError if a run that starts at ``first`` would start on held-out scenes."""
    if first >= HELD_OUT:
        raise ValueError(
            f"first_seed = {first} is a scene kept for tests, as all from {HELD_OUT} up; "
            "start below"
        )


def seed_of(first: int, sample: int) -> int:
    """The seed of sample number ``sample``: counted from ``first``; after the last training scene
    the first follows again."""
    return (first + sample) % HELD_OUT
