"""Converts image files: reads every source, names every file, then makes the files on all cores."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import PurePath

from flux_cli.core.errors import FluxError, Interrupted, UsageError, resource_error
from flux_cli.core.image import Inspection
from flux_cli.core.lite import NamedTuple
from flux_cli.core.outcome import SavedImage
from flux_cli.images import names as naming
from flux_cli.images.destination import STDOUT, Destination
from flux_cli.images.finish import Finish
from flux_cli.images.formats import format_of_file, split_suffix
from flux_cli.images.names import Name, fixed, path_of, refuse_doubles
from flux_cli.images.outputs import Output, outputs
from flux_cli.images.threads import Threads
from flux_cli.runs.interrupts import has_come, interrupt_once
from flux_cli.runs.saving.finish import PlannedFile, SavedFiles, Sink, find_record, make_files

STDIN = "-"
FIELDS = ("name", "index", "width", "height", "ext")
DEFAULT = "{name}.{ext}"
PATIENCE = 10.0  # seconds that Ctrl-C waits for a file that is being written


class PlannedImage(NamedTuple):
    """One image to convert, and the files to make from it.

    `data` is None if the image is read again when its turn comes: many would not fit into memory.
    `is_full` says that the source itself is the full image beside its widths, and `kept` are paths
    of other files that exist already: all of them stay as they are.
    """

    source: str
    data: bytes | None
    files: tuple[PlannedFile, ...]
    is_full: bool = False
    kept: tuple[str, ...] = ()


class Result(NamedTuple):
    """The result of converting one image: files, or an error, or both. `is_full`: as planned."""

    source: str
    saved: tuple[SavedImage, ...] = ()
    is_full: bool = False
    kept: tuple[str, ...] = ()
    error: FluxError | None = None
    remarks: tuple[str, ...] = ()  # what the user should know about the files


def plan(
    sources: Sequence[str],
    destination: Destination,
    finish: Finish,
    *,
    overwrite: bool,
    skip_existing: bool,
) -> tuple[list[PlannedImage], list[Result]]:
    """Name every file before the first is made; an image that cannot be read is a result already.

    Raises OutputError for names that are taken or that two files would have, UsageError if nothing
    is asked for that would change an image.
    """
    template = _template(destination)
    images, failed = [], []
    for index, source in enumerate(sources, 1):
        stem = _stem(source, keep_folder=destination.template is None)
        name = Name(template, {"name": stem, "index": index})
        try:
            data = _read_source(source)
            files, is_full = _plan_files(source, data, name, destination, finish)
        except FluxError as error:
            failed.append(Result(source, error=_name_source(source, error, destination)))
            continue
        is_alone = source == STDIN or len(sources) == 1
        images.append(PlannedImage(source, data if is_alone else None, files, is_full))
    if images and not any(image.files for image in images):
        from shlex import quote

        message = "nothing to convert: give -f, --size or --width"
        raise UsageError(message, hint=f"for example flux convert {quote(sources[0])} -f webp")
    if not destination.is_stdout:
        present = _preflight(images, overwrite=overwrite, skip_existing=skip_existing)
        images = [_without_existing(image, present) for image in images]
    elif any(len(image.files) > 1 for image in images):
        raise UsageError("-o - takes one file, not several", hint="save to files with -o")
    return images, failed


def convert_all(images: Sequence[PlannedImage], sink: Sink, workers: int) -> list[Result]:
    """Convert images on `workers` threads. Returns one result per image, in the same order.

    Each thread takes an image of its own; if there are fewer images than threads, several share
    one. Ctrl-C ends it early: files that are saved stay and are in the results. If it comes after
    the last file, nothing is left undone, so no result has an error.
    """
    encoders = max(1, workers // max(1, len(images)))
    conversions = [_Conversion(image, sink, encoders) for image in images]
    pool = Threads(workers)
    with interrupt_once():
        try:
            if has_come():  # while the files were planned
                raise KeyboardInterrupt
            for running in [pool.submit(conversion.run) for conversion in conversions]:
                running.result()
        except KeyboardInterrupt:
            _stop(conversions)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    return [conversion.result() for conversion in conversions]


def count_cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Conversion:
    """The conversion of one image, in a thread of its own."""

    def __init__(self, image: PlannedImage, sink: Sink, encoders: int) -> None:
        self._image, self._encoders = image, encoders
        self.files = SavedFiles(sink)
        self.error: FluxError | None = None

    @property
    def is_done(self) -> bool:
        """Whether every file is saved, or known to fail."""
        return bool(self.error) or len(self.files.images) == len(self._image.files)

    def run(self) -> None:
        """Read the image, make its files and save them one by one, until the files are closed."""
        image = self._image
        try:
            data = _read_source(image.source) if image.data is None else image.data
            for file in make_files(data, image.files, find_record(data), workers=self._encoders):
                if not self.files.save(file):
                    return
        except FluxError as error:
            self.error = _name_source(image.source, error)
        except Exception as fault:
            scarce = resource_error(fault)
            if scarce is None:
                raise
            self.error = _name_source(image.source, scarce)  # other images may need less

    def result(self) -> Result:
        """What became of the image so far."""
        saved, remarks = tuple(self.files.images), tuple(self.files.remarks)
        image = self._image
        return Result(image.source, saved, image.is_full, image.kept, self.error, remarks)


def _stop(conversions: Sequence[_Conversion]) -> None:
    """Complete the files that are being written, save no others, and mark unfinished images."""
    for conversion in conversions:
        conversion.files.close()
    for conversion in conversions:
        conversion.files.wait(PATIENCE)
    unfinished = [conversion for conversion in conversions if not conversion.is_done]
    count = f"{len(unfinished)} of {len(conversions)}"
    error = Interrupted(f"interrupted: {count} images were not converted")
    for conversion in unfinished:
        conversion.error = error


def _read_source(source: str) -> bytes:
    from flux_cli.request.files import inputs

    return inputs.read_image(source, sys.stdin.buffer if sys.stdin else None)


def _template(destination: Destination) -> str:
    if destination.is_stdout:
        return STDOUT
    is_folder = destination.is_folder
    return naming.completed(destination.template, DEFAULT, FIELDS, is_folder=is_folder)


def _plan_files(
    source: str, data: bytes, name: Name, destination: Destination, finish: Finish
) -> tuple[tuple[PlannedFile, ...], bool]:
    """The files to make from one image, with their full paths as names.

    The full image is left out if it would be the source again; the second value says so.
    """
    from flux_cli.images.pixels.render import measure

    image = measure(data)
    planned = outputs(finish, image)
    if destination.is_stdout:
        return tuple(PlannedFile(fixed(STDOUT), output) for output in planned), False
    suffixes = destination.suffixes
    needed = planned
    if finish.widths or (destination == Destination() and finish == Finish()):
        typed = suffixes
        if format_of_file(source) == image.format:
            typed = {image.format: split_suffix(source)[1], **suffixes}
        needed = tuple(one for one in planned if not _repeats(source, image, one, name, typed))
    named: dict[str, Output] = {}  # `{width}` may give the full image the name of a variant
    for one in needed:
        named.setdefault(path_of(name, one, suffixes), one)
    files = tuple(PlannedFile(fixed(path), one) for path, one in named.items())
    return files, len(needed) < len(planned)


def _repeats(
    source: str, image: Inspection, output: Output, name: Name, suffixes: dict[str, str]
) -> bool:
    """Whether an output is the whole image in its own format, under the name of the source."""
    frame, size = output.frame, (image.width, image.height)
    is_whole = (frame.width, frame.height) == frame.window == size
    is_same = is_whole and output.format == image.format and not frame.label
    return is_same and os.path.normpath(path_of(name, output, suffixes)) == os.path.normpath(source)


def _stem(source: str, *, keep_folder: bool) -> str:
    """What `{name}` stands for: the name of the image, with its folder if files go beside it."""
    stem = "image" if source == STDIN else split_suffix(source)[0]
    return stem if keep_folder else PurePath(stem).name


def _preflight(images: Iterable[PlannedImage], *, overwrite: bool, skip_existing: bool) -> set[str]:
    """Check that no two files share a name, none is overwritten, and every folder is writable.

    Returns the paths of existing files that stay as they are. Raises OutputError.
    """
    from flux_cli.images import files

    planned = [(image.source, file) for image in images for file in image.files]
    paths = [_path(file) for _, file in planned]
    makers = [f"{source} as {file.output.format}" for source, file in planned]
    refuse_doubles(zip(paths, makers, strict=True))
    names = [file.name for _, file in planned]
    present = files.preflight(names, None, overwrite=overwrite, skip_existing=skip_existing)
    return {paths[index] for index in present}


def _without_existing(image: PlannedImage, present: set[str]) -> PlannedImage:
    """The image without the files that exist already."""
    missing = tuple(file for file in image.files if _path(file) not in present)
    kept = tuple(_path(file) for file in image.files if _path(file) in present)
    return image._replace(files=missing, kept=kept)


def _path(file: PlannedFile) -> str:
    return file.name.path("")  # the name is fixed: no suffix is open


def _name_source(
    source: str, error: FluxError, destination: Destination | None = None
) -> FluxError:
    """The error, naming the image it is about.

    A shell without quotes turns `-o 'hero.{webp,avif}'` into `-o hero.webp hero.avif`, so that an
    output is taken for an image that does not exist: the hint explains that.
    """
    if source not in error.message:
        error.message = f"{source}: {error.message}"
    stem, suffix = split_suffix(source)
    if destination and destination.formats and destination.template == f"{stem}.{{ext}}":
        typed = [destination.suffixes[name] for name in destination.formats]
        error.hint = f"quote a list of formats: -o '{stem}.{{{','.join([*typed, suffix])}}}'"
    return error
