"""Ctrl-C, or Jupyter's stop button, heard at a moment that suits."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def postponed() -> Iterator[Callable[[], bool]]:
    """Keep an interrupt waiting until the block asks for it, or ends.

    ``KeyboardInterrupt`` can come between any two instructions, and so in the middle of a training
    step, when some of its changes are made and others are not.

    Yields
    ------
    callable
        Whether an interrupt is waiting. A second one is not kept waiting.

    Raises
    ------
    KeyboardInterrupt
        At the end of the block, if one was waiting.
    """
    # Python gives signals to the main thread alone; and who has set a handler knows what it is for.
    ours = threading.current_thread() is threading.main_thread() and (
        signal.getsignal(signal.SIGINT) is signal.default_int_handler
    )
    waiting = threading.Event()

    def note(*_: object) -> None:
        waiting.set()
        signal.signal(signal.SIGINT, signal.default_int_handler)

    if ours:
        signal.signal(signal.SIGINT, note)
    try:
        yield waiting.is_set
    finally:
        if ours:
            signal.signal(signal.SIGINT, signal.default_int_handler)
    if waiting.is_set():
        raise KeyboardInterrupt
