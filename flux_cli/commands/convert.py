"""`flux convert`: make new files from existing images. Needs neither network nor key."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from flux_cli.commands.exit import confirm_output
from flux_cli.core.errors import Interrupted, UsageError, common_exit_code
from flux_cli.images.destination import read_destination
from flux_cli.images.finish import EXPLAINED, parse_quality, read_finish
from flux_cli.images.formats import format_of_suffix, split_suffix
from flux_cli.runs import interrupts
from flux_cli.runs.documents import HEADING, heading
from flux_cli.runs.fields import ERROR, error_document
from flux_cli.runs.saving.conversion import STDIN, Result, convert_all, ignore
from flux_cli.runs.saving.convert import count_cores, plan
from flux_cli.runs.saving.finish import describe_reduction
from flux_cli.terminal import messages, streams
from flux_cli.terminal.environment import is_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.core.convert_options import ConvertOptions
    from flux_cli.core.model import Json
    from flux_cli.core.outcome import SavedImage
    from flux_cli.images.destination import Destination
    from flux_cli.images.finish import Finish
    from flux_cli.runs.progress.lines import Display
    from flux_cli.runs.saving.conversion import PlannedImage
    from flux_cli.runs.saving.provenance import Kept


def run(options: ConvertOptions) -> int:
    """Convert images and print the paths of the new files.

    Raises UsageError or OutputError before any file is made.
    """
    sources = tuple(dict.fromkeys(options.conversion.files or ()))
    destination = _read_destination(options, sources)
    finish = _read_finish(options, destination)
    _check(options, sources, destination, finish)
    results = _convert(options, sources, destination, finish)
    notes = _notes(results, finish.max_bytes)
    _print_results(options, results, notes)
    for note in () if options.reporting.quiet else notes:
        messages.err(f"flux: note: {note}")
    _print_errors(results, verbose=options.reporting.verbose)
    saved_paths = [saved.path for result in results for saved in result.saved]
    return confirm_output(_exit_code(results), saved_paths)


def _read_destination(options: ConvertOptions, sources: Sequence[str]) -> Destination:
    """Where the files go. An image from standard input goes to standard output."""
    from flux_cli.images import files

    output = options.conversion.output
    if output is None and sources == (STDIN,):
        output = "-"
    is_folder = output is not None and files.is_folder(output)
    if output is not None and not is_folder:
        format_of_suffix(output)  # only `generate` saves what flux cannot make
    return read_destination(output, options.output.output_format or (), is_folder=is_folder)


def _read_finish(options: ConvertOptions, destination: Destination) -> Finish:
    compression = options.conversion.output_compression
    quality = None if compression is None else parse_quality(compression)
    return read_finish(options.finish, options.conversion.size, destination.formats, quality)


def _check(
    options: ConvertOptions, sources: Sequence[str], destination: Destination, finish: Finish
) -> None:
    """Raise UsageError if something is missing or options contradict each other."""
    if not sources:
        hint = "name a file: flux convert photo.png -f webp"
        raise UsageError("no image given", hint=hint)
    if finish.target and not finish.resizes:
        message = f"--size {options.conversion.size} needs --fit"
        hint = f"add --fit: {EXPLAINED['--fit']}; one side, such as --size 320x, needs none"
        raise UsageError(message, hint=hint)
    if destination.is_stdout:
        _check_stdout(options, sources)


def _check_stdout(options: ConvertOptions, sources: Sequence[str]) -> None:
    if len(sources) > 1:
        raise UsageError("-o - takes one image, not several", hint="save to a folder")
    if options.reporting.as_json:
        message = "-o - and --json both write to standard output"
        raise UsageError(message, hint="use only one of them")
    if streams.is_closed() or sys.stdout.isatty():
        hint = "pipe it, or save to a file with -o"
        raise UsageError("cannot write an image to a terminal", hint=hint)


def _convert(
    options: ConvertOptions, sources: Sequence[str], destination: Destination, finish: Finish
) -> list[Result]:
    """Make the files; one result per source, in the order of the sources."""
    from flux_cli.images import files

    overwrite, skip = options.output.overwrite, options.output.skip_existing
    images, failed = plan(
        sources, destination, finish, overwrite=overwrite, skip_existing=skip, kept=_kept(options)
    )
    sink: files.Pipe | files.Folder = files.Folder(overwrite=overwrite)
    if destination.is_stdout:
        sink = files.Pipe(sys.stdout.buffer)
    interrupts.defer()  # from here on, everything that is saved is listed
    tell = _print_paths if _prints_paths(options, destination) else ignore
    is_late = sys.stdout.isatty()  # paths would be printed into the progress on the same screen
    with _open_display(options, destination, images) as display:
        done = convert_all(images, sink, count_cores(), display, ignore if is_late else tell)
    for result in done if is_late else ():
        tell(result)
    by_source = {result.source: result for result in (*failed, *done)}
    return [by_source[source] for source in sources]


def _kept(options: ConvertOptions) -> Kept:
    """How much of their metadata the files keep."""
    if options.conversion.no_metadata:
        return "none"
    return "no-prompt" if options.conversion.no_prompt_metadata else "full"


def _prints_paths(options: ConvertOptions, destination: Destination) -> bool:
    return not (options.reporting.as_json or options.finish.html or destination.is_stdout)


def _open_display(
    options: ConvertOptions, destination: Destination, images: Sequence[PlannedImage]
) -> Display:
    """The progress on a terminal; elsewhere, only notes and errors are printed."""
    from flux_cli.runs.progress.choice import open_display
    from flux_cli.runs.progress.lines import Silence
    from flux_cli.runs.progress.summary import Scope

    if destination.is_stdout or not images or not is_terminal(sys.stderr):
        return Silence()
    return open_display(Scope(len(images)), "", "auto", options.reporting)


def _print_results(
    options: ConvertOptions, results: Sequence[Result], notes: Sequence[str]
) -> None:
    """Print JSON or HTML. Paths were printed as the files were made."""
    html = _html(results, options.conversion.alt) if options.finish.html else None
    if options.reporting.as_json:
        document = _document(results, notes)
        if html is not None:
            document["html"] = html
        streams.out_json(document)
    elif html:
        streams.out_data(html)


def _print_paths(result: Result) -> None:
    """Print one path per line."""
    for path in (*(saved.path for saved in result.saved), *result.kept):
        streams.out_path(path)


def _html(results: Sequence[Result], alt: str | None) -> str:
    elements = [_picture_element(result, alt) for result in results]
    return "\n".join(filter(None, elements))


def _picture_element(result: Result, alt: str | None) -> str:
    """The HTML element for one image. Without `alt`, the name of the image describes it."""
    from flux_cli.images.html import element

    if alt is None and result.source != STDIN:
        name = split_suffix(result.source)[0].rpartition("/")[2]
        alt = name.replace("-", " ").replace("_", " ")
    kept = (result.source, *result.kept) if result.is_full else result.kept
    return element(result.saved, kept, alt or "")


def _notes(results: Sequence[Result], max_bytes: int | None) -> list[str]:
    """What the user should know about the files: what they lost, and reduced qualities."""
    notes = []
    for result in results:
        notes += [f"{result.source}: {remark}" for remark in result.remarks]
        reductions = [describe_reduction(saved, max_bytes) for saved in result.saved]
        notes += filter(None, reductions)
    return notes


def _print_errors(results: Sequence[Result], *, verbose: bool) -> None:
    errors = [error for result in results for error in result.errors]
    for error in dict.fromkeys(errors):  # an interrupt is the same error object for many images
        messages.error(error, verbose=verbose)
    is_interrupted = any(isinstance(error, Interrupted) for error in errors)
    if errors and len(results) > 1 and not is_interrupted:
        failed = sum(bool(result.errors) for result in results)
        messages.err(f"flux: {failed} of {len(results)} images failed")


CONVERSION: dict[str, object] = {
    **HEADING,
    "files": [
        {
            "path": "text",
            "source": "text",
            "format": "text",
            "width": "integer",
            "height": "integer",
            "bytes": "integer",
            "quality": "integer?",
            "as_received": "boolean",
        }
    ],
    "skipped": [{"path": "text", "source": "text"}],
    "errors": [{"source": "text", **ERROR}],
    "warnings": ["text"],
    "html?": "text",
}


def _document(results: Sequence[Result], notes: Sequence[str]) -> dict[str, Json]:
    files: list[Json] = []
    skipped: list[Json] = []
    errors: list[Json] = []
    for result in results:
        source = result.source
        files += [_file_document(source, saved) for saved in result.saved]
        skipped += [{"path": path, "source": source} for path in result.kept]
        errors += [{"source": source, **error_document(error)} for error in result.errors]
    return {
        **heading(_exit_code(results)),
        "files": files,
        "skipped": skipped,
        "errors": errors,
        "warnings": list(notes),
    }


def _file_document(source: str, saved: SavedImage) -> dict[str, Json]:
    return {
        "path": saved.path,
        "source": source,
        "format": saved.format,
        "width": saved.width,
        "height": saved.height,
        "bytes": saved.size,
        "quality": saved.quality,
        "as_received": saved.as_received,
    }


def _exit_code(results: Sequence[Result]) -> int:
    errors = [error for result in results for error in result.errors]
    succeeded = any(result.saved or result.kept or not result.errors for result in results)
    return common_exit_code(errors, some_succeeded=succeeded)
