"""The journal of one run: a file in the state folder, written before money is spent.

It survives `kill -9`: every line is appended with a single write before the next step begins. The
folder beside it holds images that have arrived but are not saved yet. `history` reads the lines,
and `store` lists and finds journals.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Self

from flux_cli.core.errors import FluxError, OutputError, UsageError
from flux_cli.core.model import Json
from flux_cli.core.outcome import Media, Reply, SavedImage
from flux_cli.core.request import Call
from flux_cli.core.text import redact
from flux_cli.runs.records import store
from flux_cli.runs.records.history import SCHEMA, PastRun, trace
from flux_cli.runs.records.privacy import headers_without_prompts, without_prompts

if TYPE_CHECKING:
    from flux_cli.images.names import Name
    from flux_cli.runs.check import CheckedRun
    from flux_cli.runs.records.store import RecordedRun

BLOCK = 1 << 16  # characters of the first line that are written at once


class Journal:
    """The journal of one run, while it is open. Without a `file` nothing is written down.

    `folder` holds what arrives. `waiting` are the numbers of requests that an earlier run paid for.
    A `private` journal has no prompts.
    """

    def __init__(
        self,
        folder: Path,
        file: int | None,
        waiting: Iterable[int] = (),
        *,
        private: bool = False,
    ) -> None:
        self.folder = folder
        self._file, self._waiting, self._private = file, set(waiting), private
        self._written = self._synced = 0  # lines written, and lines the disk was asked to keep
        self._syncing = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the run. The folder of received images stays only if some of them are not saved."""
        self._try({"event": "end", "time": time.time()})
        self.sync()
        if self._file is not None and not self._waiting:
            shutil.rmtree(self.folder, ignore_errors=True)
        if self._file is not None:
            os.close(self._file)
            self._file = None

    @property
    def run(self) -> str:
        """The name of the run."""
        return self.folder.name

    def headers(self, call: Call) -> dict[str, str]:
        """The trace id (W3C trace context) by which the gateway's history lists the request."""
        if self._file is None:
            return {}
        return {"traceparent": f"00-{trace(self.run, call.number)}-{call.number:016x}-01"}

    def sent(self, call: Call) -> None:
        """Record that a request is about to be sent. Raises OSError if the disk is full."""
        if self._file is not None:
            store.check_room(self.folder)
        self._write({"event": "sent", "call": call.number, "time": time.time()})

    def answered(self, call: Call, reply: Reply) -> None:
        """Record the reply of the provider, before it is processed."""
        listed = reply.headers.items()
        headers: dict[str, Json] = {name: text for name, text in listed if name.startswith("x-")}
        data = reply.data
        if self._private:
            headers, data = headers_without_prompts(headers), without_prompts(data)
        body = redact(data.decode("utf-8", "replace"))  # before it is escaped as part of a line
        self._waiting.add(call.number)
        self._try({"event": "answered", "call": call.number, "headers": headers, "body": body})

    def fetched(self, call: Call, media: Sequence[Media]) -> None:
        """Record that all images of a request have arrived in the folder."""
        rows = [{"file": os.path.basename(one.file), **self._facts(one)} for one in media]
        self._try({"event": "fetched", "call": call.number, "media": list(rows)})

    def saved(self, call: Call, media: Media, saved: SavedImage) -> None:
        """Record that one file is saved at its destination."""
        path = saved.path
        if self._private:  # file names are made from the prompt
            path = ""
        elif path != "-":
            path = os.path.abspath(path)  # no look at the disk
        cost = media.facts.cost_usd
        self._try({"event": "saved", "call": call.number, "path": path, "cost_usd": cost})

    def whole(self, call: Call) -> bool:
        """Record that every image of a request is saved. If it returns False, keep the images."""
        written = self._try({"event": "whole", "call": call.number})
        if written:
            self._waiting.discard(call.number)
        return written

    def failed(self, call: Call, error: FluxError, *, final: bool = False, code: str = "") -> None:
        """Record that a request ended without all images. `final`: nothing is left to fetch."""
        facts: dict[str, Json] = {
            "code": code or error.code,
            "message": "" if self._private else error.message,
            "billed": error.billed,
            "final": final,
            "status": error.status,
            "request_id": error.request_id,
        }
        self._try({"event": "failed", "call": call.number, **facts})
        if final:
            self._waiting.discard(call.number)

    def recovery(self, media: Media | None = None) -> str:
        """The hint for an image that was paid for but not saved."""
        if self._file is None:
            return ""
        safe = f"the image is safe in {media.file}; to save it: " if media else ""
        return f"{safe}flux recover {self.run}"

    @property
    def is_behind(self) -> bool:
        """Whether lines were written that the disk has not been asked to keep."""
        return self._file is not None and self._synced < self._written

    def sync(self) -> None:
        """Ask the disk to keep what was written. It may take milliseconds, which threads share."""
        target = self._written
        with self._syncing, contextlib.suppress(OSError):
            if self._file is not None and self._synced < target:
                self._synced = self._written  # even if it refuses: asking again would not help
                os.fsync(self._file)

    def _facts(self, media: Media) -> dict[str, Json]:
        left_out = ("undrawn", "revised_prompt") if self._private else ("undrawn",)
        facts = media.facts._asdict()
        return {name: value for name, value in facts.items() if name not in left_out}

    def _try(self, event: dict[str, Json]) -> bool:
        """Write if possible. After the money is spent, a full disk must not lose the image, too."""
        try:
            self._write(event)
        except OSError:
            return False
        return True

    def _write(self, event: dict[str, Json]) -> None:
        if self._file is None:
            return
        text = redact(json.dumps(event, ensure_ascii=False))
        store.write_all(self._file, f"\n{text}\n")  # whole, even after a line that was cut short
        self._written += 1


