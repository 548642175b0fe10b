"""Each image is encoded once for all prompts, and not at all when its features are cached."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from models.tiny_hrseg import SAM_SIZES, Quarters, tiny_hrseg, tiny_segmenter

from vlseg_cli.models.hrseg.segmenter import HRSegSegmenter
from vlseg_cli.models.proposals.base import ProposalOptions
from vlseg_cli.models.registry import build_trainable, load_model, open_proposer
from vlseg_cli.schema import (
    Categories,
    Expression,
    Frame,
    NotFiniteError,
    PromptRequest,
    Question,
    Sample,
    Task,
    UsageError,
    decode_rle,
)
from vlseg_cli.text.tokenizer import Tokenizer
from vlseg_cli.training.vocabulary import synthetic_vocabulary
from vlseg_cli.weights.folder import save_folder

TEN = tuple(
    PromptRequest(0, Task.REASON, Question(text))
    for text in ("what keeps food cold ?", "what barks ?", *(f"what is {n} ?" for n in range(8)))
)


@pytest.fixture
def frame(samples: list[Sample]) -> Frame:
    return samples[0].frame


def count_views(segmenter: HRSegSegmenter) -> list[int]:
    """A list that grows by the number of views at every run of DINOv2."""
    views: list[int] = []
    segmenter.model.dino.register_forward_pre_hook(lambda _, inputs: views.append(len(inputs[0])))
    return views


def test_ten_prompts_take_one_encoding(tokenizer: Tokenizer, frame: Frame) -> None:
    segmenter = tiny_segmenter(tokenizer)
    views = count_views(segmenter)
    predictions = segmenter.predict(segmenter.encode([frame]), TEN)
    assert len(predictions) == 10 and views == [1 + 2 * 2]
    assert segmenter.proposer.asked == 1  # type: ignore[attr-defined]


def test_a_second_run_uses_the_cache(tokenizer: Tokenizer, frame: Frame, tmp_path: Path) -> None:
    results = []
    for run in (1, 2):
        segmenter = tiny_segmenter(tokenizer)
        segmenter.choose_proposals(ProposalOptions(cache=tmp_path / "cache"), open_proposer)
        segmenter.proposer = Quarters()
        views = count_views(segmenter)
        found = segmenter.predict(segmenter.encode([frame]), TEN)
        results.append([one.segments for one in found])
        assert (len(views), segmenter.proposer.asked) == ((1, 1) if run == 1 else (0, 0))
    assert results[0] == results[1]


def test_nothing_is_cached_by_default(
    tokenizer: Tokenizer, frame: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    segmenter = tiny_segmenter(tokenizer)
    segmenter.encode([frame])
    assert not list(tmp_path.iterdir())


def test_the_environment_may_name_the_cache_folder(
    tokenizer: Tokenizer, frame: Frame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLSEG_CACHE", str(tmp_path / "kept"))
    tiny_segmenter(tokenizer).encode([frame])
    kept = {file.suffix for file in (tmp_path / "kept").rglob("*") if file.is_file()}
    assert kept == {".json", ".safetensors"}


def test_the_cache_depends_on_the_weights(
    tokenizer: Tokenizer, frame: Frame, tmp_path: Path
) -> None:
    for digest, expected in (("one", 1), ("two", 1), ("one", 0)):
        segmenter = HRSegSegmenter("tiny", tiny_hrseg(tokenizer), tokenizer, digest)
        segmenter.choose_proposals(ProposalOptions(cache=tmp_path), open_proposer)
        segmenter.proposer = Quarters()
        views = count_views(segmenter)
        segmenter.encode([frame])
        assert len(views) == expected


def test_batched_prompts_equal_single_prompts(tokenizer: Tokenizer, samples: list[Sample]) -> None:
    """Images of other sizes and other prompts in the batch change no prediction."""
    segmenter = tiny_segmenter(tokenizer)
    frames = [sample.frame for sample in samples]
    frames.append(Frame(frames[0].pixels[:40, :17].copy(), "a corner"))
    texts = ("the cup", "the red car on the left", "sky")
    requests = [
        PromptRequest(f, Task.REFER, Expression(t)) for f in range(len(frames)) for t in texts
    ]
    together = segmenter.predict(segmenter.encode(frames), requests)
    for request, prediction in zip(requests, together, strict=True):
        one = PromptRequest(0, Task.REFER, request.prompt)
        (alone,) = segmenter.predict(segmenter.encode([frames[request.frame]]), [one])
        assert [s.rle for s in alone.segments] == [s.rle for s in prediction.segments]


@pytest.mark.parametrize("windows", [0, 1, 2, 3, 4])
def test_any_number_of_windows(tokenizer: Tokenizer, frame: Frame, windows: int) -> None:
    segmenter = tiny_segmenter(tokenizer, windows=windows, enhancement_layers=windows)
    views = count_views(segmenter)
    (prediction,) = segmenter.predict(segmenter.encode([frame]), TEN[:1])
    assert views == [1 + windows**2] and len(prediction.segments) == 1


def test_llava_next_accepts_images_of_any_shape(tokenizer: Tokenizer, frame: Frame) -> None:
    segmenter = tiny_segmenter(tokenizer, llava="v1.6")
    frames = [
        frame,
        Frame(frame.pixels[:20].copy(), "wide"),
        Frame(frame.pixels[:, :20].copy(), "tall"),
    ]
    encoded = segmenter.encode(frames)
    assert len({len(tokens) for tokens in encoded.features.tokens}) > 1
    requests = [PromptRequest(f, Task.REASON, Question("what barks ?")) for f in range(3)]
    together = segmenter._scores(encoded, {(a.frame, 0): a for a in requests})
    for index, one in enumerate(frames):
        alone = segmenter._scores(segmenter.encode([one]), {(0, 0): requests[0]})
        for ours, theirs in zip(together[index, 0], alone[0, 0], strict=True):
            assert torch.allclose(ours, theirs, atol=1e-5)


def test_predictions_are_unions_of_proposals(tokenizer: Tokenizer, frame: Frame) -> None:
    segmenter = tiny_segmenter(tokenizer, selection="iop", iop=0.0)
    (prediction,) = segmenter.predict(segmenter.encode([frame]), TEN[:1])
    (segment,) = prediction.segments
    assert decode_rle(segment.rle).all() and 0 < segment.score < 1
    assert (prediction.height, prediction.width) == frame.pixels.shape[:2]


def test_the_threshold_and_empty_predictions(tokenizer: Tokenizer, frame: Frame) -> None:
    """The threshold is the IoP to exceed; only with ``many`` may a prediction be empty."""
    segmenter = tiny_segmenter(tokenizer)
    encoded, question = segmenter.encode([frame]), Question("what barks ?")
    best = segmenter.predict(encoded, [PromptRequest(0, Task.REASON, question, 1.0)])[0]
    assert len(best.segments) == 1 and best.segments[0].area < frame.pixels[..., 0].size
    assert not segmenter.predict(
        encoded, [PromptRequest(0, Task.REASON, question, 1.0, many=True)]
    )[0].segments


def test_an_image_without_proposals_has_no_segments(tokenizer: Tokenizer, frame: Frame) -> None:
    segmenter = tiny_segmenter(tokenizer)

    class Nothing(Quarters):
        def propose(self, frame: Frame) -> Any:
            full = super().propose(frame)
            return type(full)(full.height, full.width, (), ())

    segmenter.proposer = Nothing()
    (prediction,) = segmenter.predict(segmenter.encode([frame]), TEN[:1])
    assert prediction.segments == ()


def test_unsupported_prompts_are_rejected(tokenizer: Tokenizer, frame: Frame) -> None:
    segmenter = tiny_segmenter(tokenizer)
    with pytest.raises(UsageError, match="answers sentences alone"):
        segmenter.predict(
            segmenter.encode([frame]), [PromptRequest(0, Task.INSTANCE, Categories(("cup",)))]
        )


def test_nan_is_an_error(tokenizer: Tokenizer, frame: Frame) -> None:
    segmenter = tiny_segmenter(tokenizer)
    with torch.no_grad():
        segmenter.model.fusion.norm.weight.fill_(float("nan"))
    with pytest.raises(NotFiniteError, match="not finite"):
        segmenter.predict(segmenter.encode([frame]), TEN[:1])


def test_a_trained_folder_predicts(tmp_path: Path, frame: Frame) -> None:
    """Saved by training, loaded by path, with proposals of the embedded model."""
    from models.tiny_hrseg import SIZES

    torch.manual_seed(0)
    build_trainable("hrseg", synthetic_vocabulary(), SIZES).save(tmp_path / "tiny", "# A card\n")
    model = load_model(str(tmp_path / "tiny"), "cpu")
    (prediction,) = model.predict(model.encode([frame]), TEN[:1])
    assert len(prediction.segments) == 1
    assert model.tokenizer.unknown_words("the xylophone") == ["xylophone"]


def test_a_folder_with_a_sam_makes_its_own_proposals(
    tokenizer: Tokenizer, tmp_path: Path, frame: Frame
) -> None:
    model = tiny_hrseg(tokenizer, **SAM_SIZES)
    settings = {"architecture": "hrseg", "config": {**_plain(model.config)}}
    save_folder(tmp_path, model.state_dict(), settings, tokenizer.save, "# A card\n")
    segmenter = load_model(str(tmp_path), "cpu")
    assert isinstance(segmenter, HRSegSegmenter)
    assert segmenter.proposer.key.endswith("everything 32")
    proposals = segmenter.proposer.propose(frame)
    assert (proposals.height, proposals.width) == frame.pixels.shape[:2]


def test_a_folder_of_masks_replaces_the_proposer(
    tokenizer: Tokenizer, tmp_path: Path, frame: Frame
) -> None:
    from PIL import Image

    (tmp_path / Path(frame.source).stem).mkdir()
    mask = np.zeros((frame.height, frame.width), np.uint8)
    mask[5:20, 5:20] = 255
    Image.fromarray(mask).save(tmp_path / Path(frame.source).stem / "0.png")
    segmenter = HRSegSegmenter("tiny", tiny_hrseg(tokenizer), tokenizer, "digest")
    segmenter.choose_proposals(ProposalOptions(source=str(tmp_path)), open_proposer)
    (prediction,) = segmenter.predict(segmenter.encode([frame]), TEN[:1])
    assert (decode_rle(prediction.segments[0].rle) == (mask > 0)).all()


def _plain(config: Any) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(config)
