"""Tells whether the process that a journal names still runs, where files cannot be locked."""

from __future__ import annotations

import os
import sys
import time

from flux_cli.core.model import Json
from flux_cli.core.values import read_amount, read_integer
from flux_cli.runs.records.store import start_of, this_process

FOREIGN_SECONDS = 86_400.0  # a process of another computer counts as running for a day
STILL_ACTIVE = 259  # Windows: the exit code of a process that has not ended
QUERY = 0x1000  # Windows: the right to ask for it
LAST_TIME = 1e12  # seconds since the epoch


def is_running(owner: dict[str, Json]) -> bool:
    """Whether the process that wrote an `open` event runs, or may run on another computer."""
    if owner.get("host") != this_process()["host"]:
        began = read_amount(owner.get("time"), LAST_TIME) or 0.0
        return abs(time.time() - began) < FOREIGN_SECONDS
    number = read_integer(owner.get("pid"))
    if number is None or number < 1 or not _exists(number):
        return False
    started, known = start_of(number), owner.get("started")
    return not started or not known or started == known  # else the number was given out again


def is_this(owner: dict[str, Json]) -> bool:
    """Whether an `open` event names this process."""
    return this_process().items() <= owner.items()


def _exists(number: int) -> bool:
    if sys.platform == "win32":  # `os.kill` would end the process
        return _exists_on_windows(number)
    try:
        os.kill(number, 0)
    except PermissionError:  # it belongs to another user
        return True
    except (OSError, OverflowError):
        return False
    return True


def _exists_on_windows(number: int) -> bool:
    import ctypes

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 - unknown to the type checker elsewhere
    handle = kernel.OpenProcess(QUERY, 0, number)
    if not handle:
        return False
    code = ctypes.c_ulong()
    is_known = kernel.GetExitCodeProcess(handle, ctypes.byref(code))
    kernel.CloseHandle(handle)
    return not is_known or code.value == STILL_ACTIVE
