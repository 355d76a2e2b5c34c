"""An interrupt that waits."""

import signal
import threading

import pytest

from course_utils.training import interrupts


def test_it_waits_for_the_end_of_the_block():
    done = []
    with pytest.raises(KeyboardInterrupt), interrupts.postponed() as waiting:
        assert not waiting()
        signal.raise_signal(signal.SIGINT)
        done.append(waiting())
    assert done == [True]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_second_one_does_not_wait():
    done = []
    with pytest.raises(KeyboardInterrupt), interrupts.postponed():
        signal.raise_signal(signal.SIGINT)
        done.append(1)
        signal.raise_signal(signal.SIGINT)
        done.append(2)
    assert done == [1]


def test_another_error_comes_first():
    with pytest.raises(ZeroDivisionError), interrupts.postponed():
        signal.raise_signal(signal.SIGINT)
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_no_interrupt_no_error():
    with interrupts.postponed() as waiting:
        assert not waiting()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_who_has_a_handler_keeps_it():
    heard = []
    before = signal.signal(signal.SIGINT, lambda *_: heard.append(1))
    try:
        with interrupts.postponed() as waiting:
            signal.raise_signal(signal.SIGINT)
            assert heard == [1] and not waiting()
    finally:
        signal.signal(signal.SIGINT, before)


def test_another_thread_does_without():
    seen = []

    def work() -> None:
        with interrupts.postponed() as waiting:
            seen.append(waiting())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [False]
