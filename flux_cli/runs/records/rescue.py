"""Reopens the journal of an earlier run, and clears its folder without losing an image.

Only what is certainly saved is deleted. What belongs to no request, or is not an image, is moved
aside, where the user can look at it.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from flux_cli.core.errors import ImageError, OutputError, UsageError
from flux_cli.core.outcome import Media
from flux_cli.disk.owners import is_own
from flux_cli.disk.publish import sync_folder
from flux_cli.images.containers.registry import sniff
from flux_cli.images.formats import suffix_of
from flux_cli.images.names import sibling
from flux_cli.images.pixels.wholeness import examine
from flux_cli.runs.records import store
from flux_cli.runs.records.journal import Journal
from flux_cli.runs.records.leftovers import hide_secrets
from flux_cli.runs.records.listing import RecordedRun, Stray, read_journal
from flux_cli.runs.records.past import PastRun
from flux_cli.runs.records.privacy import BEGINNING

OPEN = ("waiting", "unclear", "not_sent")  # states of requests whose files stay where they are


def resume(run: RecordedRun) -> tuple[PastRun, Journal]:
    """Reopen the journal of an earlier run, read again under its lock.

    Raises UsageError while the run is under way, OutputError if the journal cannot be written.
    """
    try:
        file = store.open_own(run.path, os.O_WRONLY | os.O_APPEND)
        try:
            past, journal = _claim(run, file)
        except BaseException:
            os.close(file)
            raise
    except OSError as fault:
        raise OutputError(f"cannot append to the journal {run.path}: {fault.strerror}") from fault
    return past, journal


def _claim(run: RecordedRun, file: int) -> tuple[PastRun, Journal]:
    """Take the run, unless another process has. Raises UsageError, OSError."""
    held = store.hold(file)
    if held is False:
        raise _under_way_error(run)
    if os.path.lexists(run.folder) and not is_own_folder(run.folder):
        raise PermissionError(errno.EPERM, "its folder belongs to another user")
    run.folder.mkdir(mode=0o700, exist_ok=True)
    before = read_journal(run.path) or run.past
    waiting = (call.number for call in before.calls if call.state == "waiting")
    unclear = (call.number for call in before.calls if call.state == "unclear")
    journal = Journal(run.folder, file, before.facts, waiting, unclear)
    journal.open()
    if held is None and _is_claimed(run.path):
        raise _under_way_error(run)
    return before, journal


def _under_way_error(run: RecordedRun) -> UsageError:
    hint = "wait until it ends, or stop it"
    return UsageError(f"run {run.past.id} is still under way", hint=hint)


def _is_claimed(path: Path) -> bool:
    """Whether another process that still runs has opened the journal before this one did."""
    from flux_cli.runs.records.processes import is_running, is_this  # where locks do not work

    past = read_journal(path, with_replies=False)
    owners = past.owners if past else ()
    running = next(filter(is_running, owners), None)
    return running is not None and not is_this(running)


def is_own_folder(folder: Path) -> bool:
    """Whether this is a real folder of this user, so that files in it may be deleted."""
    try:
        return folder.is_dir() and not folder.is_symlink() and is_own(folder.lstat())
    except OSError:
        return False


def unnamed_files(past: PastRun, folder: Path) -> list[str]:
    """The paths of received files that no line of the journal names."""
    names = {name for call in past.calls for name in call.files}
    return [path for path in store.files_in(folder) if os.path.basename(path) not in names]


def drop_copies(strays: Iterable[str], media: Sequence[Media]) -> None:
    """Delete unnamed files whose images have arrived once more: one for each of `media`.

    They had arrived in a run that was killed before it could journal that.
    """
    for one in media:
        others = [path for path in strays if path != one.file]
        copy = next((path for path in others if _holds(path, one.file)), None)
        if copy and store.sync_file(one.file):
            with contextlib.suppress(OSError):
                os.unlink(copy)


def _holds(path: str, received: str) -> bool:
    """Whether a file begins with a received image. Its rest may be that of an older file."""
    try:
        data = Path(received).read_bytes()
        is_same = os.path.getsize(path) >= len(data) and Path(path).read_bytes().startswith(data)
    except OSError:
        return False
    return is_same and _format_of(received) is not None


def clear_folder(past: PastRun, folder: Path, *, will_clear_up: bool = False) -> list[str]:
    """Delete the files of saved requests, and move aside what no request names.

    Returns the new paths. Files that a request still waits for stay, and so do all that no request
    names if it `will_clear_up` later whose they are. Raises OSError.
    """
    states = {name: call.state for call in past.calls for name in call.files}
    is_certain = _is_all_saved(past)
    aside = []
    for path in store.files_in(folder):
        state = states.get(os.path.basename(path), "")
        if state in OPEN or (will_clear_up and not state):
            continue
        is_worthless = state == "saved" or os.path.getsize(path) == 0
        if not state:
            is_worthless = is_worthless or _is_left_over(path, past, is_certain=is_certain)
        if is_worthless:
            with contextlib.suppress(OSError):
                os.unlink(path)
        else:
            aside.append(path)
    return move_aside(aside, folder, private=past.is_private)


def _is_all_saved(past: PastRun) -> bool:
    """Whether every image that was paid for is certainly saved.

    A journal without an end may have lost its last lines, which would name requests and files.
    """
    is_cut = not past.is_over and past.count("not_sent") > 0
    if past.damaged or is_cut:
        return False
    return all(call.state == "saved" or not call.is_paid for call in past.calls)


def _is_left_over(path: str, past: PastRun, *, is_certain: bool) -> bool:
    """Whether a file that no request names is no image that was paid for and not saved."""
    if os.stat(path).st_mtime == 0:  # see `http.spool`
        return True
    if _format_of(path):
        return is_certain
    return not past.damaged  # an image of which only a part has arrived


def move_stray(stray: Stray) -> list[str]:
    """Move the received files and the journal of a run whose journal is damaged or missing.

    Returns the new paths. Raises OSError.
    """
    folder = stray.path.with_suffix("")
    paths = store.files_in(folder) if is_own_folder(folder) else []
    filled = [path for path in paths if os.path.getsize(path)]
    if stray.path.is_file() and not stray.path.is_symlink():
        filled.append(str(stray.path))  # last: without it, the folder is still found
    moved = move_aside(filled, folder)
    for path in paths:
        if path not in filled:
            os.unlink(path)
    with contextlib.suppress(OSError):
        folder.rmdir()
    return moved


def move_aside(paths: Iterable[str], folder: Path, *, private: bool = False) -> list[str]:
    """Move files of a run to where the user can look at them. Returns their new paths.

    Images, also damaged ones, get the suffix of their format. Moving is one step: it never leaves
    half a file. Other files lose keys, and the text of a `private` run is deleted.
    """
    moved = []
    target = store.aside_folder(folder)
    for path in paths:
        if not hide_secrets(path, private=private):
            continue
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        found = _beginning_of(path)
        suffix = f".{suffix_of(found)}" if found else ""
        place = _free(f"{target / os.path.basename(path)}{suffix}")
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            os.rename(path, place)
            moved.append(place)
    if moved:
        sync_folder(target)
        sync_folder(target.parent)
    return moved


def _free(path: str) -> str:
    """The path, or a numbered one if there is such a file already."""
    free, number = path, 2
    while os.path.lexists(free):
        free, number = sibling(path, number), number + 1
    return free


def _beginning_of(path: str) -> str | None:
    """The format that a file begins as; None for anything but an image."""
    try:
        with open(path, "rb") as file:
            return sniff(file.read(BEGINNING))
    except OSError:
        return None


def _format_of(path: str | Path) -> str | None:
    """The format of a complete image; None for anything else."""
    try:
        return examine(Path(path).read_bytes()).image.format
    except (OSError, ImageError):
        return None
