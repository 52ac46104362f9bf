"""`flux convert`: the finishing step on images that are there already. No network, no key."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from flux_cli.commands.exit import confirm_output
from flux_cli.core.errors import Interrupted, UsageError
from flux_cli.images.destination import read_destination
from flux_cli.images.finish import parse_quality, read_finish
from flux_cli.images.formats import split_suffix
from flux_cli.runs.convert import PIPE, Result, converted, cores, plan
from flux_cli.runs.documents import HEADING, heading
from flux_cli.runs.fields import ERROR, error_document
from flux_cli.terminal import messages, streams
from flux_cli.terminal.streams import is_closed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.core.model import Json
    from flux_cli.core.options import ConvertOptions
    from flux_cli.images.outputs import Finish


def run(options: ConvertOptions) -> int:
    """Make the files and say what they are. Raises UsageError or OutputError before anything is made."""
    from flux_cli.images import files

    said = options.conversion
    sources = tuple(dict.fromkeys(said.files or ()))
    output = PIPE if said.output is None and sources == (PIPE,) else said.output
    is_folder = bool(output) and files.is_folder(output or "")
    destination = read_destination(output, options.output.output_format or (), is_folder=is_folder)
    quality = None if said.output_compression is None else parse_quality(said.output_compression)
    wanted = read_finish(options.finish, said.size, destination.formats, quality)
    _check(options, sources, wanted, piped=destination.is_stdout)
    overwrite, skip_existing = options.output.overwrite, options.output.skip_existing
    tasks, failed = plan(sources, destination, wanted, overwrite=overwrite, skip_existing=skip_existing)
    sink = files.Pipe(sys.stdout.buffer) if destination.is_stdout else files.Folder(overwrite=overwrite)
    results = {result.source: result for result in failed}
    try:
        results.update((result.source, result) for result in converted(tasks, sink.save, cores()))
    except KeyboardInterrupt:  # what is saved stays, and is listed
        unfinished = Interrupted(f"interrupted: {len(sources) - len(results)} of {len(sources)} images are not made")
        results.update(
            (task.source, Result(task.source, error=unfinished)) for task in tasks if task.source not in results
        )
    in_order = [results[source] for source in sources]
    _tell(options, in_order, piped=destination.is_stdout)
    return confirm_output(_exit_code(in_order), (made.path for result in in_order for made in result.made))


def _check(options: ConvertOptions, sources: Sequence[str], wanted: Finish, *, piped: bool) -> None:
    if not sources:
        raise UsageError("there is no image to convert", hint="name one: flux convert photo.png -f webp")
    if wanted.target and wanted.fit == "none":
        hint = "add --fit cover to crop, --fit contain to stay inside, or --fit exact to distort"
        raise UsageError(f"--size {options.conversion.size} alone does not say how to get there", hint=hint)
    if piped:
        if len(sources) > 1:
            raise UsageError("-o - takes one image, not several", hint="save to a folder")
        if options.reporting.as_json:
            raise UsageError("-o - and --json both want standard output", hint="give one of the two")
        if is_closed() or sys.stdout.isatty():
            raise UsageError("an image is no text for a terminal", hint="pipe it, or save to a file with -o")


def _tell(options: ConvertOptions, results: Sequence[Result], *, piped: bool) -> None:
    """The result: paths, markup or JSON to stdout; what a person should know, and failures, to stderr."""
    page = _page(results, options.conversion.alt) if options.finish.html else []
    if options.reporting.as_json:
        document = _document(results)
        streams.out_json({**document, "html": "\n".join(page)} if options.finish.html else document)
    elif not piped:
        paths = [path for result in results for path in (*(made.path for made in result.made), *result.kept)]
        for line in page if options.finish.html else paths:
            streams.out(line)
    if not options.reporting.quiet:
        for result in results:
            for made in result.made:
                if made.quality is not None and made.quality < made.output.quality:
                    limit = f"{made.output.max_bytes:,} bytes"
                    messages.err(f"flux: note: {made.path}: quality {made.quality}, to fit into {limit}")
    faults = [result.error for result in results if result.error]
    for fault in dict.fromkeys(faults):
        messages.error(fault, verbose=options.reporting.verbose)
    if len(results) > 1 and faults and not _interrupted(results):
        messages.err(f"flux: {len(faults)} of {len(results)} images failed")


def _page(results: Sequence[Result], alt: str | None) -> list[str]:
    return [element for result in results if (element := _markup(result, alt))]


def _markup(result: Result, alt: str | None) -> str:
    """The element for one image; without words for it, those of its file's name."""
    from flux_cli.images.html import Source, element

    name = split_suffix(result.source)[0].rpartition("/")[2]
    words = alt if alt is not None else "" if result.source == PIPE else name.replace("-", " ").replace("_", " ")
    made = [Source(made.path, made.output.format, made.width, made.height) for made in result.made]
    return element(made, result.kept, words)


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
    "html?": "text",
}


def _document(results: Sequence[Result]) -> dict[str, Json]:
    files: list[Json] = [
        {
            "path": made.path,
            "source": result.source,
            "format": made.output.format,
            "width": made.width,
            "height": made.height,
            "bytes": made.size,
            "quality": made.quality,
            "as_received": made.as_received,
        }
        for result in results
        for made in result.made
    ]
    kept: list[Json] = [{"path": path, "source": result.source} for result in results for path in result.kept]
    errors: list[Json] = [
        {"source": result.source, **error_document(result.error)} for result in results if result.error
    ]
    return {**heading(_exit_code(results)), "files": files, "skipped": kept, "errors": errors}


def _exit_code(results: Sequence[Result]) -> int:
    """0 all made; 3 some; the common code when every image failed alike, else 1; 130 interrupted."""
    if _interrupted(results):
        return Interrupted.exit_code
    errors = [result.error for result in results if result.error]
    if not errors:
        return 0
    if any(result.made or result.kept or not result.error for result in results):
        return 3
    causes = {error.exit_code for error in errors}
    return causes.pop() if len(causes) == 1 else 1


def _interrupted(results: Sequence[Result]) -> bool:
    return any(isinstance(result.error, Interrupted) for result in results)
