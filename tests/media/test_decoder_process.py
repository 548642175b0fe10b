"""The queue keeps order, holds no more than it may, and tells silence from slowness."""

from threading import Thread

import pytest

from vlseg_cli.media.decoder_process import PrefetchQueue


def test_things_come_in_order_and_never_more_than_fit_wait() -> None:
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


def test_one_thing_of_any_size_fits_alone() -> None:
    queue: PrefetchQueue[str] = PrefetchQueue(10)
    assert queue.reserve(10_000)
    queue.put("large", 10_000)
    waiting = Thread(target=queue.reserve, args=(1,))
    waiting.start()
    assert waiting.is_alive()
    assert queue.take(60) == "large"
    waiting.join()


def test_silence_ends_the_wait_and_a_sign_of_life_prolongs_it() -> None:
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


def test_closing_frees_who_waits_for_room() -> None:
    queue: PrefetchQueue[str] = PrefetchQueue(10)
    assert queue.reserve(10)
    answers: list[bool] = []
    waiting = Thread(target=lambda: answers.append(queue.reserve(1)))
    waiting.start()
    queue.close()
    waiting.join()
    assert answers == [False]
