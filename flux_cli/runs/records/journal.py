"""The journal of one run: a file in the state folder, written before money is spent.

It survives `kill -9`: every line is appended with a single write before the next step begins. The
folder beside it holds images that have arrived but are not saved yet. It is there as long as
anything of the run is not saved or not clear. `history` reads the lines, `listing` finds journals,
and `rescue` reopens them.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Self

from flux_cli.core.errors import FluxError, OutputError
from flux_cli.core.model import Json
from flux_cli.core.outcome import Media, Reply, SavedImage
from flux_cli.core.request import Call
from flux_cli.disk.links import refuse_planted
from flux_cli.disk.publish import sync_folder
from flux_cli.images.digests import sent_digests
from flux_cli.providers.reading.tasks import task_headers
from flux_cli.runs.records import store
from flux_cli.runs.records.archive.prompts import expire_prompts
from flux_cli.runs.records.described import Describer
from flux_cli.runs.records.leftovers import hide_secrets
from flux_cli.runs.records.lines import LINE_SCHEMA, encode, seal, trace
from flux_cli.runs.records.past import is_private
from flux_cli.runs.records.privacy import headers_without_prompts, without_keys, without_prompts

if TYPE_CHECKING:
    from flux_cli.runs.job import Task


class Journal:
    """The journal of one run, while it is open. Without a `file` nothing is written down.

    `folder` holds what arrives. `waiting` and `unclear` are the numbers of requests that an earlier
    run paid for, or may have paid for. `facts` are those of the first line.
    """

    def __init__(
        self,
        folder: Path,
        file: int | None,
        facts: Mapping[str, Json],
        waiting: Iterable[int] = (),
        unclear: Iterable[int] = (),
    ) -> None:
        self.folder = folder
        self._file, self._shared, self.is_private = file, facts, is_private(facts)
        self._describer = Describer(facts, private=self.is_private)
        self._waiting, self._unclear = set(waiting), set(unclear)
        self._is_new = file is None  # nothing in the folder was there before this process
        self._written = self._synced = 0  # lines written, and lines the disk was asked to keep
        self._unsynced: list[str] = []  # received files that the disk will be asked to keep
        self._refused: set[str] = set()  # received files that the disk did not confirm
        self._syncing = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End the run. The folder stays if anything of the run is not saved or not clear."""
        if self._file is None:
            return
        self._try({"event": "end", "time": time.time(), **store.this_process()})
        if self._waiting:
            for path in store.files_in(self.folder):
                hide_secrets(path, private=self.is_private)
            self._unsynced += store.files_in(self.folder)
        self.sync()
        is_settled = not self._waiting and not self._unclear
        if is_settled and self._is_new:
            shutil.rmtree(self.folder, ignore_errors=True)
        elif is_settled:
            with contextlib.suppress(OSError):  # what an earlier process left there stays
                self.folder.rmdir()
        os.close(self._file)
        self._file = None

    @property
    def run(self) -> str:
        """The name of the run."""
        return self.folder.name

    @property
    def state(self) -> str:
        """The path of the folder in the state folder; "" if nothing is written down."""
        return "" if self._file is None else str(self.folder)

    @property
    def path(self) -> Path:
        """The path of the journal."""
        return self.folder.with_name(f"{self.run}{store.SUFFIX}")

    def headers(self, call: Call) -> dict[str, str]:
        """The trace id (W3C trace context) by which the gateway's history lists the request."""
        if self._file is None:
            return {}
        return {"traceparent": f"00-{trace(self.run, call.number)}-{call.number:016x}-01"}

    def begin(self) -> None:
        """Write the first line. Raises OSError."""
        head: dict[str, Json] = {"event": "run", "schema": LINE_SCHEMA, "id": self.run}
        self._write(head | {"time": time.time(), **self._shared})
        self._is_new = True

    def open(self) -> None:
        """Record which process works on the run. Raises OSError."""
        self._write({"event": "open", "time": time.time(), **store.this_process()})

    def sent(self, task: Task) -> None:
        """Record a request that is about to be sent. Raises OSError if the disk is full."""
        if self._file is None:
            return
        number = task.call.number
        event: dict[str, Json] = {"event": "sent", "call": number, "time": time.time()}
        if images := sent_digests(task.call.body):  # `flux recover` knows them in the answer
            event["images"] = list(images)
        self._write(event | self._describer.describe(task))
        self._unclear.add(number)

    def answered(self, call: Call, reply: Reply) -> None:
        """Record the reply of the provider, before it is processed."""
        listed = reply.headers.items()
        headers: dict[str, Json] = {name: text for name, text in listed if name.startswith("x-")}
        headers |= task_headers(reply)
        data = reply.data
        if self.is_private:
            headers, data = headers_without_prompts(headers), without_prompts(data)
        self._waiting.add(call.number)
        self._unclear.discard(call.number)
        event: dict[str, Json] = {"event": "answered", "call": call.number, "headers": headers}
        if reply.broken:
            event["broken"] = reply.broken
        self._try(event, without_keys(data))

    def fetched(self, call: Call, media: Sequence[Media]) -> None:
        """Record that all images of a request have arrived in the folder."""
        rows = [{"file": os.path.basename(one.file), **self._facts(one)} for one in media]
        self._try({"event": "fetched", "call": call.number, "media": list(rows)})

    def saved(self, call: Call, media: Media, saved: SavedImage) -> None:
        """Record that one file is saved at its destination."""
        path = saved.path
        if self.is_private:  # file names are made from the prompt
            path = ""
        elif path != "-":
            path = os.path.abspath(path)  # no look at the disk
        cost = media.facts.cost_usd
        self._try({"event": "saved", "call": call.number, "path": path, "cost_usd": cost})

    def whole(self, call: Call) -> bool:
        """Record that every image of a request is saved. If it returns False, keep the images."""
        written = self._try({"event": "whole", "call": call.number, "time": time.time()})
        if written:
            self._waiting.discard(call.number)
        return written

    def failed(self, call: Call, error: FluxError, *, final: bool = False, code: str = "") -> None:
        """Record that a request ended without all images. `final`: nothing is left to fetch."""
        facts: dict[str, Json] = {
            "code": code or error.code,
            "message": "" if self.is_private else error.message,
            "billed": error.billed,
            "final": final,
            "status": error.status,
            "request_id": error.request_id,
        }
        self._try({"event": "failed", "call": call.number, **facts})
        if final:
            self._waiting.discard(call.number)
        if final or not error.billed:
            self._unclear.discard(call.number)

    def told(self) -> None:
        """Record that the user knows: nothing can clear up the requests that are unclear."""
        self._try({"event": "told", "time": time.time()})

    def keep(self, media: Sequence[Media]) -> None:
        """Let the next `sync` include images that are not saved at once: an encoder takes them."""
        self._unsynced += (one.file for one in media)

    def recovery(self, media: Media | None = None) -> str:
        """The hint for an image that was paid for but not saved."""
        if self._file is None:
            return ""
        command = f"flux recover {self.run}" if os.path.exists(self.path) else ""  # or removed
        if media is None:
            return command
        self.keep((media,))
        self.sync()
        place = f"the image is {'' if media.file in self._refused else 'safe '}in {media.file}"
        return f"{place}; to save it: {command}" if command else place

    @property
    def is_behind(self) -> bool:
        """Whether the disk has not been asked to keep every line, and every file it should."""
        return self._file is not None and (self._synced < self._written or bool(self._unsynced))

    def sync(self) -> None:
        """Ask the disk to keep what was written. It may take milliseconds, which threads share.

        Received images come before the lines that name them.
        """
        target = self._written
        with self._syncing, contextlib.suppress(OSError):
            self._sync_received()
            if self._file is not None and self._synced < target:
                self._synced = self._written  # even if it refuses: asking again would not help
                os.fsync(self._file)

    def _sync_received(self) -> None:
        folders = set()
        while self._unsynced:
            file = self._unsynced.pop()
            folders.add(os.path.dirname(file))
            if not store.sync_file(file):
                self._refused.add(file)
        for folder in folders:
            sync_folder(folder)

    def _facts(self, media: Media) -> dict[str, Json]:
        left_out = ("undrawn", "revised_prompt") if self.is_private else ("undrawn",)
        facts = media.facts._asdict()
        return {name: value for name, value in facts.items() if name not in left_out}

    def _try(self, event: dict[str, Json], body: str | None = None) -> bool:
        """Write if possible. After the money is spent, a full disk must not lose the image, too."""
        try:
            self._write(event, body)
        except OSError:
            return False
        return True

    def _write(self, event: dict[str, Json], body: str | None = None) -> None:
        """Append a line. A `body` has no keys anymore. Raises OSError."""
        if self._file is None:
            return
        text = encode(json.dumps(event, ensure_ascii=False)[:-1])
        if body is not None:
            escaped = json.dumps(body, ensure_ascii=False)
            text = b'%b, "body": %b' % (text, escaped.encode("utf-8", "surrogatepass"))
        line = b"\n%b%b\n" % (text, seal(text))  # whole, even after a line that was cut short
        store.write_all(self._file, line)
        self._written += 1


