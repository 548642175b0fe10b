"""Identity switches, counted by hand."""

import numpy as np

from vlseg_cli.evaluation.metrics.id_switches import IdSwitches, Masks, SwitchResult


def masks(**places: int) -> Masks:
    """Things of one row in an image of nine: 'n3=0' is number 3 in row 0."""
    found = {}
    for name, row in places.items():
        mask = np.zeros((9, 9), bool)
        mask[row] = True
        found[int(name[1:])] = mask
    return found


def counted(*frames: tuple[Masks, Masks]) -> SwitchResult:
    meter = IdSwitches()
    meter.add(frames)
    return meter.result()


def test_a_change_and_a_change_back_are_two_switches() -> None:
    truth = masks(n1=0, n2=5)
    result = counted(
        (truth, masks(n7=0, n8=5)),
        (truth, masks(n9=0, n8=5)),
        (truth, masks(n7=0, n8=5)),
    )
    assert result == SwitchResult(switches=2, things=2, seen=6, found=6, rate=2 / 6)


def test_two_swapped_tracks_are_two_switches() -> None:
    truth = masks(n1=0, n2=5)
    assert counted((truth, masks(n7=0, n8=5)), (truth, masks(n8=0, n7=5))).switches == 2


def test_the_number_after_a_gap_is_compared_with_the_last() -> None:
    truth, nothing = masks(n1=0), masks()
    same = counted((truth, masks(n7=0)), (nothing, nothing), (truth, nothing), (truth, masks(n7=0)))
    assert (same.switches, same.seen, same.found) == (0, 3, 2)
    assert counted((truth, masks(n7=0)), (truth, nothing), (truth, masks(n8=0))).switches == 1


def test_a_match_persists_though_another_overlaps_more() -> None:
    true = {1: np.ones((1, 10), bool)}
    most, all_ = np.arange(10)[None] < 7, np.ones((1, 10), bool)
    assert counted((true, {7: all_}), (true, {7: most, 8: all_})).switches == 0


def test_too_little_overlap_is_no_pair() -> None:
    true = {1: np.ones((1, 10), bool)}
    result = counted((true, {7: np.arange(10)[None] < 4}))
    assert (result.found, result.rate) == (0, None)
