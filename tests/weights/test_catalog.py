"""weights.toml says only what it may say, and every entry of it can be read."""

import tomllib
from pathlib import Path

import pytest

from vlseg_cli.models.registry import SYSTEMS
from vlseg_cli.schema.errors import TableError, WeightsError
from vlseg_cli.weights.catalog import CatalogEntry, catalog, facts, find_entry, read_catalog

ROOT = Path(__file__).parents[2]
GOOD = '[x]\ntitle = "X"\nrole = "model"\narchitecture = "psalm"\nformat = "pth"\n'


def test_the_file_at_the_top_is_the_one_that_is_read() -> None:
    tables = tomllib.loads((ROOT / "weights.toml").read_text("utf-8"))
    assert list(catalog()) == list(tables) and len(tables) >= 20


def test_the_wheel_is_built_with_the_same_file() -> None:
    """Installed from a wheel, the package finds it inside of itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included["weights.toml"] == "vlseg_cli/weights/weights.toml"


@pytest.mark.parametrize("name", catalog())
def test_bases_are_entries_and_nothing_is_invented(name: str) -> None:
    entry = catalog()[name]
    assert all(catalog()[base].role == "base" for base in entry.bases)
    text = str(facts(entry))
    assert "sha" not in text.lower()
    assert not entry.url or entry.url.startswith("https://")
    assert not entry.url or entry.files == (entry.url.rpartition("/")[2],)
    assert all(0 < number <= 100 for key, number in entry.numbers.items() if key != "MME")


def test_every_model_is_of_a_system_that_can_be_converted() -> None:
    """All but MVP-LM, whose authors have published nothing, have a name."""
    models = {entry.architecture for entry in catalog().values() if entry.role == "model"}
    assert models == SYSTEMS.keys() - {"mvp-lm"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "hash = '1'\n", r"weights.toml \[x\]: unknown key 'hash'"),
        (GOOD + "repositry = 'a/b'\n", "did you mean 'repository'"),
        (GOOD.replace('"pth"', '"zip"'), "format = 'zip'"),
        (GOOD.replace("title", "titel"), "unknown key 'titel'"),
        ('[x]\ntitle = "X"\n', "the key 'role' is missing"),
        (GOOD + "gigabytes = 'many'\n", "gigabytes must be a number"),
        (GOOD + "gigabytes = -1\n", "gigabytes must be at least"),
        (GOOD + "files = 'one'\n", "files must be a list"),
        (GOOD + "numbers = { PQ = 'high' }\n", "PQ must be a number"),
        (GOOD + "repository = 'a/b'\nurl = 'https://x'\n", "a repository or a url, not both"),
    ],
)
def test_what_does_not_belong_is_an_error(text: str, said: str) -> None:
    with pytest.raises(TableError, match=said):
        read_catalog(text)


def test_a_whole_entry() -> None:
    assert read_catalog(GOOD) == {"x": CatalogEntry("X", "model", "psalm", "pth")}


def test_a_misspelled_name() -> None:
    with pytest.raises(WeightsError, match="did you mean 'psalm'"):
        find_entry("pslam")
