"""What the source must never contain: code from models, evaluation of text, unsafe pickles."""

import ast
from pathlib import Path

import pytest

import vlseg_cli

SOURCES = sorted(Path(vlseg_cli.__file__).parent.rglob("*.py"))
_CALLS = {"eval", "exec", "compile", "__import__"}
_ATTRIBUTES = {("yaml", "load"), ("pickle", "load"), ("pickle", "loads"), ("os", "system")}


def _name(node: ast.expr) -> tuple[str, ...]:
    if isinstance(node, ast.Attribute):
        return (*_name(node.value), node.attr)
    return (node.id,) if isinstance(node, ast.Name) else ()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_no_text_becomes_code(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.keyword):
            assert node.arg != "trust_remote_code", path
            assert not (node.arg == "shell" and getattr(node.value, "value", 1)), path
            if node.arg == "weights_only":
                assert getattr(node.value, "value", None) is True, path
        if isinstance(node, ast.Call):
            called = _name(node.func)
            assert not (len(called) == 1 and called[0] in _CALLS), (path, node.lineno)
            assert called[-2:] not in _ATTRIBUTES, (path, node.lineno)
            if called[-2:] == ("torch", "load"):
                given = {keyword.arg for keyword in node.keywords}
                assert "weights_only" in given, (path, node.lineno)


def test_only_our_subcommands_and_dependencies_are_imported_by_name() -> None:
    users = [path for path in SOURCES if "import_module(" in path.read_text()]
    assert [path.name for path in users] == ["app.py", "environment.py"]
