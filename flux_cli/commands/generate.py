"""`flux generate`: check the options, send the requests, print the result."""

from __future__ import annotations

import contextlib
import sys
from functools import partial
from typing import TYPE_CHECKING

from flux_cli.commands.exit import confirm_output
from flux_cli.core.errors import Interrupted
from flux_cli.core.ratio import parse_pixels
from flux_cli.images.formats import FORMATS
from flux_cli.runs import interrupts
from flux_cli.runs.check import CheckedRun, check_run
from flux_cli.runs.planned_files import reserve_files
from flux_cli.runs.progress.choice import open_display, tell_both
from flux_cli.runs.progress.lines import report_errors
from flux_cli.runs.progress.summary import Scope, summarize
from flux_cli.runs.records import store
from flux_cli.runs.spending.approval import approve
from flux_cli.terminal import messages, streams

if TYPE_CHECKING:
    from flux_cli.core.model import Json
    from flux_cli.core.options import GenerateOptions
    from flux_cli.images.names import Name
    from flux_cli.runs.progress.lines import Display
    from flux_cli.runs.progress.log import Log
    from flux_cli.runs.report import Report


def run(options: GenerateOptions) -> int:
    """Generate images, save them, print their paths, and return the exit code.

    Raises FluxError only before the first request is sent, except DiskError if standard output is
    lost.
    """
    checked = check_run(options)
    sheet = _name_sheet(checked)
    has_preview = _wants_preview(checked)
    if options.run.log_file is not None:
        from flux_cli.runs.progress.log import check_log

        check_log(options.run.log_file)
    if options.run.dry_run:
        from flux_cli.commands.dry_run import print_dry_run

        print_dry_run(checked)
        return 0
    if not options.reporting.quiet:  # before a question that they may be the answer to
        messages.notes(checked.notes)
    checked = approve(checked)
    with reserve_files(checked) as reserved:
        report = _generate(reserved)
    try:
        _show_preview(checked, report, is_on=has_preview)
    finally:  # paths and the summary come last, whatever becomes of the preview
        report = _print_results(checked, report, sheet)
    if not options.reporting.quiet:
        _print_notes(checked, report)
    _print_errors(checked, report)
    _append_summary(checked, report)
    code = Interrupted.exit_code if interrupts.has_come() else report.exit_code
    return confirm_output(code, (saved.path for saved in report.saved))


def _name_sheet(checked: CheckedRun) -> Name | None:
    """The name of the contact sheet; None if it was not requested. Raises UsageError."""
    if not checked.options.run.sheet and checked.options.run.sheet_output is None:
        return None
    from flux_cli.runs.saving.contact_sheet import name_sheet

    return name_sheet(checked)


def _wants_preview(checked: CheckedRun) -> bool:
    if sys.stderr.closed or not sys.stderr.isatty():
        return False
    from flux_cli.terminal.preview import wants_preview

    reporting = checked.options.reporting
    is_data_only = reporting.quiet or reporting.as_json or checked.is_stdout
    return wants_preview(checked.options.run.preview, sys.stderr, silent=is_data_only)


def _generate(checked: CheckedRun) -> Report:
    """Carry out the run, with its journal, log and progress display."""
    from flux_cli.runs.event_loop import run_job
    from flux_cli.runs.execution.of_run import is_paid, job_of, open_journal, report_of

    interrupts.defer()  # from here on, everything is journaled, saved and listed
    name = store.new_name()
    log = _open_log(checked, name)
    with open_journal(checked, name) as ledger:
        job = job_of(checked, ledger, sys.stdout)
        with _open_display(checked, job.concurrency) as display:
            listener = tell_both(log, display) if log else display
            folder = ledger.folder if is_paid(checked) else None
            result = run_job(job, folder, checked.settings, listener)
        job.sink.sync()  # before the journal ends, and before the paths are printed
    report = report_of(checked, result, name)
    if log:
        from flux_cli.runs.progress.log import end_facts

        log.end(end_facts(report))
    return report


def _open_log(checked: CheckedRun, name: str) -> Log | None:
    """The log file, open, before anything is sent. Raises OutputError if it cannot be opened."""
    path = checked.options.run.log_file
    if path is None:
        return None
    from flux_cli.runs.fields import request_document
    from flux_cli.runs.progress.log import Log

    log = Log(path, name, messages.err)
    facts: dict[str, Json] = {"request": request_document(checked.parts[0].resolved)}
    if checked.asked:
        from flux_cli.runs.combined.documents import part_documents

        facts = {"parts": part_documents(checked.asked)}
    log.start(checked.row.name, facts)
    return log


def _open_display(checked: CheckedRun, at_once: int) -> Display:
    """The progress display on stderr."""
    from flux_cli.runs.execution.of_run import earlier_durations

    prompt, settings = checked.parts[0].resolved.prompt, checked.settings
    scope = Scope(checked.total, settings.max_cost, at_once=at_once)
    models = {part.resolved.sent_model for part in checked.parts}
    earlier = partial(earlier_durations, settings, models)
    return open_display(scope, prompt, settings.progress, checked.options.reporting, earlier)


