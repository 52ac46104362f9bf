"""Ends a command early on Ctrl-C, SIGTERM or SIGHUP, so that it can still list what it saved.

That covers `timeout`, a closed terminal and a CI job that is stopped. A signal that the parent
ignores (`nohup`) stays ignored. Whenever a signal comes, and however often, the exit code is 130,
unless `flux convert` has already saved everything:

    while the command line is read and checked   KeyboardInterrupt
    while a run is prepared                      noted, and the run is canceled as it begins
    while a run is under way                     the run is canceled, once
    while its result is printed                  noted: everything is listed
    during a contact sheet or a preview          KeyboardInterrupt: the rest of it is not needed
    while `flux convert` makes files             KeyboardInterrupt: no further file is saved
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType

NAMES = ("SIGINT", "SIGTERM", "SIGHUP")


class Interrupts:
    """The handler of all signals that end a command. `came`: whether one of them has come."""

    def __init__(self) -> None:
        self.came = False
        self.act: Callable[[], object] = _raise

    def __call__(self, _number: int, _frame: object) -> None:
        self.came = True
        self.act()


def install() -> None:
    """Handle signals until the process ends."""
    interrupts = Interrupts()
    for number in _heeded():
        signal.signal(number, interrupts)


def defer() -> None:
    """From now on, only note signals: what follows must not be cut short."""
    if interrupts := _installed():
        interrupts.act = _note


def has_come() -> bool:
    """Whether a signal to end has come since `install`."""
    interrupts = _installed()
    return interrupts is not None and interrupts.came


@contextlib.contextmanager
def cancel_on_signals() -> Iterator[None]:
    """Cancel the current task at the first signal, and only note all others, also afterward.

    Without `install`, `asyncio.run` cancels it on Ctrl-C.
    """
    import asyncio

    interrupts = _installed()
    if interrupts is None:
        yield
        return
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task  # noqa: S101 - there is one wherever a coroutine runs

    is_over = False

    def cancel() -> None:
        if not is_over:  # a task that is past this block must not be canceled anymore
            task.cancel()

    def cancel_soon() -> None:
        interrupts.act = _note
        loop.call_soon_threadsafe(cancel)

    interrupts.act = cancel_soon
    if interrupts.came:
        cancel_soon()
    try:
        yield
    finally:
        is_over = True
        interrupts.act = _note


@contextlib.contextmanager
def interrupt_once() -> Iterator[None]:
    """Raise KeyboardInterrupt in the block for the first signal, and ignore those after it.

    So the code that catches it can clean up undisturbed. The earlier handlers are restored at the
    end.
    """
    numbers, interrupts = _heeded(), _installed()

    def interrupt(_number: int, _frame: object) -> None:
        if interrupts:
            interrupts.came = True
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    with handled_by(interrupt):
        yield


@contextlib.contextmanager
def handled_by(handler: Callable[[int, FrameType | None], object]) -> Iterator[None]:
    """Have these signals handled in another way in the block."""
    before = {number: signal.signal(number, handler) for number in _heeded()}
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def _raise() -> None:
    raise KeyboardInterrupt


def _note() -> None:
    """Do nothing: `came` is set."""


def _installed() -> Interrupts | None:
    """The handler that `install` has installed; None if it has not."""
    handlers = map(signal.getsignal, _known())
    return next((handler for handler in handlers if isinstance(handler, Interrupts)), None)


def _known() -> list[signal.Signals]:
    return [signal.Signals[name] for name in NAMES if hasattr(signal, name)]


def _heeded() -> list[signal.Signals]:
    """The signals that exist on this system and are not ignored."""
    if threading.current_thread() is not threading.main_thread():
        return []  # only the main thread may handle signals
    return [n for n in _known() if signal.getsignal(n) not in (signal.SIG_IGN, None)]
