"""A model that proposes first: trained on text, facts and images of the wide hand, then asked."""

from pathlib import Path

from training.tiny import SIZES

from vlseg_cli.models.registry import load_model
from vlseg_cli.schema import Expression, PromptRequest, Task
from vlseg_cli.synthetic.samples import synthetic_sample
from vlseg_cli.training.train import train

PROPOSALS_FIRST = f"""
seed = 3
[data]
hand = "wide"
[model]
architecture = "psalm"
[model.config]
{SIZES}prompt_style = "plain"
region_source = "pixels"
regions_together = false
generates_text = false
proposals_first = true
selection_layers = 1
selection_channels = 16
selection_score = 0.0
mask_stride = 2
[losses]
points = 0
dense_names = 1.0
appearance = 0.5
[[stage]]
name = "text"
data = "text"
steps = 2
batch_size = 4
lr = 1e-3
train = ["language", "auxiliary", "heads"]
[[stage]]
name = "facts"
data = "facts"
steps = 2
batch_size = 2
lr = 1e-3
train = ["language", "selector", "auxiliary"]
[[stage]]
name = "joint"
steps = 2
batch_size = 2
size = 64
lr = 1e-3
"""


def test_a_model_that_proposes_first_is_trained_from_facts_to_images_and_answers(
    tmp_path: Path,
) -> None:
    recipe, out = tmp_path / "recipe.toml", tmp_path / "out"
    recipe.write_text(PROPOSALS_FIRST)
    train(recipe, tmp_path / "plan", dry_run=True)
    assert [file.name for file in (tmp_path / "plan").iterdir()] == ["first-batch-joint.png"]
    train(recipe, out)
    model = load_model(out / "model")
    scene = synthetic_sample(5, 64, hand="wide")
    request = PromptRequest(0, Task.REFER, Expression("the left one of the two xylophones"))
    (found,) = model.predict(model.encode([scene.frame]), [request])
    assert (found.height, found.width) == scene.frame.pixels.shape[:2]
    assert found.text == "" and len(found.segments) <= 1  # untrained masks may be empty
