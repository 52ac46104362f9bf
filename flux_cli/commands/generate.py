"""`flux generate`: from a command line that has been read to files and words."""

from __future__ import annotations

import os
import sys
from functools import partial
from typing import TYPE_CHECKING

from flux_cli.commands.exit import confirm_output
from flux_cli.core.errors import UsageError
from flux_cli.core.ratio import parse_pixels
from flux_cli.core.request import Event, Outcome
from flux_cli.images.contact_sheet import SheetImage, make_sheet
from flux_cli.images.formats import format_of_suffix, split_suffix
from flux_cli.images.names import Name, fixed
from flux_cli.images.sheet import sheet_name
from flux_cli.request.prepare import provider_of
from flux_cli.runs import journal, store
from flux_cli.runs.check import CheckedRun, check_budget, check_run
from flux_cli.runs.documents import report_document
from flux_cli.runs.progress.lines import Lines, Silence, report_errors
from flux_cli.runs.progress.summary import summarize
from flux_cli.runs.report import Report
from flux_cli.terminal import messages, streams
from flux_cli.terminal.environment import is_terminal
from flux_cli.terminal.preview import show_preview, wants_preview

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flux_cli.core.model import Json
    from flux_cli.core.options import GenerateOptions, Viewing
    from flux_cli.runs.pipeline import Tell
    from flux_cli.runs.progress.lines import Display
    from flux_cli.runs.progress.log import Log


def run(options: GenerateOptions) -> int:
    """Make the images, save them and say where. Raises FluxError before anything is paid, and not after."""
    viewing, reporting = options.viewing, options.reporting
    ready = check_run(options)
    sheet = _sheet_name(ready, viewing)
    silent = reporting.quiet or reporting.as_json or ready.prepared.destination.is_stdout
    shown = wants_preview(viewing.preview, sys.stderr, silent=silent)
    if options.run.dry_run:
        from flux_cli.commands.dry_run import print_dry_run

        print_dry_run(ready)
        return 0
    check_budget(ready)
    if not reporting.quiet:
        messages.notes((*ready.prepared.resolved.notes, *ready.prepared.plan.notes))
    name = journal.new_name()
    log = _log(ready, name)
    report = _run(ready, name, log)
    if log:
        log.end(report)
    page = _markup(report) if options.finish.html else None
    if not reporting.as_json:
        _list(ready, report, page)
    path = None
    if sheet and not report.interrupted:
        try:
            path = _sheet(ready, report, sheet, viewing)
        except KeyboardInterrupt:  # what is saved is still to be told
            report = report._replace(interrupted=True)
    if reporting.as_json:
        more: dict[str, Json] = {"html": page, "sheet": path}
        streams.out_json(report_document(report) | {key: value for key, value in more.items() if value is not None})
    _tell(ready, report)
    images: list[str] = []
    if (shown or viewing.preview) and not report.interrupted:
        images = [saved.path for saved in report.saved if saved.path != "-" and not saved.label]
    show_preview(images, wanted=shown, said=viewing.preview)
    return confirm_output(report.exit_code, (saved.path for saved in report.saved))


def _sheet_name(ready: CheckedRun, viewing: Viewing) -> Name | None:
    """The name of the contact sheet, if one is wanted. Raises UsageError where it cannot be had."""
    if not viewing.sheet and viewing.sheet_output is None:
        return None
    if ready.prepared.destination.is_stdout:
        raise UsageError("-o - takes one file, and a sheet is another", hint="save to files with -o")
    if viewing.sheet_output is None:
        return sheet_name([name.path("png") for name in ready.names])
    if format_of_suffix(viewing.sheet_output) is None:
        raise UsageError(f"--sheet-output {viewing.sheet_output!r} names no format", hint="write sheet.jpg")
    return fixed(viewing.sheet_output)


def _sheet(ready: CheckedRun, report: Report, name: Name, viewing: Viewing) -> str | None:
    """The path of one image of all images, made unless it is there and nothing new came.

    What goes wrong here is said, and spoils nothing.
    """
    from flux_cli.images import files

    shown = [
        SheetImage(path, outcome.call.number, seed) for outcome in report.outcomes for path, seed in _first(outcome)
    ]
    if not any(report.saved):
        there = next(filter(os.path.isfile, name.candidates(None)), None)
        if there or not shown:
            return there
    wanted = format_of_suffix(viewing.sheet_output or "") or ready.prepared.resolved.format
    try:
        wanted = wanted or format_of_suffix(shown[0].path) or "jpeg"
        sheet, faults = make_sheet(shown, wanted, ready.prepared.resolved.quality)
        for unreadable in faults:
            messages.err(f"flux: note: an empty cell on the sheet: {unreadable.message}")
        path = files.Folder(overwrite=ready.options.output.overwrite).save(name, sheet)
    except Exception as fault:  # noqa: BLE001 - a fault of ours must not hide what is paid for and still to be told
        messages.err(f"flux: note: no sheet: {getattr(fault, 'message', '') or repr(fault)}")
        return None
    if not ready.options.reporting.quiet:
        messages.err(f"flux: sheet {path}")
    return path


def _first(outcome: Outcome) -> Iterator[tuple[str, Json]]:
    """A file of every image of a call, and its seed: of those that came, else one that was there."""
    images = [one for one in outcome.saved if not one.label] or outcome.saved[:1]
    for one in {split_suffix(one.path)[0]: one for one in reversed(images)}.values():  # formats of one image
        yield one.path, outcome.call.seed if one.facts.seed is None else one.facts.seed
    if not images:
        yield from ((path, outcome.call.seed) for path in outcome.kept[:1])


