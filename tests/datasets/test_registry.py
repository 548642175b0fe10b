"""Every data set by its name: its toy version is read by its reader, completely."""

from pathlib import Path

import pytest

from vlseg_cli.datasets.registry import DATASETS, open_dataset
from vlseg_cli.schema import ClipSample, NoInputError, UsageError

SEEDS = range(910000, 910004)


@pytest.mark.parametrize("name", DATASETS)
def test_the_toy_version_is_read_completely(name: str, tmp_path: Path) -> None:
    entry = DATASETS[name]
    entry.write_toy(tmp_path / entry.folders[0], seeds=SEEDS)
    dataset = open_dataset(name, tmp_path)
    assert len(dataset) > 0
    for number in range(len(dataset)):
        source, sample = dataset.source(number), dataset[number]
        assert str(tmp_path) in source
        assert sample.queries
        if isinstance(sample, ClipSample):
            for frame in range(sample.length):
                assert sample.read(frame).pixels.ndim == 3
                for query in sample.queries:
                    masks = query.masks(frame)
                    assert masks is None or len(masks) == len(query.objects)
        else:
            assert all(len(query.masks) == len(query.labels) for query in sample.queries)


def test_unknown_names_and_splits_are_errors_with_the_nearest_right_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="did you mean 'refcoco'"):
        open_dataset("recoco", tmp_path)
    with pytest.raises(UsageError, match="did you mean 'testA'"):
        open_dataset("refcoco", tmp_path, "tesstA")
    with pytest.raises(NoInputError):
        open_dataset("davis-2017", tmp_path)
