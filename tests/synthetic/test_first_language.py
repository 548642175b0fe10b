"""The first hand's sentences are those of the first release, letter by letter.

Models are compared over the years by the figures of ``vlseg eval world``, which depend on them.
"""

import hashlib
from collections.abc import Iterable

import numpy as np
import pytest

from vlseg_cli.evaluation.benchmarks.synthetic import benchmark_sample
from vlseg_cli.schema import Expression, Question
from vlseg_cli.schema.sample import Query
from vlseg_cli.synthetic.clip_samples import ClipMix, clip_sample, synthetic_clip_frames
from vlseg_cli.synthetic.samples import SampleMix, synthetic_sample
from vlseg_cli.synthetic.text_samples import POSITIONS, text_sample
from vlseg_cli.synthetic.vocabulary import words

_MIX = SampleMix(no_target=0.3)


def _texts(queries: Iterable[Query]) -> list[str]:
    """Every sentence with its number of true pixels."""
    return [
        f"{query.prompt.text}|{query.kind}|{query.masks.sum()}"
        for query in queries
        if isinstance(query.prompt, Expression | Question)
    ]


def _clip_texts(seed: int) -> list[str]:
    sample = clip_sample(seed, ClipMix(frames=4, size=64))
    return [
        f"{query.prompt.text}|{query.kind}|{query.objects}"
        for query in sample.queries
        if isinstance(query.prompt, Expression | Question)
    ]


_SOURCES = {
    "samples": lambda: [
        t for seed in range(40) for t in _texts(synthetic_sample(seed, 96, _MIX).queries)
    ],
    "benchmark": lambda: [
        t
        for seed in range(900_000, 900_030)
        for t in _texts(benchmark_sample(seed, 96).queries)
        if "|none|" not in t
    ],
    "clips": lambda: [t for seed in range(10) for t in _clip_texts(seed)],
    "frames": lambda: [
        t
        for seed in range(10)
        for frame in synthetic_clip_frames(seed, 64, _MIX).samples
        for t in _texts(frame.queries)
    ],
    "texts": lambda: [str(text_sample(np.random.default_rng(seed)).text) for seed in range(2000)],
    "words": lambda: [*words(), *POSITIONS],
}
_RECORDED = {
    "samples": "9369b151c07e60fb",
    "benchmark": "51eacb6cdcf1e80a",
    "clips": "94532544435ec35d",
    "frames": "07a6df59a743db07",
    "texts": "e401ec9c8a3e68d9",
    "words": "cc660db0844e27e2",
}


@pytest.mark.parametrize("name", _SOURCES)
def test_sentences_are_as_recorded(name: str) -> None:
    text = "\n".join(_SOURCES[name]())
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == _RECORDED[name]
