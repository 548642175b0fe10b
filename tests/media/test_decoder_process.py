"""The queue keeps order, is bounded, and distinguishes a silent child from a slow one."""

from threading import Thread

import pytest

from vlseg_cli.media.decoder_process import PrefetchQueue


def test_entries_keep_their_order_and_the_queue_is_bounded() -> None:
    queue: PrefetchQueue[int] = PrefetchQueue(100)
    put: list[int] = []

    def produce() -> None:
        for number in range(50):
            assert queue.reserve(30)
            put.append(number)
            queue.put(number, 30)
        queue.close()

    producer = Thread(target=produce)
    producer.start()
    for number in range(50):
        assert queue.take(60) == number
        assert len(put) <= number + 1 + 3
    producer.join()
    with pytest.raises(EOFError):
        queue.take(60)


def test_a_single_entry_of_any_size_is_accepted() -> None:
    queue: PrefetchQueue[str] = PrefetchQueue(10)
    assert queue.reserve(10_000)
    queue.put("large", 10_000)
    waiting = Thread(target=queue.reserve, args=(1,))
    waiting.start()
    assert waiting.is_alive()
    assert queue.take(60) == "large"
    waiting.join()


def test_waiting_times_out_unless_a_heartbeat_arrives() -> None:
    queue: PrefetchQueue[str] = PrefetchQueue(10)
    with pytest.raises(TimeoutError):
        queue.take(0.01)

    def live() -> None:
        for _ in range(20):
            queue.beat()
            done.wait(0.05)
        queue.put("at last", 0)

    from threading import Event

    done = Event()
    alive = Thread(target=live)
    alive.start()
    assert queue.take(0.5) == "at last"  # after a second in all
    alive.join()


def test_closing_releases_a_blocked_producer() -> None:
    queue: PrefetchQueue[str] = PrefetchQueue(10)
    assert queue.reserve(10)
    reserved: list[bool] = []
    waiting = Thread(target=lambda: reserved.append(queue.reserve(1)))
    waiting.start()
    queue.close()
    waiting.join()
    assert reserved == [False]
