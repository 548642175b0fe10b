"""Which seeds training may draw scenes from: never those on which models are tested.

Sample n of a run owns one seed, so no scene is seen twice and the order never depends on the number
of processes.
"""

HELD_OUT = range(900_000, 1_000_000)


def check_first_seed(first: int) -> None:
    """Raise ValueError if a run that starts at ``first`` would start on held-out scenes."""
    if first in HELD_OUT:
        raise ValueError(
            f"first_seed = {first} lies in {HELD_OUT.start}..{HELD_OUT.stop - 1}, the scenes kept "
            f"for tests; start below or at {HELD_OUT.stop}"
        )


def seed_of(first: int, sample: int) -> int:
    """The seed of sample number ``sample``: counted from ``first``, leaping over the held-out."""
    seed = first + sample
    return seed + len(HELD_OUT) if first < HELD_OUT.start <= seed else seed
