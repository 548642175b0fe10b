"""Golden files of ``--goldens`` or of ``goldens/`` here: each is compared with our modules.

A module ``test_<system>.py`` runs once per ``<system>-*.safetensors`` and once per name in its
``STAGES``; all stages of a file share one model.
"""

from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from parity.golden import Golden, Stages, golden_files, stages_of


def _system(module: ModuleType) -> str:
    return Path(str(module.__file__)).stem.removeprefix("test_")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "golden" in metafunc.fixturenames:
        system = _system(metafunc.module)
        directory = metafunc.config.getoption("--goldens")
        files = golden_files(system, directory)
        assert files, f"no golden file of {system} in {directory or 'goldens/'}"
        metafunc.parametrize("golden", files, ids=lambda f: f.stem, indirect=True, scope="module")
    if "stage" in metafunc.fixturenames:
        metafunc.parametrize("stage", metafunc.module.STAGES)


@pytest.fixture(scope="module")
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden.load(request.param)


@pytest.fixture(scope="module")
def stages(request: pytest.FixtureRequest, golden: Golden) -> Stages:
    stages = stages_of(_system(request.module), golden)
    return {name: cache(stage) for name, stage in stages.items()}
