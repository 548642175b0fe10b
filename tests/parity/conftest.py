"""Golden files of ``--goldens`` or of ``goldens/`` here: each is compared with our modules."""

from pathlib import Path

import pytest
from parity.golden import Golden, golden_files


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a module ``test_<system>.py`` once per ``<system>-*.safetensors`` in --goldens."""
    if "golden" in metafunc.fixturenames:
        system = Path(metafunc.module.__file__).stem.removeprefix("test_")
        directory = metafunc.config.getoption("--goldens")
        files = golden_files(system, directory)
        assert files, f"no golden file of {system} in {directory or 'goldens/'}"
        metafunc.parametrize("golden", files, ids=lambda f: f.stem, indirect=True, scope="module")


@pytest.fixture(scope="module")
def golden(request: pytest.FixtureRequest) -> Golden:
    return Golden.load(request.param)
