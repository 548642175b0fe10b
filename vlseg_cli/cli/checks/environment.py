"""Python, the required packages and their versions, and the embedded weights."""

import hashlib
import platform
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module, metadata

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
        found = f"{version}{_NATIVE[name]()}" if name in _NATIVE else version
    except Exception as error:  # a broken library may raise anything
        return broken(name, f"{version}, cannot be imported ({error})", remedy)
    if not requirement.specifier.contains(version, prereleases=True):
        return broken(name, f"{found}, but {requirement.specifier} is needed", remedy)
    return CheckFinding(name, found)


def _torch() -> str:
    import torch

    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPU only"
    return f", built for {build}, threads: {torch.get_num_threads()}"


def _av() -> str:
    import av

    return f" with FFmpeg {av.ffmpeg_version_info}"


def _onnxruntime() -> str:
    import onnxruntime

    return f", {', '.join(onnxruntime.get_available_providers())}"


def _imported(module: str) -> str:
    import_module(module)
    return ""


_NATIVE: dict[str, Callable[[], str]] = {
    "torch": _torch,
    "av": _av,
    "decord": partial(_imported, "decord"),
    "onnxruntime": _onnxruntime,
    "onnxruntime-gpu": _onnxruntime,
    "pycocotools": partial(_imported, "pycocotools.mask"),
}


_SEED, _SIZE = 900_000, 128  # of the scene: outside of all training seeds
_REMEDY = "Install vlseg again; its package includes the weights."


def weights() -> Iterator[CheckFinding]:
    """Size and hash of the weights, then a prediction of the model."""
    from vlseg_cli.weights.folder import WEIGHTS
    from vlseg_cli.weights.resolve import EMBEDDED

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
