"""The code keeps to its own rules: names, words, spelling, sizes, no import cycles.

CONTRIBUTING.md and docs/decisions/ state the rules; import-linter checks the layers.
"""

import ast
import re
import statistics
import tokenize
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = sorted((ROOT / "vlseg_cli").rglob("*.py"))
TREES = {path: ast.parse(path.read_text("utf-8")) for path in SOURCES}

# What others read under these names: the eval and export keys of the first release.
BRITISH_ON_PURPOSE = {"colour"}
BRITISH = re.compile(
    r"colour|optimis|normalis|initialis|generalis|recognis|tokenis|summaris|neighbour|behaviour"
    r"|catalogue|licence|minimis|maximis|organis|visualis|serialis|quantis|artefact|favour|honour"
    r"|labelled|modelled|centre|analyse|grey",
    re.IGNORECASE,
)
QUOTED = re.compile(r"``[^`]*``|\"[^\"\n]*\"|'[^'\n]*'")
# Identifiers of the first edition that say nothing to a reader from the field.
PRIVATE_WORDS = {
    *("Seen", "Asked", "Answered", "Ask", "asks", "Choices", "spread", "tally", "Tally"),
    *("willing", "Willing", "promising", "keep_stable", "suppress_doubles", "begin_with"),
    *("take_parts", "silenced", "claim", "shake", "owes", "alike", "talks", "meant_names"),
    *("specimen", "specimens", "two_eyes", "read_ahead", "cut_off", "look", "looks"),
}
NONDESCRIPT = {"utils", "util", "common", "helpers", "helper", "misc", "tools", "lib"}


def identifiers(tree: ast.AST) -> Iterator[str]:
    """Names that are defined, bound or passed by keyword."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.arg


def toml_keys(path: Path) -> Iterator[str]:
    for line in path.read_text("utf-8").splitlines():
        yield from re.findall(r"([A-Za-z_][\w-]*)\s*=", line.partition("#")[0])
        yield from re.findall(r"^\[+([\w.\-]+)\]+", line)


def imports(module: str, tree: ast.AST, modules: set[str]) -> set[str]:
    """The modules of the package that a module imports, wherever in its text."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {
                full if (full := f"{node.module}.{alias.name}") in modules else node.module
                for alias in node.names
            }
    return {one for one in found if one in modules and one != module}


def name_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def test_a_class_name_exists_once() -> None:
    names = Counter(
        node.name
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    )
    assert [name for name, count in names.items() if count > 1] == []


def test_identifiers_and_keys_are_spelled_as_in_america() -> None:
    names = {name for tree in TREES.values() for name in identifiers(tree)}
    for file in [*sorted((ROOT / "recipes").glob("*.toml")), ROOT / "weights.toml"]:
        names |= set(toml_keys(file))
    assert {name for name in names if BRITISH.search(name)} - BRITISH_ON_PURPOSE == set()


def test_comments_and_docstrings_are_spelled_as_in_america() -> None:
    wrong = []
    for path in SOURCES:
        with path.open("rb") as file:
            for token in tokenize.tokenize(file.readline):
                prose = token.type == tokenize.COMMENT or token.string.startswith('"""')
                if prose and (
                    match := BRITISH.search(
                        re.sub(r"``[^`]*``|\"[^\"\n]*\"|'[^'\n]*'", "", token.string)
                    )
                ):
                    wrong.append(f"{path.relative_to(ROOT)}:{token.start[0]} {match.group()}")
    assert wrong == []


def test_the_words_of_the_first_edition_are_gone() -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in TREES.items()
        for name in identifiers(tree)
        if name in PRIVATE_WORDS
    }
    assert sorted(found) == []


def test_no_file_or_folder_has_a_name_that_says_nothing() -> None:
    parts = {part for path in SOURCES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert parts & NONDESCRIPT == set()


def test_files_are_of_readable_size() -> None:
    lines = {path: len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {path: n for path, n in lines.items() if n > 500} == {}
    sizes = [n for path, n in lines.items() if path.name != "__init__.py"]
    assert 90 <= statistics.median(sizes) <= 160


def test_no_modules_import_each_other_in_a_circle() -> None:
    modules = {name_of(path) for path in SOURCES}
    graph = {name_of(path): imports(name_of(path), tree, modules) for path, tree in TREES.items()}
    done: set[str] = set()

    def visit(module: str, above: tuple[str, ...]) -> None:
        if module in above:
            pytest.fail(" -> ".join([*above[above.index(module) :], module]))
        if module not in done:
            for one in sorted(graph[module]):
                visit(one, (*above, module))
            done.add(module)

    for module in sorted(modules):
        visit(module, ())


def test_every_file_begins_by_saying_what_it_is() -> None:
    bare = [path for path, tree in TREES.items() if not ast.get_docstring(tree)]
    assert [path for path in bare if path.read_text("utf-8").strip()] == []
    todo = [
        path for path, tree in TREES.items() if (ast.get_docstring(tree) or "").startswith("TODO")
    ]
    assert todo == []
