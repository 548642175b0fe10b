"""Tests stand where the code stands: ``vlseg_cli/a/b.py`` is tested by ``tests/a/test_b.py``.

``mirror.toml`` lists the exceptions, each with its reason; an exception that is none fails too.
"""

import tomllib
from pathlib import Path

TESTS = Path(__file__).parent
PACKAGE = TESTS.parent / "vlseg_cli"
EXCEPTIONS = {
    module: reason
    for folder in tomllib.loads((TESTS / "mirror.toml").read_text("utf-8")).values()
    for module, reason in folder.items()
}


def folder_of(module: Path) -> Path:
    """Metrics are tested in ``tests/metrics``: others call that folder by name."""
    return Path("metrics") if module.parent == Path("evaluation/metrics") else module.parent


def modules_without_a_test_file() -> set[str]:
    modules = (
        path.relative_to(PACKAGE)
        for path in PACKAGE.rglob("*.py")
        if path.stem not in ("__init__", "__main__")
    )
    return {
        module.as_posix()
        for module in modules
        if not (TESTS / folder_of(module) / f"test_{module.stem}.py").exists()
    }


def test_a_module_has_a_test_file_of_its_name_or_is_a_listed_exception() -> None:
    assert modules_without_a_test_file() == set(EXCEPTIONS)


def test_every_exception_says_why() -> None:
    assert [module for module, reason in EXCEPTIONS.items() if not reason] == []
