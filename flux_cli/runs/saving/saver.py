"""Saves the images that a provider returns: finish them in threads, journal each file, lose none.

An image that arrives here is paid for. Whatever fails, its bytes stay on a disk, and the error says
where; if no disk takes them, it says that they are lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Protocol

from flux_cli.core.errors import DiskError, FluxError, ImageError, UsageError
from flux_cli.core.image import ImageFile
from flux_cli.images.formats import FOREIGN, TRANSPARENT, split_suffix, suffix_of
from flux_cli.images.metadata.record import sidecar_document
from flux_cli.images.pixels.wholeness import examine
from flux_cli.images.threads import Threads
from flux_cli.runs.records.privacy import image_without_keys
from flux_cli.runs.saving.delivery import (
    check_format,
    expected_foreign,
    file_name,
    name_as_received,
    plan_outputs,
    record_of_image,
    sidecar_name,
)
from flux_cli.runs.saving.finish import (
    FinishedFile,
    PlannedFile,
    Provenance,
    SavedFiles,
    Sink,
    copy_foreign,
    describe_alpha,
    make_files,
    measure_provenance,
)
from flux_cli.runs.saving.twins import Twins, fingerprint

if TYPE_CHECKING:
    from flux_cli.core.image import Inspection
    from flux_cli.core.outcome import Media, Reply, SavedImage
    from flux_cli.core.request import Call
    from flux_cli.images.containers.registry import Look
    from flux_cli.images.metadata.record import Record
    from flux_cli.images.names import Name
    from flux_cli.images.signing import Identity
    from flux_cli.runs.saving.delivery import Delivery

COPY_THREADS = 3  # to check and copy images: while one waits for the disk the others work


class Ledger(Protocol):
    """A journal that records every step before the next one begins."""

    is_private: bool

    def headers(self, call: Call) -> dict[str, str]: ...
    def sent(self, call: Call) -> None: ...
    def answered(self, call: Call, reply: Reply) -> None: ...
    def fetched(self, call: Call, media: Sequence[Media]) -> None: ...
    def saved(self, call: Call, media: Media, saved: SavedImage) -> None: ...
    def whole(self, call: Call) -> bool: ...
    def keep(self, media: Sequence[Media]) -> None: ...
    def failed(
        self, call: Call, error: FluxError, *, final: bool = False, code: str = ""
    ) -> None: ...
    def sync(self) -> None: ...

    @property
    def is_behind(self) -> bool: ...
    @property
    def state(self) -> str: ...

    def recovery(self, media: Media | None = None) -> str:
        """What the user can do about a paid image that is not where it should be."""


class Received(Protocol):
    """Where the files are that have arrived."""

    def read(self, path: str) -> bytes: ...
    def secure(self, path: str) -> str: ...


class Saver:
    """Saves all images of one run.

    If it `encodes`, images may wait for seconds until they are saved.
    """

    def __init__(
        self,
        delivery: Delivery,
        sink: Sink,
        ledger: Ledger,
        received: Received,
        signer: Identity | None = None,
    ) -> None:
        self._delivery, self._sink, self._ledger, self._signer = delivery, sink, ledger, signer
        self._received = received
        # It has its own threads and works on no more images than it has threads: each thread keeps
        # the memory of the largest image it ever held.
        self.encodes = bool(signer or delivery.finish.remakes or delivery.finish.formats)
        workers = (os.cpu_count() or 2) if self.encodes else COPY_THREADS
        self._free_threads = asyncio.Semaphore(workers)
        self._threads = Threads(workers)
        self._done: set[str] = set()
        self._remarks: Counter[str] = Counter()
        self._twins = Twins()

    @property
    def remarks(self) -> tuple[str, ...]:
        """What the user should know about the files, each once, with the number of files."""
        counted = (_with_count(text, count) for text, count in self._remarks.items())
        return (*counted, *self._twins.remarks)

    def has_saved(self, media: Sequence[Media]) -> bool:
        """Whether all of these are saved, so that their bytes can be deleted.

        Forgets them: call it only once.
        """
        files = {one.file for one in media}
        is_done = files <= self._done
        self._done -= files
        return is_done

    async def save(
        self, call: Call, name: Name, media: Media, extra: int, saved: list[SavedImage]
    ) -> None:
        """Finish one image and save its files, which are added to `saved`.

        If the requested files cannot be made, the bytes are saved as received, because they are
        paid for; the error says where. Raises FluxError.
        """
        files = SavedFiles(self._sink, media.facts)
        work = partial(self._save_files, files, call, name, media, extra)
        try:
            async with self._free_threads:
                await self._run_in_thread(files, work)
            self._done.add(media.file)
        except asyncio.CancelledError:
            if not files.images:
                self._save_as_received(files, media, name, extra)
            raise
        except (ImageError, UsageError) as error:
            if error.billed:
                raise
            path = self._save_as_received(files, media, name, extra)
            hint = f"saved as received: {path}" if path else self._keep(media)
            raise ImageError(error.message, hint=hint) from error
        finally:
            saved += files.images
            self._remarks.update(files.remarks)
            if files.images and files.mark:
                self._twins.add(files.mark, files.images[0].path)
            for image in files.images:
                self._ledger.saved(call, media, image)

    async def _run_in_thread(self, files: SavedFiles, work: Callable[[], None]) -> None:
        """Run `work` in a thread, while other images keep coming.

        Ctrl-C waits for a file that is being saved, however often it is pressed: otherwise the
        image would be saved twice. It does not wait for an encoder.
        """
        loop = asyncio.get_running_loop()
        running = loop.run_in_executor(self._threads, copy_context().run, work)
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            is_writing = files.close()
            while is_writing and not running.done():
                with contextlib.suppress(asyncio.CancelledError, FluxError):
                    await asyncio.shield(running)
            raise

    def _save_files(
        self, files: SavedFiles, call: Call, name: Name, media: Media, extra: int
    ) -> None:
        """Make every file of one image, then save them. Takes seconds if something is encoded.

        None is saved before all are made: if one cannot be made, the image is saved as received.
        """
        data, seen = self._read(media.file)
        files.mark, files.received = fingerprint(data), (seen.image.width, seen.image.height)
        if call.body.get("background") == TRANSPARENT:
            files.remarks += describe_alpha(data, seen.image)
        record = record_of_image(self._delivery, call, media.facts)
        finished = self._make_files(data, seen, name, record)
        sidecar = self._make_sidecar(name, record)
        try:
            for file in finished:
                if not files.save(file, extra):
                    return
            if sidecar:
                files.save_sidecar(sidecar, extra)
        except DiskError as error:
            error.billed = True
            error.hint = error.hint or self._keep(media)
            raise

    def _keep(self, media: Media) -> str:
        """Bring an image that cannot be saved to any disk. Returns the hint that says where."""
        place = self._received.secure(media.file)
        if place:
            return self._ledger.recovery(media._replace(file=place))
        again = self._ledger.recovery()
        also = f", unless its address still works: {again}" if again else ""
        return f"no disk takes the image, so it is lost{also}"

    def _make_files(
        self, data: bytes, seen: Look, name: Name, record: Record
    ) -> list[FinishedFile]:
        """Every file of one image that is not there already."""
        delivery, inspection = self._delivery, seen.image
        check_format(delivery, inspection.format)
        if inspection.format in FOREIGN:
            return self._copy_foreign(data, inspection, name)
        if delivery.finish.remakes:
            # Pillow costs more than everything before it, and most images need none of it.
            from flux_cli.images.pixels.render import measure

            inspection = measure(data)
        provenance = Provenance(record, is_embedded=delivery.metadata, signer=self._signer)
        added = 0 if delivery.finish.max_bytes is None else measure_provenance(provenance)
        enlarged = inspection._replace(size=inspection.size + added)
        planned = [
            PlannedFile(file_name(delivery, name, output), output._replace(added=added))
            for output in plan_outputs(delivery, enlarged)
        ]
        missing = [file for file in planned if not self._is_there(file.name, file.output.format)]
        return list(make_files(data, missing, provenance, seen=seen))

    def _copy_foreign(self, data: bytes, image: Inspection, name: Name) -> list[FinishedFile]:
        """The file of an image in a format that flux does not make, unless it is there already."""
        is_planned = image.format == expected_foreign(self._delivery)
        named = name_as_received(self._delivery, name) if is_planned else name
        if self._is_there(named, image.format):
            return []
        return [copy_foreign(data, image, named, is_planned=is_planned)]

    def _make_sidecar(self, name: Name, record: Record) -> FinishedFile | None:
        """The file that holds the record beside the image, if one is wanted and missing."""
        sidecar = sidecar_name(name)
        if not self._delivery.sidecar or self._is_there(sidecar, "json"):
            return None
        text = json.dumps(sidecar_document(record), indent=2, ensure_ascii=False) + "\n"
        data = text.encode("utf-8", "replace")
        return FinishedFile(sidecar, ImageFile(data, "json", 0, 0, as_received=False))

    def _is_there(self, name: Name, file_format: str) -> bool:
        return name.path(suffix_of(file_format)) in self._delivery.kept

    def _read(self, file: str) -> tuple[bytes, Look]:
        """The bytes that arrived, and what they are.

        Raises ImageError if they are not a whole image, DiskError if they cannot be read; both
        billed.
        """
        try:
            received = self._received.read(file)
            seen = examine(received)
            data = image_without_keys(received)
            return data, seen if data == received else examine(data)
        except ImageError as error:
            error.billed = True
            raise
        except OSError as error:
            message = f"cannot read the received image: {error.strerror}"
            raise DiskError(message, billed=True) from error

    def _save_as_received(self, files: SavedFiles, media: Media, name: Name, extra: int) -> str:
        """Save the bytes here and now, since all threads may be encoding.

        Returns the path, "" if that is not possible.
        """
        with contextlib.suppress(FluxError):
            data, (inspection, *_) = self._read(media.file)
            open_name = name._replace(template=f"{split_suffix(name.template)[0]}.{{ext}}")
            image = ImageFile(
                data, inspection.format, inspection.width, inspection.height, as_received=True
            )
            path = files.save_as_received(FinishedFile(open_name, image), extra)
            self._done.add(media.file)
            return path
        return ""


def _with_count(remark: str, count: int) -> str:
    return f"{count} files: {remark}" if count > 1 else remark
