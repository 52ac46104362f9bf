"""Who holds a file: a lock that ends with the process, however that ends."""

import os
import time
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: every run counts as ended there, and nobody recovers one that is under way by name
    fcntl = None  # type: ignore[assignment]

TRIES, PAUSE = 10, 0.01  # somebody who looks holds the file for a moment


def hold(file: int) -> bool:
    """Hold an open file for as long as it is open; False where somebody else does."""
    for left in reversed(range(TRIES)):
        if _lock(file):
            return True
        if left:
            time.sleep(PAUSE)
    return False


def is_held(path: Path) -> bool:
    """Whether somebody holds the file of that name."""
    try:
        file = os.open(path, os.O_RDONLY)
    except OSError:  # forgotten meanwhile
        return False
    try:
        return not _lock(file, shared=True)
    finally:
        os.close(file)


def _lock(file: int, *, shared: bool = False) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True
