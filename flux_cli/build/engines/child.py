"""`flux` as the child of a worker: it ends at once if the worker does, even if that was killed.

The worker holds the other end of stdin and writes nothing, so the end of stdin is its end. What
this leaves behind is what `kill -9` leaves behind.
"""

from __future__ import annotations

import os
import runpy
import threading

KILLED = 137  # as a shell says it of SIGKILL


def _end_with_worker() -> None:
    os.read(0, 1)
    os._exit(KILLED)


if __name__ == "__main__":
    threading.Thread(target=_end_with_worker, daemon=True).start()
    runpy.run_module("flux_cli", run_name="__main__", alter_sys=True)