def _markup(report: Report) -> str:
    """One `<picture>` element a call, of its files."""
    from flux_cli.images.html import Source, element

    elements = (
        element(
            [Source(saved.path, saved.format, saved.width, saved.height) for saved in outcome.saved],
            outcome.kept,
            report.resolved.prompt,
        )
        for outcome in report.outcomes
    )
    return "\n".join(filter(None, elements))


def _run(ready: CheckedRun, name: str, log: Log | None) -> Report:
    from flux_cli.images import files
    from flux_cli.runs.execute import execute
    from flux_cli.runs.finish import Sink
    from flux_cli.runs.pipeline import Job

    options, prepared, row = ready.options, ready.prepared, ready.row
    pays = row.hosted and ready.calls
    root = store.runs_folder()
    with journal.begin(root, name, *journal.describe_run(ready)) if pays else journal.scratch() as ledger:
        sink: Sink = files.Folder(overwrite=options.output.overwrite, mark=ledger.run)
        job = Job(
            resolved=prepared.resolved,
            plan=prepared.plan,
            names=ready.names,
            provider=provider_of(prepared, ready.auth),
            provider_name=row.name,
            hosted=row.hosted,
            sink=files.Pipe(sys.stdout.buffer) if prepared.destination.is_stdout else sink,
            ledger=ledger,
            concurrency=min(prepared.settings.concurrency, row.in_flight),
            kept=ready.existing.by_call,
            skip=ready.existing.complete,
            traced=row.history,
            limit_usd=prepared.settings.max_cost,
            delivery=ready.delivery,
            identity=ready.identity,
        )
        with _display(ready) as display:
            report = execute(job, ledger.folder, prepared.settings, _both(display, log) if log else display)
    return report._replace(run=name if pays else "")


def _display(ready: CheckedRun) -> Display:
    reporting, resolved, wanted = ready.options.reporting, ready.prepared.resolved, ready.prepared.settings.progress
    if reporting.quiet or wanted == "none":
        return Silence()
    if wanted == "plain" or not is_terminal(sys.stderr):
        return Lines(resolved.n, verbose=reporting.verbose)
    from flux_cli.runs.progress.live import Terminal

    paths = not sys.stdout.isatty() or reporting.as_json
    gone = partial(streams.abandon, sys.stderr)
    return Terminal(resolved.n, resolved.prompt, paths=paths, verbose=reporting.verbose, gone=gone)


def _log(ready: CheckedRun, name: str) -> Log | None:
    """The log, open, before anything is sent. Raises UsageError where it cannot be."""
    path = ready.options.run.log_file
    if path is None:
        return None
    if path in ("", "-"):
        raise UsageError(f"--log-file {path!r} is no file", hint="stdout is for data; try --log-file /dev/stderr")
    from flux_cli import __version__
    from flux_cli.runs.progress.log import Log

    log = Log(path, name, messages.err)
    log.start(ready.prepared.resolved, ready.row.name, __version__)
    return log


def _both(display: Display, log: Log) -> Tell:
    def tell(event: Event) -> None:
        log(event)
        display(event)

    return tell


def _list(ready: CheckedRun, report: Report, page: str | None) -> None:
    """The result on stdout: the elements for a page if those are wanted, else one path a line."""
    if page is not None:
        streams.out(page)
    elif not ready.prepared.destination.is_stdout:
        for outcome in report.outcomes:
            for path in (*(saved.path for saved in outcome.saved), *outcome.kept):
                streams.out(path)


def _tell(ready: CheckedRun, report: Report) -> None:
    """What a person should know of the result, on stderr: notes, failures, and the sum of several calls."""
    reporting = ready.options.reporting
    if not report.hosted and not reporting.quiet and any(report.saved):
        model = report.resolved.sent_model
        words = ", ".join(dict.fromkeys(word for saved in report.saved for word in saved.facts.undrawn))
        missing = f"; it does not show: {words}" if words else ""
        messages.err(f"flux: offline sketch, drawn here, not by {model}{missing}")
    if not reporting.quiet:
        for warning in report.warnings:
            messages.err(f"flux: note: {warning}")
        for saved in report.saved:
            if saved.lowered:
                limit = f"{ready.delivery.finish.max_bytes:,} bytes"
                messages.err(f"flux: note: {saved.path}: quality {saved.quality}, to fit into {limit}")
        if hint := _size_hint(ready, report):
            messages.err(f"hint: {hint}")
        for identity, confirmed in report.canceled:
            answer = "confirmed" if confirmed else "no answer, it may go on"
            messages.err(f"flux: canceled {identity} at {report.provider}: {answer}")
    report_errors(report, verbose=reporting.verbose)
    silent = reporting.quiet or ready.prepared.settings.progress == "none"
    if len(report.outcomes) > 1 and (report.errors or not silent):
        messages.err(f"flux: {summarize(report)}")


def _size_hint(ready: CheckedRun, report: Report) -> str:
    """What to type for exact pixels, where some were asked for and others came; "" where all is as asked."""
    asked = ready.prepared.resolved.request.parameters.get("size")
    exact = "" if asked is None else parse_pixels(str(asked))
    if not exact or ready.delivery.finish.fit != "none":
        return ""
    sizes = {f"{saved.width}x{saved.height}" for saved in report.saved if not saved.label}
    other = sizes - {exact}
    return f"images come as {', '.join(sorted(other))}; --fit cover makes them exactly {exact}" if other else ""
