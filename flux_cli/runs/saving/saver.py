"""Saves the images that a provider returns: finish them in threads, journal each file, lose none.

An image that arrives here is paid for. Whatever fails, its bytes stay on a disk, and the error says
where; if no disk takes them, it says that they are lost.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from contextvars import copy_context
from functools import partial
from typing import TYPE_CHECKING, Protocol

from flux_cli.core.errors import DiskError, FluxError, ImageError, UsageError
from flux_cli.core.image import ImageFile
from flux_cli.images.formats import TRANSPARENT, split_suffix
from flux_cli.images.pixels.wholeness import examine
from flux_cli.images.threads import Threads
from flux_cli.runs.job import Original
from flux_cli.runs.records.privacy import image_without_keys
from flux_cli.runs.saving.delivery import record_of_image
from flux_cli.runs.saving.finish import FinishedFile, SavedFiles, describe_alpha
from flux_cli.runs.saving.output_files import save_outputs
from flux_cli.runs.saving.twins import Twins, fingerprint

if TYPE_CHECKING:
    from flux_cli.core.outcome import Media, Reply, SavedImage
    from flux_cli.core.request import Call
    from flux_cli.images.containers.registry import Look
    from flux_cli.images.signing import Identity
    from flux_cli.runs.job import Store, Task
    from flux_cli.runs.saving.finish import Sink

COPY_THREADS = 3  # to check and copy images: while one waits for the disk the others work


class Ledger(Protocol):
    """A journal that records every step before the next one begins."""

    is_private: bool

    def headers(self, call: Call) -> dict[str, str]: ...
    def sent(self, task: Task) -> None: ...
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


class _Workers:
    """Threads that finish images: no more images at once than there are threads.

    Each thread keeps the memory of the largest image that it ever held.
    """

    def __init__(self, count: int) -> None:
        self.threads, self.free = Threads(count), asyncio.Semaphore(count)


class Saver:
    """Saves all images of one run.

    `store` gets each image as it was received, before its files are made.
    """

    def __init__(
        self,
        sink: Sink,
        ledger: Ledger,
        received: Received,
        signer: Identity | None = None,
        store: Store | None = None,
    ) -> None:
        self._sink, self._ledger, self._signer, self._store = sink, ledger, signer, store
        self._received = received
        self._encoders, self._copiers = _Workers(os.cpu_count() or 2), _Workers(COPY_THREADS)
        self._done: set[str] = set()
        self._remarks: Counter[str] = Counter()
        self._twins = Twins()

    def encodes(self, task: Task) -> bool:
        """Whether the images of a task may wait for seconds until they are saved."""
        finish = task.delivery.finish
        return bool(self._signer or finish.remakes or finish.formats)

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

    async def save(self, task: Task, media: Media, extra: int, saved: list[SavedImage]) -> None:
        """Finish one image and save its files, which are added to `saved`.

        If the full image cannot be made, the bytes are saved as received, because they are paid
        for; the error says where. Raises FluxError.
        """
        # A build accepts all files of an asset or none.
        files = SavedFiles(self._sink, media.facts, is_whole=self._store is not None)
        work = partial(self._save_files, files, task, media, extra)
        workers = self._encoders if self.encodes(task) else self._copiers
        try:
            async with workers.free:
                await _run_in_thread(workers.threads, files, work)
            self._done.add(media.file)
        except asyncio.CancelledError:
            if not files.images:
                self._save_as_received(files, task, media, extra)
            raise
        except (ImageError, UsageError) as error:
            if error.billed:
                raise
            if any(not image.label for image in files.images):  # the full image is there
                self._done.add(media.file)
                raise ImageError(error.message, hint=error.hint) from error
            path = self._save_as_received(files, task, media, extra)
            hint = f"saved as received: {path}" if path else self._keep(media)
            raise ImageError(error.message, hint=hint, billed=self._store is not None) from error
        finally:
            saved += files.images
            self._remarks.update(files.remarks)
            if files.images and files.mark:
                self._twins.add(files.mark, task.call.number, files.images[0].path)
            for image in files.images:
                self._ledger.saved(task.call, media, image)

    def _save_files(self, files: SavedFiles, task: Task, media: Media, extra: int) -> None:
        """Store the original of one image, make all its files, then save them."""
        data, seen = self._read(media.file)
        files.mark = fingerprint(data)
        if task.call.body.get("background") == TRANSPARENT:
            files.remarks += describe_alpha(data, seen.image)
        record = record_of_image(task.delivery, task.call, media.facts)
        try:
            if self._store:
                self._store(Original(task, data, seen.image, media.facts))
            save_outputs(
                files,
                data,
                task.name,
                task.delivery,
                record,
                signer=self._signer,
                seen=seen,
                extra=extra,
            )
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

    def _save_as_received(self, files: SavedFiles, task: Task, media: Media, extra: int) -> str:
        """Save the bytes here and now, since all threads may be encoding: in the store, if any.

        Returns the path, "" if that is not possible.
        """
        with contextlib.suppress(FluxError):
            data, (inspection, *_) = self._read(media.file)
            if self._store:
                path = self._store(Original(task, data, inspection, media.facts))
            else:
                template = f"{split_suffix(task.name.template)[0]}.{{ext}}"
                image = ImageFile(
                    data, inspection.format, inspection.width, inspection.height, as_received=True
                )
                open_name = task.name._replace(template=template)
                path = files.save_as_received(FinishedFile(open_name, image), extra)
            self._done.add(media.file)
            return path
        return ""


async def _run_in_thread(threads: Threads, files: SavedFiles, work: Callable[[], None]) -> None:
    """Run `work` in a thread, while other images keep coming.

    Ctrl-C waits for a file that is being saved, however often it is pressed: otherwise the
    image would be saved twice. It does not wait for an encoder.
    """
    loop = asyncio.get_running_loop()
    running = loop.run_in_executor(threads, copy_context().run, work)
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        is_writing = files.close()
        while is_writing and not running.done():
            with contextlib.suppress(asyncio.CancelledError, FluxError):
                await asyncio.shield(running)
        raise


def _with_count(remark: str, count: int) -> str:
    return f"{count} files: {remark}" if count > 1 else remark
