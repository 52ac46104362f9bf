"""The ledger of what was paid: one file a run in the state folder, written before money is spent and as answers come.

It survives `kill -9`: lines are appended whole, each by one write, before the next step begins. Beside it lies a folder
with what has arrived and is not saved yet. What the lines mean is in `core.runs`.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Self

from flux_cli.core.errors import FluxError, OutputError, UsageError, did_you_mean
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.request import Call, Media, Reply, SavedImage
from flux_cli.core.text import redact
from flux_cli.runs.history import SCHEMA, Past, first_line, read, trace, without_prompts
from flux_cli.runs.locks import hold, is_held

SUFFIX = ".jsonl"
KEPT = 500  # runs
KEPT_DAYS = 90
ROOM = 16 << 20  # bytes that must be free before a call goes out: the largest known image is 8 MB
MAX_BYTES = 1 << 28  # of one journal; a run of ten thousand calls has some 20 MB


class Journal:
    """One run, for as long as it is open. `folder` is for what arrives; without a `file` only that is kept.

    `waiting` are the numbers of calls that were paid for by an earlier run; a `private` one has no word of prompts.
    """

    def __init__(self, folder: Path, file: int | None, waiting: Iterable[int] = (), *, private: bool = False) -> None:
        self.folder = folder
        self._file, self._waiting, self._private = file, set(waiting), private
        self._written = self._synced = 0  # lines, and for how many of them the disk was asked to keep them
        self._syncing = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """The run is over. What has arrived stays only while something of it is not saved."""
        self._try({"event": "end", "time": time.time()})
        self.sync()
        if self._file is None or not self._waiting:
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @property
    def run(self) -> str:
        """The name of the run."""
        return self.folder.name

    def headers(self, call: Call) -> dict[str, str]:
        """What lets the gateway's history name the call (W3C trace context), should its answer get lost."""
        return {"traceparent": f"00-{trace(self.run, call.number)}-{call.number:016x}-01"} if self._file else {}

    def sent(self, call: Call) -> None:
        """A call is about to go out. Raises OSError: what cannot be written down or kept must not be paid for."""
        if self._file is not None:
            _check_room(self.folder)
        self._write({"event": "sent", "call": call.number, "time": time.time()})

    def answered(self, call: Call, reply: Reply) -> None:
        """What the provider answered, before anything is made of it."""
        headers: dict[str, Json] = {name: value for name, value in reply.headers.items() if name.startswith("x-")}
        data = without_prompts(reply.data) if self._private else reply.data
        body = redact(data.decode("utf-8", "replace"))  # as it is: inside a line it is escaped once more
        self._waiting.add(call.number)
        self._try({"event": "answered", "call": call.number, "headers": headers, "body": body})

    def fetched(self, call: Call, media: Sequence[Media]) -> None:
        """Everything a call brought is in files of the folder."""
        rows: list[Json] = [{"file": os.path.basename(one.file), **self._facts(one)} for one in media]
        self._try({"event": "fetched", "call": call.number, "media": rows})

    def saved(self, call: Call, media: Media, saved: SavedImage) -> None:
        """One image is where it should be."""
        path = saved.path if saved.path == "-" else os.path.abspath(saved.path)  # no look at the disk
        path = "" if self._private else path  # its name is made of the prompt
        self._try({"event": "saved", "call": call.number, "path": path, "cost_usd": media.facts.cost_usd})

    def whole(self, call: Call) -> bool:
        """Nothing of this call is needed any more, if that can be written: what nobody knows to be saved stays."""
        written = self._try({"event": "whole", "call": call.number})
        if written:
            self._waiting.discard(call.number)
        return written

    def failed(self, call: Call, error: FluxError, *, final: bool = False, code: str = "") -> None:
        """A call ended without (all of) its images; `final`: there is nothing more to fetch."""
        facts: dict[str, Json] = {
            "code": code or error.code, "message": "" if self._private else error.message,
            "billed": error.billed, "final": final,
            "status": error.status, "request_id": error.request_id,
        }  # fmt: skip
        self._try({"event": "failed", "call": call.number, **facts})
        if final:
            self._waiting.discard(call.number)

    def recovery(self, media: Media | None = None) -> str:
        """What the person can do about a paid image that is not where it should be."""
        if self._file is None:
            return ""
        safe = f"the image is safe in {media.file}; to save it: " if media else ""
        return f"{safe}flux recover {self.run}"

    @property
    def is_behind(self) -> bool:
        """Whether anything was written since the disk was last asked to keep it."""
        return self._file is not None and self._synced < self._written

    def sync(self) -> None:
        """Have everything on the disk that was written. It may take milliseconds, which many calls at once share."""
        wanted = self._written
        with self._syncing, contextlib.suppress(OSError):
            if self._file is not None and self._synced < wanted:
                self._synced = self._written  # even if it refuses: to ask again would not help
                os.fsync(self._file)

    def _facts(self, media: Media) -> dict[str, Json]:
        left_out = ("undrawn", "revised_prompt") if self._private else ("undrawn",)
        return {name: value for name, value in media.facts._asdict().items() if name not in left_out}

    def _try(self, event: dict[str, Json]) -> bool:
        """Write it if that can be. A journal that fails after the money is spent must not lose the image, too."""
        try:
            self._write(event)
        except OSError:
            return False
        return True

    def _write(self, event: dict[str, Json]) -> None:
        if self._file is None:
            return
        text = redact(json.dumps(event, ensure_ascii=False))
        _write_all(self._file, f"\n{text}\n")  # on its own, even behind one that was cut short
        self._written += 1


