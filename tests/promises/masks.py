"""Reads damaged run-length masks and polygons: ``python masks.py COUNT SEED``.

A process of its own, since what must not happen is a crash. Each mutant either decodes to the size
of its image or is an error of one sentence, within 1 GiB beyond what the libraries take.
"""

import json
import random
import resource
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from vlseg_cli.datasets.polygons import POLYGON_RULES, true_mask
from vlseg_cli.schema import InputError, bounds_rle, checked_rle, decode_rle, encode_rle

NUMBERS = (0, 1, -1, 2, 5, 7, 96, 1e5, 10**5, 2**31, 2**32, 2**63, 1e30, -1e30, 0.5, 10**30)
VALUES: tuple[Any, ...] = (*NUMBERS, None, True, "", "0", "oooo", "é", [], {}, [[]], [None])
ALPHABET = "".join(map(chr, range(48, 112))) + " é\n\0"


def valid(rng: random.Random) -> tuple[Any, tuple[int, int]]:
    """A mask in one of three notations, and its size."""
    height, width = rng.randint(1, 60), rng.randint(1, 60)
    top, left = rng.randrange(height), rng.randrange(width)
    mask = np.zeros((height, width), bool)
    mask[top : top + 9, left : left + 7] = True
    rle = encode_rle(mask)
    runs = [len(list(run)) for run in _runs(mask.T.ravel())]
    polygon = [[left, top, left + 7.5, top, left + 7, top + 9, left, top + 9.0]]
    notation = rng.choice([rle, {"size": rle["size"], "counts": runs}, polygon])
    return json.loads(json.dumps(notation)), (height, width)


def _runs(values: np.ndarray) -> list[np.ndarray]:
    changes = np.flatnonzero(np.diff(values)) + 1
    parts = np.split(values, changes)
    return [values[:0], *parts] if values[0] else parts


def mutated(value: Any, rng: random.Random) -> Any:
    """A value with one part of it changed, removed, doubled or made larger."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        key = rng.choice(list(value))
        return {**value, key: mutated(value[key], rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        place = rng.randrange(len(value))
        return rng.choice(
            [
                [*value[:place], mutated(value[place], rng), *value[place + 1 :]],
                value[:place] + value[place + 1 :],
                value + value[place:],
                [*value[:place], rng.choice(VALUES), *value[place:]],
            ]
        )
    if isinstance(value, str) and value and rng.random() < 0.9:
        place = rng.randrange(len(value))
        letter = rng.choice(ALPHABET)
        return rng.choice(
            [
                value[:place] + letter + value[place + 1 :],
                value[:place] + value[place + 1 :],
                value[:place] + letter * rng.randint(1, 40) + value[place:],
                value[:place],
            ]
        )
    if isinstance(value, int | float) and rng.random() < 0.5:
        return value + rng.choice([1, -1, 0.5, 1000])
    return rng.choice(VALUES)


def read(stated: Any, shape: tuple[int, int]) -> str:
    """How a mask is read: 'decoded', or the sentence of its error."""
    outcomes = set()
    for rule in POLYGON_RULES:
        try:
            mask = true_mask(stated, *shape, rule, "set.json")
        except InputError as error:
            outcomes.add(str(error))
        else:
            assert mask.shape == shape and mask.dtype == bool
            outcomes.add("decoded")
    assert len(outcomes) == 1, outcomes
    if isinstance(stated, dict):
        try:
            rle = checked_rle(stated)
        except ValueError:
            pass
        else:  # of another size than the image's, perhaps, but whole
            assert decode_rle(rle).shape == tuple(stated["size"])
            bounds_rle(rle)
    return outcomes.pop()


def main(count: int, seed: int) -> None:
    """Print how many mutants had each outcome."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 30),) * 2)
    rng, outcomes = random.Random(seed), Counter()
    for _ in range(count):
        stated, shape = valid(rng)
        assert read(stated, shape) == "decoded"
        for _ in range(rng.choice([1, 1, 1, 2, 5])):
            stated = mutated(stated, rng)
        outcome = read(stated, shape)
        assert outcome == "decoded" or (outcome.count("\n") == 0 and len(outcome) < 250), outcome
        outcomes["decoded" if outcome == "decoded" else "refused"] += 1
    print(json.dumps(outcomes))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