def begin(root: Path, name: str, facts: dict[str, Json]) -> Journal:
    """Start the journal of a new run in `root`. Raises OutputError if it cannot be written.

    `facts` are what its requests share. With `n`, they are the requests 1 to n without those in
    `skipped`. With neither a `prompt` nor `private: false`, the journal has no prompts.
    """
    folder, path = root / name, root / f"{name}{store.SUFFIX}"
    hint = "name another folder in FLUX_STATE; nothing was sent"
    refuse_planted(str(root), hint)
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL | store.BINARY
        file = os.open(path, flags, 0o600)
        try:
            journal = _begin_in(file, folder, facts)
        except BaseException:
            os.close(file)
            path.unlink()
            raise
    except OSError as fault:
        message = f"cannot write a journal in {root}: {fault.strerror}"
        raise OutputError(message, hint=hint) from fault
    store.prune(root)
    expire_prompts(root, facts)
    return journal


def _begin_in(file: int, folder: Path, facts: dict[str, Json]) -> Journal:
    """Write the first lines of a journal, then make its folder. Raises OSError.

    A folder without a journal is what is left of a damaged run, so the journal comes first.
    """
    store.hold(file)
    journal = Journal(folder, file, facts)
    journal.begin()
    journal.open()
    os.fsync(file)
    folder.mkdir(mode=0o700)
    sync_folder(folder.parent)
    return journal


def scratch() -> Journal:
    """A journal for a run that costs nothing: nothing is written down, and it has no folder."""
    return Journal(Path(), None, {})
