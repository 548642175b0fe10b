"""Which versions of everything are here, and whether they are those that vlseg asks for."""

import platform
import sys
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module, metadata

from packaging.requirements import Requirement

from vlseg_cli import __version__
from vlseg_cli.cli.checks.finding import Finding, broken, warning


def environment() -> Iterator[Finding]:
    """Python and the packages that vlseg requires; those with native parts are really imported."""
    yield Finding("vlseg", __version__)
    yield Finding("Python", f"{platform.python_version()} on {platform.platform()}")
    requirements = _requirements()
    if not requirements:
        mend = "Install vlseg with pip, so that the versions of its packages can be compared."
        yield warning("packages", "vlseg is not installed, only found", mend)
    for requirement in requirements:
        yield package(requirement)


def _requirements() -> list[Requirement]:
    """What this machine needs of the things that vlseg's own metadata name."""
    try:
        written = metadata.requires("vlseg") or []
    except metadata.PackageNotFoundError:
        return []
    named = sorted((Requirement(text) for text in written), key=lambda one: one.name)
    return [one for one in named if one.marker is None or one.marker.evaluate({"extra": ""})]


def package(requirement: Requirement) -> Finding:
    """Whether a package is here, can be imported, and has a version that is asked for."""
    name = requirement.name
    mend = f"Run: {sys.executable} -m pip install '{name}{requirement.specifier}'."
    try:
        version = metadata.version(name)
    except metadata.PackageNotFoundError:
        return broken(name, "is missing", mend)
    try:
        found = f"{version}{_NATIVE[name]()}" if name in _NATIVE else version
    except Exception as error:  # a broken library may raise anything
        return broken(name, f"{version}, cannot be imported ({error})", mend)
    if not requirement.specifier.contains(version, prereleases=True):
        return broken(name, f"{found}, but {requirement.specifier} is needed", mend)
    return Finding(name, found)


def _torch() -> str:
    import torch

    build = f"CUDA {torch.version.cuda}" if torch.version.cuda else "CPUs alone"
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
