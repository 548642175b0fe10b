"""The first signal stops after the current batch, the second at once."""

import os
import signal
import threading

import pytest

from vlseg_cli.jobs.pipeline import stop_on_signals


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_second_signal_stops_at_once(number: int, code: int) -> None:
    notes: list[str] = []
    with stop_on_signals(notes.append) as stop:
        assert not stop
        os.kill(os.getpid(), number)
        assert stop
        assert stop.exit_code == code
        assert len(notes) == 1
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)


def test_a_signal_that_is_not_insistent_changes_nothing_when_it_comes_second() -> None:
    with stop_on_signals(lambda _: None, (signal.SIGINT,)) as stop:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
        assert stop.exit_code == 143
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)


def test_handlers_return_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with stop_on_signals(lambda _: None):
        assert signal.getsignal(signal.SIGTERM) is not before
    assert signal.getsignal(signal.SIGTERM) is before


def test_other_threads_only_get_the_flag() -> None:
    found: list[bool] = []

    def run() -> None:
        with stop_on_signals(lambda _: None) as stop:
            found.append(bool(stop))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [False]


def test_a_failure_stops_without_a_signal() -> None:
    with stop_on_signals(lambda _: None) as stop:
        stop.failed = True
        assert stop
        assert stop.exit_code == 0
