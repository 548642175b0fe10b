"""Do our modules compute, on this machine, what the authors' own code computed?

A system's stages compare with a golden file; every output that the file holds has to be compared.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

from parity.golden import Golden, golden_files

from vlseg_cli.schema import WeightsError

Stages = Mapping[str, Callable[[], None]]

# How golden files are named where that is not by the architecture alone.
LAYOUTS: Mapping[str, tuple[str, ...]] = {"hrseg": ("llmseg", "hrseg")}


def _hrseg(golden: Golden) -> Stages:
    from parity.hrseg import hrseg_stages

    return hrseg_stages(golden)


def _psalm(golden: Golden) -> Stages:
    from parity.psalm import psalm_stages

    return psalm_stages(golden)


def _hyperseg(golden: Golden) -> Stages:
    from parity.hyperseg import hyperseg_stages

    return hyperseg_stages(golden)


def _self1e(golden: Golden) -> Stages:
    from parity.self1e import self1e_stages

    return self1e_stages(golden)


def _mvp_lm(golden: Golden) -> Stages:
    from parity.mvp_lm import mvp_lm_stages

    return mvp_lm_stages(golden)


# By the names of the registry; each imports only its own system.
PARITY: Mapping[str, Callable[[Golden], Stages]] = {
    "hrseg": _hrseg,
    "psalm": _psalm,
    "hyperseg": _hyperseg,
    "self1e": _self1e,
    "mvp-lm": _mvp_lm,
}


def check_parity(architecture: str, directory: Path | None = None) -> list[Golden]:
    """Run every stage of an architecture against every golden file that there is for it.

    directory: of golden files, None for those that come with vlseg. Raises WeightsError at the
    first output that does not agree or was not compared, and if there is nothing to compare with.
    """
    if architecture not in PARITY:
        raise WeightsError(f"this version of vlseg cannot compare a {architecture} with goldens")
    layouts = LAYOUTS.get(architecture, (architecture,))
    files = [file for layout in layouts for file in golden_files(layout, directory)]
    if not files:
        where = directory or "this installation"
        named = " or ".join(f"{layout.replace('_', '-')}-*.safetensors" for layout in layouts)
        raise WeightsError(
            f"{where} has no golden file {named}: give a folder that has one with --goldens"
        )
    return [_compared(architecture, Golden.load(file)) for file in files]


def _compared(architecture: str, golden: Golden) -> Golden:
    for stage in PARITY[architecture](golden).values():
        stage()
    if golden.left:
        raise WeightsError(f"{golden.path.name} holds what was not compared: {golden.left[0]}")
    return golden
