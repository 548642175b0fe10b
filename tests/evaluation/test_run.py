"""Evaluation as a job: grouped by image, resumed, in shards; always the same numbers."""

from pathlib import Path

import pytest
from jobs.stub import RecordingProgress, StubModel

from vlseg_cli.evaluation.benchmarks.table import find_benchmarks, write_toy_sets
from vlseg_cli.evaluation.plan import EvaluationPlan, PlannedBenchmark, prompt_requests
from vlseg_cli.evaluation.run import Evaluation, evaluate
from vlseg_cli.jobs import Job, JobSettings
from vlseg_cli.jobs.work_units import Shard
from vlseg_cli.outputs import OutputFolder

NAMES = ("refcoco-val", "refcoco+-val", "reasonseg-val", "coco-panoptic")
JOB = Job(("eval",), "stub", list(NAMES), {"save": []})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    write_toy_sets(find_benchmarks(NAMES), root, 6)
    return root


def plan(data: Path, limit: int | None = None) -> EvaluationPlan:
    """Opened anew, as every run does: scores begin at nothing."""
    entries = []
    for one in find_benchmarks(NAMES):
        protocol = one.protocol("self1e", {})
        entries.append(PlannedBenchmark(one, protocol, one.find(data, protocol)))
    return EvaluationPlan(entries, limit)


def run(data: Path, out: Path | None, model: StubModel, shard: Shard | None = None) -> Evaluation:
    settings = JobSettings(
        OutputFolder(out or Path()),
        (),
        batch_size=2,
        shard=shard or Shard(),
        keep_records=out is not None,
    )
    return evaluate(plan(data), JOB, settings, lambda: model, RecordingProgress())


def test_a_shared_image_is_encoded_once(data: Path) -> None:
    inputs = plan(data).inputs()
    shared = [one for one in inputs if "train2014" in one.source]
    portions = plan(data).read(shared[0].source)
    assert [one.entry.benchmark.name for one in portions] == ["refcoco-val", "refcoco+-val"]
    prompts = [ask.prompt for ask in prompt_requests(portions)]
    assert len(prompts) == 2 * len({id(one) for one in prompts})  # both sets have the same prompts
    assert len(plan(data, 1).inputs()) == 3


def test_stored_predictions_are_not_made_again(data: Path, tmp_path: Path) -> None:
    passing = run(data, None, StubModel())
    first, again = StubModel(), StubModel()
    kept = run(data, tmp_path, first)
    assert kept.results == passing.results
    assert all(one.n for one in kept.results.values())
    assert sum(first.batches) == len(plan(data).inputs())
    assert run(data, tmp_path, again).results == kept.results
    assert not again.batches


def test_shards_equal_a_single_run(data: Path, tmp_path: Path) -> None:
    whole = run(data, None, StubModel())
    part = run(data, tmp_path, StubModel(), Shard(0, 2))
    assert part.results is None and part.summary.left
    assert run(data, tmp_path, StubModel(), Shard(1, 2)).results == whole.results


def test_an_interrupted_run_continues(data: Path, tmp_path: Path) -> None:
    whole = run(data, None, StubModel())

    class Breaking(StubModel):
        def encode(self, frames):
            if len(self.batches) == 2:
                raise KeyboardInterrupt
            return super().encode(frames)

    with pytest.raises(KeyboardInterrupt):
        run(data, tmp_path, Breaking())
    rest = StubModel()
    assert run(data, tmp_path, rest).results == whole.results
    assert 0 < sum(rest.batches) < len(plan(data).inputs())


def test_a_damaged_sample_is_reported_and_left_out(data: Path, tmp_path: Path) -> None:
    mine = tmp_path / "data"
    write_toy_sets(find_benchmarks(NAMES), mine, 6)
    victim = sorted((mine / "reason_seg" / "ReasonSeg" / "val").glob("*.json"))[0]
    whole = victim.read_text()
    victim.write_text("{")
    done = run(mine, tmp_path / "out", StubModel())
    (failure,) = done.summary.failed.values()
    assert "is damaged" in failure[0] and done.summary.exit_code == 3
    victim.write_text(whole)
    settings = JobSettings(
        OutputFolder(tmp_path / "out"), (), batch_size=2, keep_records=True, retry_failed=True
    )
    repaired = evaluate(plan(mine), JOB, settings, StubModel, RecordingProgress())
    assert repaired.results == run(mine, None, StubModel()).results
    assert repaired.summary.exit_code == 0
