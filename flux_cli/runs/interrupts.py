"""Ends a command early on Ctrl-C, SIGTERM or SIGHUP, so that it can still list what it saved.

That covers `timeout`, a closed terminal and a CI job that is stopped. A signal that the parent
ignores (`nohup`) stays ignored.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def interrupt_once() -> Iterator[None]:
    """Raise KeyboardInterrupt in the block for the first signal, and ignore those after it.

    So the code that catches it can clean up undisturbed. The earlier handlers are restored at the
    end.
    """
    numbers = _heeded("SIGINT", "SIGTERM", "SIGHUP")

    def interrupt(_number: int, _frame: object) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def cancel_on_signals() -> Iterator[None]:
    """Cancel the current task on SIGTERM and SIGHUP, as `asyncio.run` does on Ctrl-C."""
    import asyncio

    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task  # noqa: S101 - there is one wherever a coroutine runs
    handled = []
    for number in _heeded("SIGTERM", "SIGHUP"):
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            loop.add_signal_handler(number, task.cancel)
            handled.append(number)
    try:
        yield
    finally:
        # A closing loop closes its pipe before it removes its handlers. A signal in between would
        # end in a traceback.
        for number in handled:
            loop.remove_signal_handler(number)


def _heeded(*names: str) -> list[signal.Signals]:
    """The signals of these names that exist on this system and are not ignored."""
    if threading.current_thread() is not threading.main_thread():
        return []  # only the main thread may handle signals
    known = [signal.Signals[name] for name in names if hasattr(signal, name)]
    return [number for number in known if signal.getsignal(number) not in (signal.SIG_IGN, None)]
