"""Rows are found again by their input, in their order."""

from hypothesis import given
from hypothesis import strategies as st

from vlseg_cli.cli.prompts_file.index import RowIndex


@given(st.lists(st.integers(0, 5), min_size=1))
def test_each_input_has_its_rows_in_order(owners: list[int]) -> None:
    places: dict[int, int] = {}
    index = RowIndex()
    for row, owner in enumerate(owners):
        index.add(places.setdefault(owner, len(places)), 10 * row, row + 2)
    assert len(index) == len(owners)
    for owner, place in places.items():
        rows = [row for row, other in enumerate(owners) if other == owner]
        assert list(index.rows(place)) == [(10 * row, row + 2) for row in rows]
