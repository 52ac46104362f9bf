"""Converts planned images on all cores: reads each again, makes its files, and saves them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

from flux_cli.core.errors import FluxError, Interrupted, resource_error
from flux_cli.core.lite import NamedTuple
from flux_cli.core.outcome import Event, SavedImage
from flux_cli.images.pixels.wholeness import examine
from flux_cli.images.threads import Threads
from flux_cli.runs.interrupts import has_come, interrupt_once
from flux_cli.runs.progress.events import conversion_events
from flux_cli.runs.saving.finish import PlannedFile, SavedFiles, Sink
from flux_cli.runs.saving.output_files import make_possible
from flux_cli.runs.saving.provenance import find_provenance, keeps_more

if TYPE_CHECKING:
    from flux_cli.runs.saving.provenance import Kept

STDIN = "-"
KEEPS_MORE = (
    "this file is the full image and stays as it is: "
    "add --overwrite to remove the metadata here as well"
)
PATIENCE = 10.0  # seconds that Ctrl-C waits for a file that is being written

Listener: TypeAlias = Callable[[Event], None]


def ignore(_: object) -> None:
    """Listen to nothing."""


class PlannedImage(NamedTuple):
    """One image to convert, and the files to make from it.

    `data` is None if the image is read again when its turn comes: many would not fit into memory.
    `is_full` says that the source itself is the full image beside its widths, and `kept` are paths
    of other files that exist already: all of them stay as they are. `errors` say why more files
    cannot be made, and `metadata` says how much of it the files keep.
    """

    source: str
    data: bytes | None
    files: tuple[PlannedFile, ...]
    is_full: bool = False
    kept: tuple[str, ...] = ()
    errors: tuple[FluxError, ...] = ()
    remarks: tuple[str, ...] = ()  # what the user should know about the plan
    metadata: Kept = "full"


class Result(NamedTuple):
    """The result of converting one image: files, or errors, or both. `is_full`: as planned."""

    source: str
    saved: tuple[SavedImage, ...] = ()
    is_full: bool = False
    kept: tuple[str, ...] = ()
    errors: tuple[FluxError, ...] = ()
    remarks: tuple[str, ...] = ()  # what the user should know about the files


def convert_all(
    images: Sequence[PlannedImage],
    sink: Sink,
    workers: int,
    display: Listener = ignore,
    done: Callable[[Result], None] = ignore,
) -> list[Result]:
    """Convert images on `workers` threads. Returns one result per image, in the same order.

    `display` gets events from these threads. `done` gets each result in the order of the images, as
    soon as it and all before it are there.

    Each thread takes an image of its own; if there are fewer images than threads, several share
    one. Ctrl-C ends it early: files that are saved stay and are in the results. If it comes after
    the last file, nothing is left undone, so no result has an error.
    """
    encoders = max(1, workers // max(1, len(images)))
    conversions = [
        _Conversion(number, image, sink, encoders, display)
        for number, image in enumerate(images, 1)
    ]
    told = 0
    pool = Threads(workers)
    with interrupt_once():
        try:
            if has_come():  # while the files were planned
                raise KeyboardInterrupt
            for running in [pool.submit(conversion.run) for conversion in conversions]:
                running.result()
                done(conversions[told].result())
                told += 1
        except KeyboardInterrupt:
            _stop(conversions)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    results = [conversion.result() for conversion in conversions]
    for result in results[told:]:
        done(result)
    return results


class _Conversion:
    """The conversion of one image, in a thread of its own."""

    def __init__(
        self, number: int, image: PlannedImage, sink: Sink, encoders: int, display: Listener
    ) -> None:
        self._number, self._image, self._encoders = number, image, encoders
        self._display = display
        self._began, self._size = time.monotonic(), 0  # the size of the source in bytes
        self._has_ended = False  # whether no file is left to make
        self._telling, self._is_told = Lock(), False
        self.files = SavedFiles(sink)
        self.errors = list(image.errors)

    def run(self) -> None:
        """Read the image, make its files and save them one by one, until the files are closed.

        A file that cannot be made does not stop those after it.
        """
        image, self._began = self._image, time.monotonic()
        self._display(Event("begun", self._number, f"converting {image.source}"))
        try:
            data = read_source(image.source) if image.data is None else image.data
            self._size = len(data)
            self._make(data)
        except FluxError as error:
            self._fail(error)
        except Exception as fault:
            scarce = resource_error(fault)
            if scarce is None:
                raise
            self._fail(scarce)  # other images may need less
        self.tell()

    def tell(self) -> None:
        """Show what became of the image so far, at the first call only."""
        with self._telling:
            if self._is_told:
                return
            self._is_told = True
            seconds = time.monotonic() - self._began
            for event in conversion_events(self._number, self.result(), self._size, seconds):
                self._display(event)

    def _make(self, data: bytes) -> None:
        image, seen = self._image, examine(data)
        provenance = find_provenance(seen, image.metadata)
        for file in make_possible(data, image.files, provenance, seen=seen, workers=self._encoders):
            if isinstance(file, FluxError):
                self._fail(file)
            elif not self.files.save(file):
                return
        if image.is_full and keeps_more(data, seen, provenance):
            self.files.remarks.append(KEEPS_MORE)
        self._has_ended = True

    def _fail(self, error: FluxError) -> None:
        self._has_ended = True
        named = name_source(self._image.source, error)
        if named.message not in (other.message for other in self.errors):
            self.errors.append(named)

    @property
    def is_done(self) -> bool:
        """Whether every file is saved, or known to fail."""
        return self._has_ended or len(self.files.images) == len(self._image.files)

    def result(self) -> Result:
        """What became of the image so far."""
        image, saved = self._image, tuple(self.files.images)
        remarks = (*image.remarks, *self.files.remarks)
        return Result(image.source, saved, image.is_full, image.kept, tuple(self.errors), remarks)


def _stop(conversions: Sequence[_Conversion]) -> None:
    """Complete the files that are being written, save no others, and mark unfinished images."""
    for conversion in conversions:
        conversion.files.close()
    for conversion in conversions:
        conversion.files.wait(PATIENCE)
        if conversion.files.images:  # its thread may not have come to it
            conversion.tell()
    unfinished = [conversion for conversion in conversions if not conversion.is_done]
    count = f"{len(unfinished)} of {len(conversions)}"
    error = Interrupted(f"interrupted: {count} images were not converted")
    for conversion in unfinished:
        conversion.errors.append(error)


def read_source(source: str) -> bytes:
    """The bytes of a source. Raises UsageError."""
    from flux_cli.request.files import inputs

    return inputs.read_image(source, sys.stdin.buffer if sys.stdin else None)


def name_source(source: str, error: FluxError) -> FluxError:
    """The error, naming the image it is about."""
    if source not in error.message:
        error.message = f"{source}: {error.message}"
    return error