def new_name() -> str:
    """A unique name for a run: its local time and six random hex digits."""
    return f"{time.strftime('%Y%m%d-%H%M%S')}-{os.urandom(3).hex()}"


def begin(
    root: Path, name: str, facts: dict[str, Json], calls: Iterable[dict[str, Json]]
) -> Journal:
    """Start the journal of a new run in `root`. Raises OutputError if it cannot be written."""
    folder, path = root / name, root / f"{name}{store.SUFFIX}"
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        store.check_room(root)
        folder.mkdir(mode=0o700)
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL, 0o600)
        store.hold(file)
        journal = Journal(folder, file, private=facts.get("prompt") is None)
        about: dict[str, Json] = {"event": "run", "schema": SCHEMA, "id": name, "time": time.time()}
        for block in _first_line({**about, **facts}, calls):
            store.write_all(file, redact(block))
        os.fsync(file)
        store.sync_folder(root)
    except OSError as fault:
        store.forget(path)
        hint = "name another folder in FLUX_STATE; nothing was sent"
        message = f"cannot write a journal in {root}: {fault.strerror}"
        raise OutputError(message, hint=hint) from fault
    store.prune(root)
    return journal


def scratch() -> Journal:
    """A journal for a run that costs nothing: nothing is written down, and it has no folder."""
    return Journal(Path(), None)


def resume(run: RecordedRun) -> tuple[PastRun, Journal]:
    """Reopen the journal of an earlier run, read again under its lock.

    Raises UsageError while the run is under way, OutputError if the journal cannot be written.
    """
    try:
        file = os.open(run.path, os.O_WRONLY | os.O_APPEND)
        if not store.hold(file):
            os.close(file)
            hint = "wait until it ends, or stop it"
            raise UsageError(f"run {run.past.id} is still under way", hint=hint)
        run.folder.mkdir(mode=0o700, exist_ok=True)
    except OSError as fault:
        raise OutputError(f"cannot append to the journal {run.path}: {fault.strerror}") from fault
    past = store.read_journal(run.path) or run.past
    waiting = (call.number for call in past.calls if call.state == "waiting")
    return past, Journal(run.folder, file, waiting, private=past.facts.get("prompt") is None)


def describe_run(run: CheckedRun) -> tuple[dict[str, Json], Iterator[dict[str, Json]]]:
    """The facts of a run and of its requests that `flux recover` needs."""
    from flux_cli import __version__  # what follows is not needed to read a journal
    from flux_cli.images import names as naming
    from flux_cli.runs.planned_files import fields_of
    from flux_cli.runs.saving.delivery import delivery_document

    prepared = run.prepared
    private = not prepared.settings.journal_prompts
    names = run.names
    if prepared.destination.is_stdout:  # `flux recover` saves to files
        names = naming.names(naming.DEFAULT_UNSEEDED, fields_of(prepared))
    facts: dict[str, Json] = {
        "version": __version__,
        "provider": run.row.name,
        "base_url": prepared.settings.base_url,
        "model": prepared.resolved.sent_model,
        "prompt": None if private else prepared.resolved.prompt,
        "n": prepared.resolved.n,
        "price_usd": prepared.resolved.unit_price_usd,
        "delivery": delivery_document(run.delivery, private=private),
        "folder": _working_folder(),
    }
    named = zip(prepared.plan.calls, names, strict=True)
    calls = (
        _describe_call(call, name, private=private)
        for call, name in named
        if call.number not in run.existing.complete
    )
    return facts, calls


def _describe_call(call: Call, name: Name, *, private: bool) -> dict[str, Json]:
    fields: dict[str, Json] = dict(name.fields)
    if private:
        fields |= {"slug": "image", "prompt": "image"}
    return {
        "number": call.number,
        "seed": call.seed,
        "model": call.model,
        "template": name.template,
        "fields": fields,
    }


def _working_folder() -> str:
    try:
        return os.getcwd()
    except OSError:  # deleted meanwhile; an absolute -o works without it
        return os.path.expanduser("~")


def _first_line(about: dict[str, Json], calls: Iterable[dict[str, Json]]) -> Iterator[str]:
    """The first line of a journal, in blocks: ten thousand requests are four megabytes."""
    block = f'\n{json.dumps(about, ensure_ascii=False)[:-1]}, "calls": ['
    separator = ""
    for call in calls:
        block += separator + json.dumps(call, ensure_ascii=False)
        separator = ", "
        if len(block) > BLOCK:
            yield block
            block = ""
    yield f"{block}]}}\n"