def _print_results(checked: CheckedRun, report: Report, sheet: Name | None) -> Report:
    """Print paths, HTML or JSON, and save the contact sheet.

    Returns the report, marked as interrupted if Ctrl-C stopped the sheet. The result is printed in
    any case.
    """
    as_json = checked.options.reporting.as_json
    report = report._replace(interrupted=report.interrupted or interrupts.has_come())
    html = _html(report) if checked.options.finish.html else None
    if not as_json:
        _print_paths(checked, report, html)
    sheet_path = None
    if sheet and not report.interrupted:
        from flux_cli.runs.saving.contact_sheet import save_sheet

        try:
            with interrupts.interrupt_once():
                sheet_path = save_sheet(checked, report, sheet)
        except KeyboardInterrupt:
            report = report._replace(interrupted=True)
    if as_json:
        from flux_cli.runs.documents import report_document

        more: dict[str, Json] = {"html": html, "sheet": sheet_path}
        present = {key: value for key, value in more.items() if value is not None}
        streams.out_json(report_document(report) | present)
    return report


def _html(report: Report) -> str:
    """One `<picture>` element per request, from its files."""
    from flux_cli.images.html import element

    elements = (
        element(outcome.saved, outcome.kept, report.asked_of(outcome).prompt)
        for outcome in report.outcomes
    )
    return "\n".join(filter(None, elements))


def _print_paths(checked: CheckedRun, report: Report, html: str | None) -> None:
    """Print HTML if that was requested, else one path per line."""
    if html is not None:
        streams.out_data(html)
    elif not checked.is_stdout:
        for outcome in report.outcomes:
            for saved in outcome.saved:
                streams.out_path(saved.path)
            for path in outcome.kept:
                streams.out_path(path)


def _print_notes(checked: CheckedRun, report: Report) -> None:
    """Print notes about the saved images and canceled jobs."""
    from flux_cli.runs.saving.finish import describe_reduction

    if sketch_note := _sketch_note(report):
        messages.err(f"flux: {sketch_note}")
    for warning in report.warnings:
        messages.err(f"flux: note: {warning}")
    for saved in report.saved:
        if reduction := describe_reduction(saved, checked.parts[0].delivery.finish.max_bytes):
            messages.err(f"flux: note: {reduction}")
    if hint := _size_hint(checked, report):
        messages.err(f"hint: {hint}")
    for identity, confirmed in report.canceled:
        answer = "confirmed" if confirmed else "no answer, it may go on"
        messages.err(f"flux: canceled {identity} at {report.provider}: {answer}")


def _sketch_note(report: Report) -> str:
    """The note that an image is an offline sketch; "" for images from a hosted model."""
    if report.hosted or not any(report.saved):
        return ""
    words = dict.fromkeys(word for saved in report.saved for word in saved.facts.undrawn)
    missing = f"; it does not show: {', '.join(words)}" if words else ""
    models = dict.fromkeys(report.asked_of(outcome).sent_model for outcome in report.outcomes)
    return f"offline sketch, drawn here, not by {', '.join(models)}{missing}"


def _size_hint(checked: CheckedRun, report: Report) -> str:
    """The hint for getting the exact pixels that were requested; "" if the images have them."""
    asked = {part.resolved.request.parameters.get("size") for part in checked.parts}
    size = asked.pop() if len(asked) == 1 else None
    exact = "" if size is None else parse_pixels(str(size))
    if not exact or checked.parts[0].delivery.finish.fit != "none":
        return ""
    sizes = {saved.pixels for saved in report.saved if saved.format in FORMATS and not saved.label}
    other = sorted(sizes - {exact})
    if not other:
        return ""
    return f"images come as {', '.join(other)}; --fit cover makes them exactly {exact}"


def _print_errors(checked: CheckedRun, report: Report) -> None:
    """Print every failure, and the summary if there were several requests."""
    reporting = checked.options.reporting
    report_errors(report, verbose=reporting.verbose)
    is_silent = reporting.quiet or checked.settings.progress == "none"
    if len(report.outcomes) > 1 and (report.errors or not is_silent):
        messages.err(f"flux: {summarize(report)}")


def _append_summary(checked: CheckedRun, report: Report) -> None:
    """Add the result to the page of a CI run, if there is one."""
    from flux_cli.commands.step_summary import append_page, is_wanted

    if not is_wanted():
        return
    from flux_cli.runs.progress.page import run_page

    settings, given = checked.settings, checked.options.metadata
    has_no_prompts = settings.metadata != "full" or not settings.journal_prompts
    is_told = given.no_metadata or given.no_prompt_metadata or settings.keep_prompts == "never"
    append_page(run_page(report, settings.max_cost, private=bool(has_no_prompts or is_told)))


def _show_preview(checked: CheckedRun, report: Report, *, is_on: bool) -> None:
    """Show the saved images on stderr, or say why a requested preview is missing."""
    option = checked.options.run.preview
    if report.interrupted or interrupts.has_come() or not (is_on or option):
        return
    from flux_cli.terminal.preview import show_preview

    paths = [saved.path for saved in report.saved if saved.path != "-" and not saved.label]
    with contextlib.suppress(KeyboardInterrupt), interrupts.interrupt_once():
        show_preview(paths, is_on=is_on, option=option)
