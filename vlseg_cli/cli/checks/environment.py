"""Python and the required packages, video codecs, and the embedded weights."""

import hashlib
import platform
import sys
from collections.abc import Iterator
from fractions import Fraction
from importlib import import_module, metadata
from io import BytesIO

import numpy as np
from packaging.requirements import Requirement

from vlseg_cli import __version__
from vlseg_cli.cli.checks import CheckFinding, broken, warning
from vlseg_cli.schema import Categories, Frame, PromptRequest, Task, WeightsError


def environment() -> Iterator[CheckFinding]:
    """Python and the required packages; those with native libraries are really imported."""
    yield CheckFinding("vlseg", __version__)
    yield CheckFinding("Python", f"{platform.python_version()} on {platform.platform()}")
    requirements = _requirements()
    if not requirements:
        remedy = "Install vlseg with pip, so that the versions of its packages can be compared."
        yield warning("packages", "vlseg is not installed, only on the path", remedy)
    for requirement in requirements:
        yield package(requirement)


def _requirements() -> list[Requirement]:
    """The requirements in vlseg's metadata that apply to this machine."""
    try:
        written = metadata.requires("vlseg") or []
    except metadata.PackageNotFoundError:
        return []
    requirements = sorted((Requirement(text) for text in written), key=lambda one: one.name)
    return [one for one in requirements if one.marker is None or one.marker.evaluate({"extra": ""})]


def package(requirement: Requirement) -> CheckFinding:
    """Whether a package is installed, can be imported, and has a required version."""
    name = requirement.name
    remedy = f"Run: {sys.executable} -m pip install '{name}{requirement.specifier}'."
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return broken(name, "is missing", remedy)
    try:
        found = version + _details(name)
    except Exception as error:  # a broken library may raise anything
        return broken(name, f"{version}, cannot be imported ({error})", remedy)
    if not requirement.specifier.contains(version, prereleases=True):
        return broken(name, f"{found}, but {requirement.specifier} is needed", remedy)
    return CheckFinding(name, found)


def _details(name: str) -> str:
    """What is worth knowing of a package with native libraries, which is imported; '' of others."""
    match name:
        case "torch":
            import torch

            build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU only"
            return f", built for {build}, threads: {torch.get_num_threads()}"
        case "av":
            import av

            return f" with FFmpeg {av.ffmpeg_version_info}"
        case "onnxruntime" | "onnxruntime-gpu":
            import onnxruntime

            return f", {', '.join(onnxruntime.get_available_providers())}"
        case "decord" | "pycocotools":
            import_module("pycocotools.mask" if name == "pycocotools" else name)
    return ""


_CONTAINERS = {"h264": "mp4", "hevc": "mp4", "vp9": "webm", "av1": "mp4", "gif": "gif"}
_HEIGHT, _WIDTH = 96, 128
_GRAYS = (20, 80, 140, 200)  # of the frames
_TOLERANCE = 8  # of 255, for lossy coding


def codecs() -> Iterator[CheckFinding]:
    """A finding for each codec; only H.264, the codec of written videos, is required."""
    yield from map(codec_finding, _CONTAINERS)


def codec_finding(codec: str) -> CheckFinding:
    """Try one codec, by its FFmpeg name; without an encoder the decoder is only opened."""
    name = codec.upper()
    video = _encode(codec)
    reads = _can_decode(codec, video)
    found = f"{'' if reads else 'not '}read, {'' if video else 'not '}written"
    if reads and video:
        return CheckFinding(name, found)
    remedy = "Run: pip install --force-reinstall av; its wheels include all codecs."
    return (broken if codec == "h264" else warning)(name, found, remedy)


def _encode(codec: str) -> BytesIO | None:
    """A video of a few gray frames, None if there is no encoder that can be opened."""
    import av

    video = BytesIO()
    try:
        with av.open(video, "w", format=_CONTAINERS.get(codec, "mp4")) as container:
            stream = container.add_stream(codec, rate=Fraction(10))
            assert isinstance(stream, av.VideoStream)
            stream.width, stream.height = _WIDTH, _HEIGHT
            stream.pix_fmt = "rgb8" if codec == "gif" else "yuv420p"
            for gray in _GRAYS:
                pixels = np.full((_HEIGHT, _WIDTH, 3), gray, np.uint8)
                container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels)))
            container.mux(stream.encode(None))
    except (av.FFmpegError, ValueError):
        return None
    video.seek(0)
    return video


def _can_decode(codec: str, video: BytesIO | None) -> bool:
    """Whether the frames are decoded correctly; without a video, whether the decoder opens."""
    import av

    try:
        if video is None:
            av.CodecContext.create(codec, "r").open()
            return True
        with av.open(video, "r") as container:
            grays = [frame.to_ndarray(format="rgb24").mean() for frame in container.decode(video=0)]
    except (av.FFmpegError, ValueError):
        return False
    return len(grays) == len(_GRAYS) and bool(np.allclose(grays, _GRAYS, atol=_TOLERANCE))


_SEED, _SIZE = 900_000, 128  # of the scene: outside of all training seeds
_REMEDY = "Install vlseg again; its package includes the weights."


def weights() -> Iterator[CheckFinding]:
    """Size and hash of the weights, then a prediction of the model."""
    from vlseg_cli.weights.resolve import EMBEDDED
    from vlseg_cli.weights.settings import WEIGHTS

    file = EMBEDDED / WEIGHTS
    if not file.is_file():
        yield broken("embedded", f"{file} is missing", _REMEDY)
        return
    data = file.read_bytes()
    yield CheckFinding(
        "embedded", f"{len(data) / 1e6:.1f} MB, SHA-256 {hashlib.sha256(data).hexdigest()}"
    )
    yield _prediction()


def _prediction() -> CheckFinding:
    from vlseg_cli.models.registry import load_model
    from vlseg_cli.synthetic.draw import draw_scene

    try:
        model = load_model()
    except WeightsError as error:
        return broken("prediction", f"the model does not load ({error})", _REMEDY)
    scene = draw_scene(_SEED, _SIZE)
    prompt = Categories(model.categories, model.stuff)
    frame = Frame(scene.pixels, "a synthetic scene")
    (prediction,) = model.predict(model.encode([frame]), [PromptRequest(0, Task.PANOPTIC, prompt)])
    found = {segment.label for segment in prediction.segments}
    drawn = {item.category for item in scene.items}
    text = f"finds {len(found & drawn)} of {len(drawn)} categories in a synthetic scene"
    if not found & drawn:
        return broken("prediction", text, _REMEDY)
    return CheckFinding("prediction", text)
