"""Waits for what may never end, such as the answer of a server that says nothing."""

from __future__ import annotations

import subprocess
import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Result = TypeVar("Result")
TICK = 0.2  # seconds between two looks at whether to stop


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """The result of `work`, in a thread that is left alone after a while. Raises TimeoutError."""
    found: Future[Result] = Future()

    def run() -> None:
        try:
            found.set_result(work())
        except Exception as fault:  # noqa: BLE001 - raised where somebody waits
            found.set_exception(fault)

    threading.Thread(target=run, daemon=True).start()
    return found.result(seconds)


def end_of(process: subprocess.Popen[bytes], must_stop: Callable[[], bool]) -> tuple[bytes, bytes]:
    """What a process printed until its end. It is told once if it must stop."""
    is_told = False
    while True:
        try:
            return process.communicate(timeout=TICK)
        except subprocess.TimeoutExpired:
            if not is_told and _is_true(must_stop):
                process.terminate()
                is_told = True


def _is_true(question: Callable[[], bool]) -> bool:
    try:
        return question()
    except Exception:  # noqa: BLE001 - without its scheduler, a worker goes on
        return False
