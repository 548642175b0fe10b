"""Conversion of a miniature official folder: equal predictions, precision, errors."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from vlseg_cli.models.convert import convert_folder
from vlseg_cli.models.psalm.conversion import open_official_psalm
from vlseg_cli.models.registry import load_model, official_system
from vlseg_cli.schema import (
    Expression,
    Frame,
    OutputError,
    Prediction,
    PromptRequest,
    Task,
    WeightsError,
)
from vlseg_cli.synthetic.draw import draw_scene
from vlseg_cli.weights.conversion.coverage import require_complete
from vlseg_cli.weights.settings import load_settings

SOURCE = {"source": "a test", "files": {"model.safetensors": "0" * 64}}


@pytest.fixture
def official(official_psalm: Path, tmp_path: Path) -> Path:
    """A writable copy."""
    shutil.copytree(official_psalm, tmp_path / "official")
    return tmp_path / "official"


def predictions(folder: Path) -> list[Prediction]:
    model = load_model(str(folder), "cpu")
    frame = Frame(draw_scene(900_000, 96).pixels, "scene", 0)
    requests = [
        PromptRequest(0, Task.REFER, Expression(text), 0.0) for text in ("the cup", "a red car")
    ]
    return model.predict(model.encode([frame]), requests)


def test_a_converted_folder_predicts_as_the_official_one(official: Path, tmp_path: Path) -> None:
    convert_folder(official, tmp_path / "ours", SOURCE)
    (first, *_), (again, *_) = predictions(official), predictions(tmp_path / "ours")
    assert first.segments and first.segments == again.segments


def test_categories_of_training_are_converted(official: Path, tmp_path: Path) -> None:
    convert_folder(official, tmp_path / "ours", SOURCE)
    ours, theirs = load_model(str(tmp_path / "ours"), "cpu"), load_model(str(official), "cpu")
    assert len(ours.categories) == 133 and ours.stuff == 80 * (False,) + 53 * (True,)
    assert (ours.categories, ours.stuff) == (theirs.categories, theirs.stuff)


def test_every_tensor_keeps_its_published_precision(official: Path, tmp_path: Path) -> None:
    coverage = convert_folder(official, tmp_path / "ours", SOURCE, shard=1 << 20)
    ours = {}
    for shard in (tmp_path / "ours").glob("model-*.safetensors"):
        assert shard.stat().st_size < 1.3 * (1 << 20)
        ours |= load_file(shard)
    index = json.loads((tmp_path / "ours" / "model.safetensors.index.json").read_text())
    assert index["weight_map"].keys() == ours.keys()
    assert index["metadata"]["total_size"] == sum(tensor.nbytes for tensor in ours.values())
    theirs = open_official_psalm(official).tensors
    for name, all_ours in coverage.used.items():
        parts = torch.stack([ours[one] for one in all_ours])
        assert parts.dtype == theirs[name].dtype
        assert parts.flatten().sort()[0].equal(theirs[name].flatten().sort()[0])


def test_a_converted_folder_records_its_provenance(official: Path, tmp_path: Path) -> None:
    convert_folder(official, tmp_path / "ours", SOURCE)
    settings = load_settings(tmp_path / "ours")
    assert settings["architecture"] == "psalm" and settings["provenance"] == SOURCE
    card = (tmp_path / "ours" / "README.md").read_text()
    assert "- source: a test" in card and "dropped: recomputed from the window size" in card
    assert sorted(path.name for path in tmp_path.iterdir()) == ["official", "ours"]


def test_mismatched_tensors_are_named_and_nothing_is_written(
    official: Path, tmp_path: Path
) -> None:
    shard = official / "model-00002-of-00002.safetensors"
    tensors = load_file(shard)
    tensors["seg_queries"] = tensors.pop("seg_query")
    save_file(tensors, shard)
    (official / "model.safetensors.index.json").unlink()
    with pytest.raises(WeightsError, match="lacks seg_query; has unknown seg_queries"):
        convert_folder(official, tmp_path / "ours", SOURCE)
    with pytest.raises(WeightsError, match="lacks seg_query"):
        load_model(str(official), "cpu")
    assert not (tmp_path / "ours").exists()


def test_only_an_earlier_conversion_is_replaced(official: Path, tmp_path: Path) -> None:
    convert_folder(official, tmp_path / "ours", SOURCE)
    convert_folder(official, tmp_path / "ours", {"source": "again"})
    assert load_settings(tmp_path / "ours")["provenance"] == {"source": "again"}
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.tex").touch()
    (tmp_path / "file").touch()
    for taken in (official, tmp_path / "precious", tmp_path / "file", tmp_path):
        with pytest.raises(OutputError, match="exists and is not a converted folder"):
            convert_folder(official, taken, SOURCE)
    assert (tmp_path / "precious" / "thesis.tex").exists() and (official / "config.json").exists()


def test_a_full_disk_leaves_nothing_behind(official: Path, tmp_path: Path) -> None:
    """Simulated by a limit on file sizes."""
    program = (
        "import pathlib, resource, sys\n"
        "from vlseg_cli.models.convert import convert_folder\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))\n"
        "convert_folder(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), {})"
    )
    command = [sys.executable, "-c", program, str(official), str(tmp_path / "ours")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert "OutputError" in done.stderr.splitlines()[-1]
    assert "free disk space, then convert again" in done.stderr.splitlines()[-1]
    assert [path.name for path in tmp_path.iterdir()] == ["official"]


def test_a_truncated_shard_is_named(official: Path, tmp_path: Path) -> None:
    shard = official / "model-00001-of-00002.safetensors"
    data = shard.read_bytes()
    shard.write_bytes(data[: len(data) // 2])
    with pytest.raises(WeightsError, match=r"model-00001-of-00002\.safetensors is damaged"):
        convert_folder(official, tmp_path / "ours", SOURCE)
    shard.write_bytes(data)
    convert_folder(official, tmp_path / "ours", SOURCE)


def test_a_bin_checkpoint_converts_to_the_same(official: Path, tmp_path: Path) -> None:
    convert_folder(official, tmp_path / "ours", SOURCE)
    tensors = {}
    for shard in official.glob("*.safetensors"):
        tensors |= load_file(shard)
        shard.unlink()
    (official / "model.safetensors.index.json").unlink()
    torch.save(tensors, official / "pytorch_model.bin")
    convert_folder(official, tmp_path / "again", SOURCE)
    first, again = (load_file(tmp_path / n / "model.safetensors") for n in ("ours", "again"))
    assert first.keys() == again.keys()
    assert all(again[name].equal(tensor) for name, tensor in first.items())


def test_another_model_type_is_not_psalm(official: Path, tmp_path: Path) -> None:
    assert official_system(official) == "psalm"
    config = json.loads((official / "config.json").read_text())
    (official / "config.json").write_text(json.dumps(config | {"model_type": "qwen2"}))
    assert official_system(official) is None
    with pytest.raises(WeightsError, match="has model_type 'qwen2'"):
        convert_folder(official, tmp_path / "ours", SOURCE)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"model_type": ["llava_phi"]}'])
def test_an_invalid_config_is_an_error(official: Path, text: str) -> None:
    (official / "config.json").write_text(text)
    assert official_system(official) is None
    with pytest.raises(WeightsError, match=r"config\.json"):
        open_official_psalm(official)


def test_batch_counters_may_be_absent(official: Path, tmp_path: Path) -> None:
    for shard in official.glob("*.safetensors"):
        tensors = load_file(shard)
        save_file({n: t for n, t in tensors.items() if "num_batches" not in n}, shard)
    (official / "model.safetensors.index.json").unlink()
    coverage = convert_folder(official, tmp_path / "ours", SOURCE)
    assert "3 of ours made: counts batches, no prediction depends on it" in coverage.lines()
    assert predictions(tmp_path / "ours")[0].segments == predictions(official)[0].segments


def test_a_damaged_tokenizer_is_an_error(official: Path) -> None:
    (official / "tokenizer.json").write_text("{")
    with pytest.raises(WeightsError, match="cannot read the tokenizer") as caught:
        open_official_psalm(official)
    assert "\n" not in str(caught.value)


def test_slow_tokenizer_files_are_read(official: Path) -> None:
    """vocab.json, merges.txt and added_tokens.json, as written by older training scripts."""
    tokenizer = json.loads((official / "tokenizer.json").read_text())
    expected = open_official_psalm(official).tokenizer
    (official / "tokenizer.json").unlink()
    (official / "vocab.json").write_text(json.dumps(tokenizer["model"]["vocab"]))
    (official / "merges.txt").write_text("#version: 0.2\n")
    (official / "added_tokens.json").write_text(json.dumps({"[SEG]": expected.seg}))
    settings = {"tokenizer_class": "CodeGenTokenizer", "add_prefix_space": False}
    (official / "tokenizer_config.json").write_text(json.dumps(settings))
    slow = open_official_psalm(official).tokenizer
    assert slow.seg == expected.seg
    assert slow.ids("a cup [SEG]") == expected.ids("a cup [SEG]")
    assert np.array_equal(slow.ids(" the\ncar"), expected.ids(" the\ncar"))


@pytest.mark.parametrize(
    "stated",
    [
        {"num_attention_heads": 0},
        {"num_attention_heads": "4"},
        {"num_attention_heads": 7},
        {"max_position_embeddings": -1},
        {"partial_rotary_factor": None},
        {"vlseg": 3},
        {"vlseg": {"image_size": "large"}},
        {"vlseg": {"imagesize": 3}},
        {"vlseg": {"decoder_heads": 5}},
        {"vlseg": {"decoder_heads": 0}},
    ],
)
def test_impossible_sizes_are_an_error(official: Path, stated: dict[str, object]) -> None:
    config = json.loads((official / "config.json").read_text())
    (official / "config.json").write_text(json.dumps(config | stated))
    with pytest.raises(WeightsError) as caught:
        require_complete(open_official_psalm(official).coverage, official)
    assert "\n" not in str(caught.value)


def test_a_tokenizer_of_another_model(official: Path) -> None:
    tokenizer = json.loads((official / "tokenizer.json").read_text())
    vocabulary = tokenizer["model"]["vocab"]
    vocabulary |= {f"more{n}": 400 + n for n in range(9)}
    (official / "tokenizer.json").write_text(json.dumps(tokenizer))
    with pytest.raises(WeightsError, match="the model only 320: they are not of one model"):
        open_official_psalm(official)


def test_a_huge_layer_index_is_unknown_and_not_built(official: Path) -> None:
    save_file({"model.layers.999999999.mlp.fc1.bias": torch.zeros(160)}, official / "x.safetensors")
    (official / "model.safetensors.index.json").unlink()
    with pytest.raises(WeightsError, match=r"has unknown model\.layers\.999999999\.mlp\.fc1\.bias"):
        convert_folder(official, official.parent / "ours", SOURCE)
