"""Turns the bytes of one image into output files, for `generate` and `convert` alike.

Everything here runs in threads. `saver` (for generate) and `convert` start them, and decide what
happens to images that cannot be finished.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Protocol

from flux_cli.core.errors import ImageError
from flux_cli.core.image import ImageFile
from flux_cli.core.lite import NamedTuple
from flux_cli.core.outcome import Facts, SavedImage
from flux_cli.images.formats import FOREIGN
from flux_cli.images.outputs import Output, Rendered, copy_of
from flux_cli.images.pixels.wholeness import examine
from flux_cli.runs.saving.losses import plan_transfer
from flux_cli.runs.saving.provenance import Provenance, add_provenance, budget, leave_out, take_over

if TYPE_CHECKING:
    from flux_cli.core.image import Inspection
    from flux_cli.images.containers.registry import Look
    from flux_cli.images.names import Name
    from flux_cli.runs.saving.losses import Transfer


class Sink(Protocol):
    """Where finished files go: a folder, or standard output."""

    def save(self, name: Name, image: ImageFile, extra: int = 0, *, fresh: bool = False) -> str:
        """Save one file and return its path. Raises DiskError."""

    def sync(self) -> None:
        """Ask the disk to keep the names of all files that were saved."""


class PlannedFile(NamedTuple):
    """One file to make from an image, and its name."""

    name: Name
    output: Output


class FinishedFile(NamedTuple):
    """One file that is ready to be saved. `quality` is None if nothing was lost."""

    name: Name
    image: ImageFile
    quality: int | None = None
    is_reduced: bool = False  # the quality is lower than asked, to fit the size limit
    is_unplanned: bool = False  # nobody checked its name: it must not replace a file
    label: str = ""  # see SavedImage
    remarks: tuple[str, ...] = ()  # what the user should know about the file


class SavedFiles:
    """The files of one image that are saved so far.

    A thread adds files. Another thread may `close` this at any time, for instance
    after Ctrl-C: a file that is being written is completed, and no further file is saved.
    """

    def __init__(self, sink: Sink, facts: Facts | None = None, *, is_whole: bool = True) -> None:
        self._sink, self._facts = sink, facts or Facts()
        self.is_whole = is_whole  # all files of the image are to be saved, or none
        self._writing = Lock()
        self._is_closed = False
        self.images: list[SavedImage] = []
        self.remarks: list[str] = []
        self.mark = b""  # the fingerprint of what was received
        self.received = (0, 0)  # its width and height in pixels; 0 if they are unknown

    def save(self, file: FinishedFile, extra: int = 0) -> bool:
        """Save one file; returns False, with nothing done, if this is closed. Raises DiskError."""
        with self._writing:
            if self._is_closed:
                return False
            self.images.append(self._write(file, extra, fresh=file.is_unplanned))
            # Files of one image have most of them in common.
            self.remarks += [text for text in file.remarks if text not in self.remarks]
            return True

    def save_sidecar(self, file: FinishedFile, extra: int = 0) -> None:
        """Save a file that belongs to the image, unless this is closed. Raises DiskError."""
        with self._writing:
            if not self._is_closed:
                self._sink.save(file.name, file.image, extra)

    def save_as_received(self, file: FinishedFile, extra: int) -> str:
        """Save the received bytes, even if this is closed, and return the path. Raises DiskError.

        Never replaces a file, because this name was not checked before the run.
        """
        with self._writing:
            self.images.append(self._write(file, extra, fresh=True))
            return self.images[-1].path

    def close(self) -> bool:
        """Save no further file. Returns whether one is being written at this moment."""
        self._is_closed = True
        return self._writing.locked()

    def wait(self, seconds: float) -> None:
        """Wait for the file that is being written, if any, for at most `seconds`."""
        if self._writing.acquire(timeout=seconds):
            self._writing.release()

    def _write(self, file: FinishedFile, extra: int, *, fresh: bool = False) -> SavedImage:
        image = file.image
        return SavedImage(
            path=self._sink.save(file.name, image, extra, fresh=fresh),
            format=image.format,
            width=image.width,
            height=image.height,
            size=image.size,
            as_received=image.as_received,
            facts=self._facts,
            quality=file.quality,
            is_reduced=file.is_reduced,
            label=file.label,
            received=self.received,
        )


def make_files(
    data: bytes,
    files: Sequence[PlannedFile],
    provenance: Provenance,
    *,
    seen: Look | None = None,
    transfer: Transfer | None = None,
    workers: int = 1,
) -> Iterator[FinishedFile]:
    """Make the files of one image: decode, crop, scale, encode, write the record, sign.

    `seen` is what `examine` says of `data` if the caller has it already, and `transfer` is what
    `plan_transfer` says of these and further files; `workers` threads encode. Raises ImageError for
    bytes that are not a complete image, UsageError if a file cannot fit its limit.
    """
    seen = seen or examine(data)
    transfer = transfer or plan_transfer(seen, [file.output for file in files], provenance)
    outputs = [budget(file.output, transfer, provenance) for file in files]
    for file, rendered in zip(files, _render(data, outputs, seen, workers), strict=True):
        output, quality = rendered.output, rendered.quality
        image, remarks = _describe_origin(file.output, rendered.image, seen, transfer, provenance)
        yield FinishedFile(
            name=file.name,
            image=image,
            quality=quality,
            is_reduced=quality is not None and quality < output.quality,
            label=output.frame.label,
            remarks=tuple(remarks),
        )


def _describe_origin(
    output: Output, image: ImageFile, seen: Look, transfer: Transfer, provenance: Provenance
) -> tuple[ImageFile, list[str]]:
    """The file with its metadata, record and signature, and remarks on what is missing."""
    fault = seen.image.fault
    if output.untouched and provenance.is_stripped:
        image, remarks = leave_out(image, seen, provenance)
        image, more = add_provenance(image, provenance.of_copy, output.max_bytes)
        return image, remarks + more
    is_copy_with_fault = bool(fault) and output.untouched
    image, remarks = take_over(image, output, transfer)
    origin = Provenance() if is_copy_with_fault else provenance
    image, more = add_provenance(image, origin, output.max_bytes)
    if not output.untouched:
        remarks = [*transfer.notes, *remarks]
    remarks += [text for text in more if text not in remarks]
    if fault:
        is_new = provenance.is_embedded and not provenance.is_carried
        is_bare = is_copy_with_fault and (is_new or provenance.signer is not None)
        remarks.insert(0, _describe_fault(seen.image, is_bare=is_bare))
    return image, remarks


def copy_foreign(data: bytes, image: Inspection, name: Name, *, is_planned: bool) -> FinishedFile:
    """A copy of an image whose format flux does not make: nothing is written into it."""
    remark = f"flux does not make {image.format} files: saved as received, without a record"
    return FinishedFile(
        name=name,
        image=ImageFile(data, image.format, image.width, image.height, as_received=True),
        is_unplanned=not is_planned,
        remarks=(remark,),
    )


def _describe_fault(image: Inspection, *, is_bare: bool) -> str:
    """The remark on a file from an image with a fault; one that `is_bare` lacks its record."""
    fault = f"the {image.format} image is damaged beside its pixels ({image.fault})"
    return f"{fault}: saved as received, without a record" if is_bare else fault


def describe_alpha(data: bytes, image: Inspection) -> list[str]:
    """The remark that an image lacks the transparency that was requested, if it does."""
    from flux_cli.images.pixels.color import is_transparent  # few images should be

    try:
        if image.format in FOREIGN or is_transparent(data, image.format):
            return []
    except ImageError:  # nobody knows, and the image is saved all the same
        return []
    return ["a transparent background was requested, but the image has none"]


def describe_reduction(saved: SavedImage, max_bytes: int | None) -> str:
    """The note that the quality of a file was reduced to fit its size limit; "" if it was not."""
    if not saved.is_reduced or max_bytes is None:
        return ""
    return f"{saved.path}: quality reduced to {saved.quality} to fit {max_bytes:,} bytes"


def _render(data: bytes, outputs: Sequence[Output], seen: Look, workers: int) -> Iterator[Rendered]:
    """Make the pixels and bytes of every output. Copies of the image as it came need no Pillow."""
    if all(output.untouched for output in outputs):
        return iter([copy_of(data, output) for output in outputs])
    from flux_cli.images.pixels.render import render

    return render(data, outputs, workers, seen)
