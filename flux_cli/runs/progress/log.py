"""The log of `--log-file`: one JSON object per line for every step of a run."""

import errno
import json
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from flux_cli import __version__
from flux_cli.core.errors import OutputError, UsageError
from flux_cli.core.model import Json
from flux_cli.core.outcome import Event
from flux_cli.core.text import redact
from flux_cli.disk.links import refuse_planted
from flux_cli.runs.report import Report


def check_log(path: str) -> None:
    """Check a log file before anybody is asked anything. Raises UsageError and OutputError.

    It is not opened: that would leave an empty file behind, or end the reader of a pipe.
    """
    if path in ("", "-"):
        hint = "stdout is for data; try --log-file /dev/stderr"
        raise UsageError(f"--log-file {path!r} is not a file", hint=hint)
    file = Path(os.path.expanduser(path))  # noqa: PTH111 - it may not be a valid path
    try:
        place = file if file.exists() else file.parent
        place.stat()
    except (OSError, ValueError) as fault:
        raise _unusable(path, fault) from fault
    code = 0
    if file.is_dir():
        code = errno.EISDIR
    elif not os.access(place, os.W_OK):
        code = errno.EACCES
    if code:
        raise _unusable(path, OSError(code, os.strerror(code)))


def _unusable(path: str, fault: OSError | ValueError) -> OutputError:
    """The error for a log that cannot be opened."""
    reason = fault.strerror if isinstance(fault, OSError) else fault
    hint = "name a file in an existing folder that you may write to"
    return OutputError(f"cannot open the log {path!r}: {reason}", hint=hint)


class Log:
    """An open log. If writing fails, `complain` gets a message and the run continues without a log.

    Each line names its run and is written at once, so that runs can share a file. Raises
    OutputError if the file cannot be opened.
    """

    def __init__(self, path: str, run: str, complain: Callable[[str], None]) -> None:
        self._path, self._run, self._complain = path, run, complain
        try:
            # A pipe without a reader must not block a run that is paid for.
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_NONBLOCK", 0)
            full = os.path.expanduser(path)  # noqa: PTH111 - it may not be a valid path
            refuse_planted(full, "remove it, or name another file; nothing was sent")
            self._file: int | None = os.open(full, flags, 0o666)
        except (OSError, ValueError) as fault:
            raise _unusable(path, fault) from fault

    def __call__(self, event: Event) -> None:
        self.write({key: value for key, value in _named(event).items() if value not in ("", None)})

    def start(self, provider: str, facts: Mapping[str, Json]) -> None:
        """Log what is going to be done, before anything is sent."""
        self.write({"event": "start", "version": __version__, "provider": provider, **facts})

    def end(self, facts: Mapping[str, Json]) -> None:
        """Log the result and close the log."""
        self.write({"event": "end", **facts})
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def write(self, fields: dict[str, Json]) -> None:
        """Write one line, with the time and the run."""
        if self._file is None:
            return
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        text = redact(json.dumps({"time": now, "run": self._run, **fields}, ensure_ascii=False))
        line = f"{text}\n".encode("utf-8", "replace")
        try:
            reason = "" if os.write(self._file, line) == len(line) else "only part of a line fits"
        except OSError as fault:
            reason = fault.strerror or str(fault)
        if reason:
            os.close(self._file)
            self._file = None
            self._complain(f"flux: note: can no longer write to the log {self._path}: {reason}")


def end_facts(report: Report) -> dict[str, Json]:
    """What the log says of a run that has ended."""
    return {
        "status": report.status,
        "exit_code": report.exit_code,
        "saved": sum(1 for _ in report.saved),
        "failed": len(report.errors),
        "cost_usd": report.cost_usd,
        "known_cost_usd": report.known_cost_usd,
        "seconds": round(report.seconds, 3),
    }


def _named(event: Event) -> dict[str, Json]:
    """The fields of an event, by the names that `--json` uses."""
    return {
        "event": event.kind,
        "index": event.number,
        "asset": event.key,
        "path": event.path,
        "detail": event.detail,
        "code": event.code,
        "http_status": event.status,
        "request_id": event.request_id,
        "bytes": event.size or None,
        "cost_usd": event.cost_usd,
        "seconds": round(event.seconds, 3) or None,
    }
