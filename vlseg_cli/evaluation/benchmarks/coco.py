"""COCO's val2017: panoptic maps, the masks of things, and classes of all 133 names.

PSALM and HyperSeg ask by the names of COCO's file ('wall-other-merged'); MVP-LM without endings.
"""

from functools import partial
from pathlib import Path

from vlseg_cli.datasets.class_names import Naming, class_table
from vlseg_cli.datasets.coco_instances import COCOInstancesDataset
from vlseg_cli.datasets.coco_panoptic import COCOPanopticDataset
from vlseg_cli.datasets.toy.coco import write_coco
from vlseg_cli.evaluation.benchmarks.base import Benchmark, ProtocolChoice, open_names
from vlseg_cli.evaluation.scorers.instances import InstanceScorer
from vlseg_cli.evaluation.scorers.panoptic import PanopticScorer
from vlseg_cli.evaluation.scorers.semantic import SemanticScorer
from vlseg_cli.schema import Task

HOMES = ("coco", ".")
SWITCHES = {"names": ("plain", "clean")}
PAPERS: dict[str, ProtocolChoice] = {
    "psalm": {"names": "plain"},
    "hyperseg": {"names": "plain"},
    "mvp-lm": {"names": "clean"},
}


def _maps(task: Task, home: Path, naming: Naming) -> COCOPanopticDataset:
    """COCO's panoptic maps; read as classes they are its panoptic_semseg maps."""
    return COCOPanopticDataset(
        home / "annotations" / "panoptic_val2017.json",
        home / "panoptic_val2017",
        home / "val2017",
        lambda name: name.replace(".png", ".jpg"),
        class_table("coco-panoptic").rename(naming),
        task,
    )


def _instances(home: Path, naming: Naming) -> COCOInstancesDataset:
    table = home / "annotations" / "instances_val2017.json"
    rename = class_table("coco-panoptic").rename(naming)
    return COCOInstancesDataset(table, home / "val2017", rename=rename)


_FORMS = (
    ("panoptic", Task.PANOPTIC, partial(_maps, Task.PANOPTIC), PanopticScorer, None),
    ("instance", Task.INSTANCE, _instances, InstanceScorer, 0.0),  # AP ranks everything
    ("semantic", Task.SEMANTIC, partial(_maps, Task.SEMANTIC), SemanticScorer, None),
)

BENCHMARKS = [
    Benchmark(
        name=f"coco-{form}",
        title=f"COCO val2017, {form}",
        task=task,
        homes=HOMES,
        open=partial(open_names, read, score),
        write_toy=write_coco,
        papers=PAPERS,
        switches=SWITCHES,
        size=5000,
        threshold=threshold,
    )
    for form, task, read, score, threshold in _FORMS
]
