"""What vlseg never does, read off its source: unpickle, run what a file says, fetch unasked."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "vlseg_cli"
SOURCES = sorted(PACKAGE.rglob("*.py"))

# Modules that run or fetch what they are given -> the only files that may import them.
RESERVED = {
    # The first two refuse whatever names code, the third only writes.
    "pickle": ("weights/read/pickles.py", "datasets/refcoco.py", "datasets/toy/refcoco.py"),
    "marshal": (),
    "shelve": (),
    "dill": (),
    "joblib": (),
    "cloudpickle": (),
    "yaml": (),
    "subprocess": ("media/decoder_process.py", "evaluation/summary.py"),  # the latter runs git
    "socket": ("jobs/lease.py",),  # for the name of this machine
    "requests": (),
    "urllib.request": (),
    "http.client": (),
    "huggingface_hub": ("weights/pull.py",),
}
# Our own subcommands, and our own dependencies.
BY_NAME = ("cli/main.py", "cli/checks/environment.py")
# Functions by the last parts of their names.
FORBIDDEN = ("eval", "exec", "__import__", "compile", "torch.load", "torch.hub.load", "np.load")
# torch.load of our own checkpoints reads tensors alone.
TENSORS_ONLY = "weights_only"


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def true_keywords(call: ast.Call) -> set[str]:
    return {
        keyword.arg or "**"
        for keyword in call.keywords
        if isinstance(keyword.value, ast.Constant) and keyword.value.value is True
    }


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: str(file.relative_to(PACKAGE)))
def test_nothing_is_run_that_a_file_says(file: Path) -> None:
    tree = ast.parse(file.read_text("utf-8"))
    place = file.relative_to(PACKAGE).as_posix()
    for name in imports(tree):
        for module, allowed in RESERVED.items():
            if name == module or name.startswith(module + "."):
                assert place in allowed, f"{place} imports {name}"
    for call in calls(tree):
        called = ast.unparse(call.func)
        given = true_keywords(call)
        assert not given & {"trust_remote_code", "allow_pickle"}, f"{place}: {called}"
        assert "import_module" not in called or place in BY_NAME, f"{place}: {called}"
        if called in FORBIDDEN:
            assert TENSORS_ONLY in given, f"{place} calls {called}"


def test_the_check_sees_what_it_looks_for() -> None:
    tree = ast.parse("import pickle\nfrom urllib.request import urlopen\ntorch.load(x)\neval(y)")
    assert set(imports(tree)) == {"pickle", "urllib.request"}
    assert [ast.unparse(call.func) for call in calls(tree)] == ["torch.load", "eval"]
    (call,) = calls(ast.parse("f(trust_remote_code=True, weights_only=False)"))
    assert true_keywords(call) == {"trust_remote_code"}