class RecordedRun(NamedTuple):
    """One journal on the disk: what it tells, where it is, and whether its run is still under way."""

    past: Past
    path: Path
    running: bool

    @property
    def folder(self) -> Path:
        """Where what has arrived lies."""
        return self.path.with_suffix("")


def begin(root: Path, name: str, facts: dict[str, Json], calls: Iterable[dict[str, Json]]) -> Journal:
    """The journal of a new run in `root`, its first line on the disk. Raises OutputError where that cannot be had."""
    folder, path = root / name, root / f"{name}{SUFFIX}"
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        _check_room(root)
        folder.mkdir(mode=0o700)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        hold(file)
        journal = Journal(folder, file, private=facts.get("prompt") is None)
        about: dict[str, Json] = {"event": "run", "schema": SCHEMA, "id": name, "time": time.time(), **facts}
        for block in first_line(about, calls):
            _write_all(file, redact(block))
        os.fsync(file)
        _sync(root)
    except OSError as fault:
        _forget(path)
        hint = "name another folder in FLUX_STATE; nothing was sent"
        raise OutputError(f"cannot keep a journal in {root}: {fault.strerror}", hint=hint) from fault
    prune(root)
    return journal


def scratch() -> Journal:
    """A journal for what costs nothing: a folder for what arrives, and nothing written down."""
    try:
        return Journal(Path(tempfile.mkdtemp(prefix="flux-")), None)
    except OSError as fault:
        hint = "name another folder in TMPDIR; nothing was sent"
        raise OutputError(f"there is no folder for what arrives: {fault.strerror}", hint=hint) from fault


def resume(row: RecordedRun) -> tuple[Past, Journal]:
    """An earlier run to go on with, as it is now that nobody else can. Raises UsageError while somebody else does."""
    try:
        file = os.open(row.path, os.O_WRONLY | os.O_APPEND)
        if not hold(file):
            os.close(file)
            raise UsageError(f"run {row.past.id} is still under way", hint="wait for it, or stop it")
        row.folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as fault:
        raise OutputError(f"the journal {row.path} cannot be gone on with: {fault.strerror}") from fault
    past = _read(row.path) or row.past
    waiting = (entry.number for entry in past.entries if entry.state == "waiting")
    return past, Journal(row.folder, file, waiting, private=past.facts.get("prompt") is None)


def rows(root: Path) -> list[RecordedRun]:
    """Every run in the folder, the newest first. Files that are no journals are left out."""
    found = []
    for path in root.glob(f"*{SUFFIX}"):
        past = _read(path)
        if past:
            found.append(RecordedRun(past, path, is_held(path)))
    return sorted(found, key=lambda row: (row.past.began or 0.0, row.past.id), reverse=True)


def find(root: Path, name: str) -> RecordedRun:
    """The run of that name, or the only one that begins with it. Raises UsageError."""
    known = [path.stem for path in sorted(root.glob(f"*{SUFFIX}"))]
    named = [stem for stem in known if stem == name] or [stem for stem in known if name and stem.startswith(name)]
    if len(named) != 1:
        reason = f"several runs begin with {name!r}" if named else f"there is no run {name!r}"
        raise UsageError(reason, hint=did_you_mean(name, known) or "see: flux runs")
    path = root / f"{named[0]}{SUFFIX}"
    past = _read(path)
    if past is None:
        raise UsageError(f"{path} is no journal that this flux can read", hint="see: flux runs")
    return RecordedRun(past, path, is_held(path))


def prune(root: Path, keep: int = KEPT, days: float = KEPT_DAYS) -> None:
    """Forget old runs: beyond `keep`, or older than `days`. A run with something to recover stays until it is old."""
    oldest = time.time() - days * 86_400
    for place, path in enumerate(sorted(root.glob(f"*{SUFFIX}"), reverse=True)):
        with contextlib.suppress(OSError):
            folder = path.with_suffix("")
            old = path.stat().st_mtime < oldest
            if (old or (place >= keep and not folder.exists())) and not is_held(path):
                _forget(path)


def _forget(path: Path) -> None:
    shutil.rmtree(path.with_suffix(""), ignore_errors=True)
    with contextlib.suppress(OSError):
        path.unlink()


def _check_room(folder: Path) -> None:
    """Raise OSError where an image that is paid for would find no room."""
    if shutil.disk_usage(folder).free < ROOM:
        raise _full()


def _write_all(file: int, text: str) -> None:
    data = text.encode("utf-8", "surrogatepass")
    if os.write(file, data) < len(data):
        raise _full()


def _full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _read(path: Path) -> Past | None:
    try:
        with path.open("rb") as file:
            return read(_lines(file.read(MAX_BYTES)))
    except OSError:
        return None


def _lines(data: bytes) -> Iterator[bytes]:
    return (line for line in data.split(b"\n") if line)


def _sync(folder: Path) -> None:
    """The name of a new file must survive a power cut, too."""
    with contextlib.suppress(OSError):  # some systems cannot open folders
        file = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(file)
        finally:
            os.close(file)
