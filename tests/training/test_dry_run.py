"""--dry-run prints the plan, measures memory, draws the first batch, and trains nothing."""

from pathlib import Path

import pytest
from PIL import Image

from vlseg_cli.training.train import train


def test_the_plan_is_printed_and_nothing_is_trained(
    recipe_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    old = ["stage.0.moments=2", "losses.meant_names=0.0", "model.config.talks=false"]
    train(recipe_file, out, ["optimizer.clip=0.25", *old], dry_run=True)
    printed, notes = capsys.readouterr()
    assert "clip = 0.25" in printed
    assert notes.splitlines() == [
        f"{recipe_file} [stage.0]: 'moments' is now 'clip_frames'",
        f"{recipe_file} [model.config]: 'talks' is now 'generates_text'",
        f"{recipe_file} [losses]: 'meant_names' is now 'sentence_class'",
    ]
    assert "pixel_decoder" in printed
    assert "categories_mask" in printed
    assert [file.name for file in out.iterdir()] == ["first-batch-scenes.png"]
    with Image.open(out / "first-batch-scenes.png") as image:
        assert image.width == 6 * 224
        assert len(image.getcolors(1 << 24) or ()) > 100
