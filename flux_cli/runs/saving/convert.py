"""Plans conversions of image files: reads every source and names every file before one is made.

`conversion` makes the files.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from flux_cli.core.errors import FluxError, UsageError
from flux_cli.core.image import Inspection
from flux_cli.images import names as naming
from flux_cli.images.containers.registry import CONTAINERS
from flux_cli.images.destination import STDOUT, Destination
from flux_cli.images.finish import Finish
from flux_cli.images.formats import format_of_file, split_suffix
from flux_cli.images.names import Name, fixed, path_of, refuse_doubles
from flux_cli.images.outputs import Output, possible_outputs
from flux_cli.runs.saving.conversion import (
    STDIN,
    PlannedImage,
    Result,
    name_source,
    read_source,
)
from flux_cli.runs.saving.finish import PlannedFile

if TYPE_CHECKING:
    from flux_cli.runs.saving.provenance import Kept

FIELDS = ("name", "index", "width", "height", "ext")
DEFAULT = "{name}.{ext}"


def plan(
    sources: Sequence[str],
    destination: Destination,
    finish: Finish,
    *,
    overwrite: bool,
    skip_existing: bool,
    kept: Kept = "full",
) -> tuple[list[PlannedImage], list[Result]]:
    """Name every file before the first is made; an image that cannot be read is a result already.

    `kept` says how much of their metadata the files keep. Raises OutputError for names that are
    taken or that two files would have, UsageError if nothing is asked for that would change an
    image.
    """
    template = _template(destination)
    images, failed = [], []
    for index, source in enumerate(sources, 1):
        stem = _stem(source, keep_folder=destination.template is None)
        name = Name(template, {"name": stem, "index": index})
        try:
            data = read_source(source)
            image = _plan_image(source, data, name, destination, finish, kept, overwrite=overwrite)
        except FluxError as error:
            failed.append(Result(source, errors=(_explain(source, error, destination),)))
            continue
        is_alone = source == STDIN or len(sources) == 1
        images.append(image._replace(data=data if is_alone else None))
    if images and not any(image.files or image.errors for image in images):
        raise _nothing_to_convert(sources[0])
    if not destination.is_stdout:
        present = _preflight(images, overwrite=overwrite, skip_existing=skip_existing)
        images = [_without_existing(image, present) for image in images]
    elif any(len(image.files) > 1 for image in images):
        raise UsageError("-o - takes one file, not several", hint="save to files with -o")
    return images, failed


def _nothing_to_convert(source: str) -> UsageError:
    from shlex import quote

    message = "nothing to convert: give -f, --size or --width"
    return UsageError(message, hint=f"for example flux convert {quote(source)} -f webp")


def count_cores() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _template(destination: Destination) -> str:
    if destination.is_stdout:
        return STDOUT
    is_folder = destination.is_folder
    return naming.completed(destination.template, DEFAULT, FIELDS, is_folder=is_folder)


def _plan_image(
    source: str,
    data: bytes,
    name: Name,
    destination: Destination,
    finish: Finish,
    kept: Kept,
    *,
    overwrite: bool,
) -> PlannedImage:
    """The files to make from one image, with their full paths as names.

    The full image is left out if it would be the source again, or if only its widths fit into
    memory. A file that cannot be made does not stop the others. Raises UsageError if none can be
    made.
    """
    from flux_cli.images.pixels.render import measure

    image = measure(data)
    planned, errors = possible_outputs(finish, image)
    if errors and not planned:
        raise errors[0]
    named_errors = tuple(name_source(source, error) for error in errors)
    planned_image = PlannedImage(source, None, (), errors=named_errors, metadata=kept)
    if kept == "none" and _is_turned_by_exif(image):
        planned = tuple(one._replace(untouched=False) for one in planned)
    if destination.is_stdout:
        return planned_image._replace(
            files=tuple(PlannedFile(fixed(STDOUT), one) for one in planned)
        )
    typed, needed = _typed_suffixes(source, image, destination), planned
    if _leaves_source(destination, finish, kept, overwrite=overwrite):
        needed = tuple(one for one in planned if not _repeats(source, image, one, name, typed))
    named = _by_path(needed, name, destination, typed)
    paths, remarks = _without_too_large(image, named)
    files = tuple(PlannedFile(fixed(path), named[path]) for path in paths)
    return planned_image._replace(files=files, is_full=len(needed) < len(planned), remarks=remarks)


def _by_path(
    outputs: Iterable[Output], name: Name, destination: Destination, typed: dict[str, str]
) -> dict[str, Output]:
    """The outputs by path. With `{width}`, the full image may have the name of a variant."""
    named: dict[str, Output] = {}
    for one in outputs:
        in_place = destination.template is None and not one.frame.label
        named.setdefault(path_of(name, one, typed if in_place else destination.suffixes), one)
    return named


def _typed_suffixes(source: str, image: Inspection, destination: Destination) -> dict[str, str]:
    """The suffixes by format, as they are typed in `-o`, or else in the name of the source."""
    if format_of_file(source) != image.format:
        return destination.suffixes
    return {image.format: split_suffix(source)[1], **destination.suffixes}


def _leaves_source(
    destination: Destination, finish: Finish, kept: Kept, *, overwrite: bool
) -> bool:
    """Whether the source stays, as the full image: it is not replaced to get rid of metadata."""
    if finish.widths:
        return kept == "full" or not overwrite
    return destination == Destination() and finish == Finish() and kept == "full"


def _without_too_large(
    image: Inspection, named: dict[str, Output]
) -> tuple[list[str], tuple[str, ...]]:
    """The paths of files that fit into memory, and remarks on the others.

    Only full images beside their widths are left out; any other file is an error when it is made.
    """
    from flux_cli.images.pixels.memory import is_too_large

    if not any(output.frame.label for output in named.values()):
        return list(named), ()
    kept, remarks = [], []
    for path, output in named.items():
        if output.frame.label or not is_too_large(image, output):
            kept.append(path)
        else:
            what = f"{output.frame.width}x{output.frame.height} pixels of {output.format}"
            remarks.append(f"{path} is left out: {what} take more than 1 GiB of memory")
    return kept, tuple(remarks)


def _is_turned_by_exif(image: Inspection) -> bool:
    """Whether the image is upright only with metadata. The turn of an AVIF is none."""
    return not image.upright and CONTAINERS[image.format].orientation is None


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


def _explain(source: str, error: FluxError, destination: Destination) -> FluxError:
    """The error, naming the image it is about.

    A shell without quotes turns `-o 'hero.{webp,avif}'` into `-o hero.webp hero.avif`, so that an
    output is taken for an image that does not exist: the hint explains that.
    """
    stem, suffix = split_suffix(source)
    is_output = destination.formats and destination.template == f"{stem}.{{ext}}"
    if is_output and not os.path.lexists(source):
        typed = [destination.suffixes[name] for name in destination.formats]
        error.hint = f"quote a list of formats: -o '{stem}.{{{','.join([*typed, suffix])}}}'"
    return name_source(source, error)
