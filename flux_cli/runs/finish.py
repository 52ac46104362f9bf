"""What came becomes files: verified, in the format asked, saved, and each step written into the ledger.

An image that arrives here is paid for: whatever fails, its bytes are on the disk, and the person is told where.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from flux_cli.core.errors import DiskError, FluxError, ImageError, UsageError
from flux_cli.core.image import ImageFile, Inspection
from flux_cli.core.lite import NamedTuple
from flux_cli.core.request import Call, Facts, Media, Reply, Saved
from flux_cli.images.containers.registry import inspect
from flux_cli.images.formats import split_suffix, suffix_of
from flux_cli.images.metadata.read import has_credentials
from flux_cli.images.metadata.record import SIGNATURE_LOST, Record, sidecar_document
from flux_cli.images.metadata.write import write_record
from flux_cli.images.names import Name
from flux_cli.images.outputs import Output, Rendered
from flux_cli.images.signing import ONE_PIXEL
from flux_cli.runs.delivery import Delivery, name_of, planned, recorded, sidecar_name

if TYPE_CHECKING:
    from flux_cli.images.signing import Identity

COPYING = 3  # threads that check and copy what came: while one waits for the disk the others work
MARGIN = 1024  # bytes by which the same record and signature may be longer in another container


class Sink(Protocol):
    """Where finished images go."""

    def save(self, name: Name, image: ImageFile, extra: int = 0, *, fresh: bool = False) -> str:
        """Save one image and return its path. Raises DiskError."""


class Ledger(Protocol):
    """Where every step that money depends on is written down, before the next one."""

    def headers(self, call: Call) -> dict[str, str]: ...
    def sent(self, call: Call) -> None: ...
    def answered(self, call: Call, reply: Reply) -> None: ...
    def fetched(self, call: Call, media: Sequence[Media]) -> None: ...
    def saved(self, call: Call, media: Media, saved: Saved) -> None: ...
    def whole(self, call: Call) -> bool: ...
    def failed(self, call: Call, error: FluxError, *, final: bool = False, code: str = "") -> None: ...
    def sync(self) -> None: ...

    @property
    def is_behind(self) -> bool: ...

    def recovery(self, media: Media | None = None) -> str:
        """What the person can do about a paid image that is not where it should be."""


class Made(NamedTuple):
    """One file, ready to be saved, and what there is to say about it."""

    name: Name
    image: ImageFile
    output: Output
    quality: int | None
    remarks: tuple[str, ...]


class Finisher:
    """Where the images of one run are finished. `remarks` counts what a person should know of the files."""

    def __init__(self, delivery: Delivery, sink: Sink, ledger: Ledger, identity: Identity | None = None) -> None:
        self._delivery, self._sink, self._ledger, self._identity = delivery, sink, ledger, identity
        # Threads of its own, and no more than work at once: each keeps the memory of the largest images it ever held.
        encodes = identity or delivery.finish.remakes or delivery.finish.formats
        workers = (os.cpu_count() or 2) if encodes else COPYING
        self._room = asyncio.Semaphore(workers)
        self._threads = ThreadPoolExecutor(workers)
        self._done: set[str] = set()
        self.remarks: Counter[str] = Counter()

    def has_done(self, media: Sequence[Media]) -> bool:
        """Whether nothing of these is needed any more. It is remembered until somebody asks."""
        files = {one.file for one in media}
        done = files <= self._done
        self._done -= files
        return done

    async def keep(self, call: Call, name: Name, media: Media, extra: int, saved: list[Saved]) -> None:
        """Finish and save one image. Only as many as there are threads are in memory at any time.

        If what was asked for cannot be had any more, the bytes are saved as they came: they are paid for.
        """
        before, turn = len(saved), _Turn()
        try:
            async with self._room:
                await self._in_thread(turn, lambda: self._work(turn, call, name, media, extra, saved))
            self._done.add(media.file)
        except asyncio.CancelledError:
            if len(saved) == before:
                self._as_received(media, name, extra, saved)
            raise
        except (ImageError, UsageError) as fault:
            if fault.billed:
                raise
            path = self._as_received(media, name, extra, saved)
            hint = f"saved as received: {path}" if path else self._ledger.recovery(media)
            raise ImageError(fault.message, hint=hint) from fault
        finally:
            self.remarks.update(turn.remarks)
            for one in saved[before:]:
                self._ledger.saved(call, media, one)

    async def _in_thread(self, turn: _Turn, work: Callable[[], None]) -> None:
        """Work in a thread, so that other images keep coming. Ctrl-C waits for a file that is being saved, however
        often the person asks: a second copy would be made of what is there. For an encoder it does not wait.
        """
        working = asyncio.get_running_loop().run_in_executor(self._threads, copy_context().run, work)
        try:
            await asyncio.shield(working)
        except asyncio.CancelledError:
            saving = turn.give_up()
            while saving and not working.done():
                with contextlib.suppress(asyncio.CancelledError, FluxError):
                    await asyncio.shield(working)
            raise

    def _work(self, turn: _Turn, call: Call, name: Name, media: Media, extra: int, saved: list[Saved]) -> None:
        """Make every file of one image, then save them. Takes seconds where something is encoded."""
        for made in self._made(call, name, media):
            if not turn.begin():
                return
            try:
                path = self._sink.save(made.name, made.image, extra)
            except DiskError as fault:
                fault.billed, fault.hint = True, fault.hint or self._ledger.recovery(media)
                raise
            if made.image.format != "json":
                turn.remarks += made.remarks
                lowered = made.quality is not None and made.quality < made.output.quality
                one = _saved(path, made.image, media.facts)
                saved.append(one._replace(quality=made.quality, lowered=lowered, label=made.output.frame.label))

    def _made(self, call: Call, name: Name, media: Media) -> list[Made]:
        """Every file of one image, with its record in it."""
        data, received = read(media.file)
        delivery = self._delivery
        if delivery.finish.remakes:
            # Pillow costs more than everything before it, and most images need none of it.
            from flux_cli.images.pixels.render import measure

            received = measure(data)
        record = recorded(delivery, call, media.facts)
        added = 0 if delivery.finish.max_bytes is None else self._added(record)
        whole = received._replace(size=received.size + added)
        outputs = tuple(output._replace(added=added) for output in planned(delivery, whole))
        lost = (SIGNATURE_LOST,) if has_credentials(data) else ()
        made = [
            self._written(name_of(delivery, name, one.output), one, record, () if one.output.untouched else lost)
            for one in _rendered(data, received, outputs)
        ]
        if delivery.sidecar:
            text = json.dumps(sidecar_document(record), indent=2, ensure_ascii=False) + "\n"
            beside = ImageFile(text.encode("utf-8", "replace"), "json", 0, 0, as_received=False)
            made.append(Made(sidecar_name(name), beside, outputs[0], None, ()))
        return [one for one in made if one.name.path(suffix_of(one.image.format)) not in delivery.kept]

    def _written(self, name: Name, rendered: Rendered, record: Record, known: Sequence[str]) -> Made:
        """A file with its record, and signed if somebody wants to sign. An image that takes none is saved without."""
        image, remarks = self._told(rendered.image, record)
        return Made(name, image, rendered.output, rendered.quality, (*known, *remarks))

    def _told(self, image: ImageFile, record: Record) -> tuple[ImageFile, list[str]]:
        remarks = []
        if self._delivery.metadata:
            written = write_record(image.data, record)
            remarks += [written.reason] if written.reason else []
            image = image._replace(pieces=written.pieces)
        if self._identity:
            from flux_cli.images.signing import sign

            try:
                signed = sign(b"".join(image.parts), image.format, record, self._identity)
                image = image._replace(data=signed, pieces=())
            except ImageError as fault:
                remarks.append(fault.message)
        return image, remarks

    def _added(self, record: Record) -> int:
        """Bytes by which record and signature make a file larger."""
        if not self._delivery.metadata and not self._identity:
            return 0
        plain = ImageFile(ONE_PIXEL, "png", 1, 1, as_received=False)
        return self._told(plain, record)[0].size - plain.size + MARGIN

    def _as_received(self, media: Media, name: Name, extra: int, saved: list[Saved]) -> str:
        """Save here and now, without a thread: they may all be encoding. Returns the path, "" where that cannot be."""
        with contextlib.suppress(FluxError):
            data, look = read(media.file)
            kept = name._replace(template=f"{split_suffix(name.template)[0]}.{{ext}}")
            image = ImageFile(data, look.format, look.width, look.height, as_received=True)
            path = self._sink.save(kept, image, extra, fresh=True)
            saved.append(_saved(path, image, media.facts))
            self._done.add(media.file)
            return path
        return ""


class _Turn:
    """Whether a thread may save what it made; `remarks` is what there is to say of the files."""

    def __init__(self) -> None:
        self._lock, self._over, self._saving = Lock(), False, False
        self.remarks: list[str] = []

    def begin(self) -> bool:
        """Before every file: False once the person has given up."""
        with self._lock:
            self._saving = not self._over
            return self._saving

    def give_up(self) -> bool:
        """Nothing further is saved. Returns whether something is, just now."""
        with self._lock:
            self._over = True
            return self._saving


def read(file: str) -> tuple[bytes, Inspection]:
    """The bytes of what arrived, and what they are. Raises ImageError, billed, where they are no whole image."""
    try:
        with open(file, "rb") as image:
            data = image.read()
        return data, inspect(data)
    except ImageError as fault:
        fault.billed = True
        raise
    except OSError as fault:
        raise DiskError(f"the image that arrived cannot be read: {fault.strerror}", billed=True) from fault


def _rendered(data: bytes, received: Inspection, outputs: Sequence[Output]) -> Iterator[Rendered]:
    if all(output.untouched for output in outputs):
        image = ImageFile(data, received.format, received.width, received.height, as_received=True)
        return iter([Rendered(image, output, None) for output in outputs])
    from flux_cli.images.pixels.render import render

    return render(data, outputs)


def described(saved: Saved) -> str:
    """An image in a few words: pixels, format and size on disk."""
    return f"{saved.width}x{saved.height} {saved.format}, {saved.size / 1000:,.0f} kB"


def _saved(path: str, image: ImageFile, facts: Facts) -> Saved:
    return Saved(path, image.format, image.width, image.height, image.size, image.as_received, facts)
