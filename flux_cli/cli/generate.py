"""`flux generate`: from a command line that is ready to files and words."""

import sys
from functools import partial
from typing import TYPE_CHECKING

from flux_cli import config, console
from flux_cli.cli.options import Options, takes_options
from flux_cli.cli.ready import Ready, check_budget, make_ready, record
from flux_cli.core.errors import UsageError
from flux_cli.core.report import document
from flux_cli.core.request import Event, Report
from flux_cli.lookups.prepared import provider_of

if TYPE_CHECKING:
    from flux_cli.console import Display
    from flux_cli.logfile import Log
    from flux_cli.pipeline import Tell


@takes_options
def generate(options: Options) -> int:
    """Make pictures from a prompt.

    They are saved as files, and their paths go to stdout, one a line. Nothing is overwritten unless you say so, and
    nothing is paid before every option has been checked.
    """
    ready = make_ready(options)
    if options.dry_run:
        from flux_cli.cli.preview import preview

        preview(ready)
        return 0
    check_budget(ready)
    if not options.quiet:
        console.notes((*ready.prepared.resolved.notes, *ready.prepared.plan.notes))
    log = _log(ready)
    report = _run(ready, log)
    if log:
        log.end(report)
    _tell(ready, report)
    return report.exit_code


def _run(ready: Ready, log: "Log | None") -> Report:
    from flux_cli import files, journal
    from flux_cli.cli.execute import execute
    from flux_cli.finishing import Sink
    from flux_cli.pipeline import Job

    options, prepared, row = ready.options, ready.prepared, ready.row
    pays = row.hosted and ready.calls
    with journal.begin(config.state_folder() / "runs", record(ready)) if pays else journal.scratch() as ledger:
        sink: Sink = files.Folder(overwrite=options.overwrite, mark=ledger.run)
        job = Job(
            resolved=prepared.resolved,
            plan=prepared.plan,
            names=ready.names,
            provider=provider_of(prepared, ready.auth),
            provider_name=row.name,
            hosted=row.hosted,
            sink=files.Pipe(sys.stdout.buffer) if prepared.output == "-" else sink,
            ledger=ledger,
            concurrency=min(prepared.settings.concurrency, row.in_flight),
            skip=ready.skip,
            traced=row.history,
            limit_usd=prepared.settings.max_cost,
        )
        with _display(ready) as display:
            return execute(job, ledger.folder, prepared.settings, _both(display, log) if log else display)


def _display(ready: Ready) -> "Display":
    options, resolved, wanted = ready.options, ready.prepared.resolved, ready.prepared.settings.progress
    if options.quiet or wanted == "none":
        return console.Silence()
    if wanted == "plain" or sys.stderr is None or not config.is_terminal(sys.stderr):
        return console.Lines(resolved.n, verbose=options.verbose)
    from flux_cli.progress import Terminal

    paths = sys.stdout is None or not sys.stdout.isatty() or options.as_json
    gone = partial(console.abandon, sys.stderr)
    return Terminal(resolved.n, resolved.prompt, paths=paths, verbose=options.verbose, gone=gone)


def _log(ready: Ready) -> "Log | None":
    """The log, open, before anything is sent. Raises UsageError where it cannot be."""
    path = ready.options.log_file
    if path is None:
        return None
    if path in ("", "-"):
        raise UsageError(f"--log-file {path!r} is no file", hint="stdout is for data; try --log-file /dev/stderr")
    from flux_cli import __version__
    from flux_cli.logfile import Log

    log = Log(path, console.err)
    log.start(ready.prepared.resolved, ready.row.name, __version__)
    return log


def _both(display: "Display", log: "Log") -> "Tell":
    def tell(event: Event) -> None:
        log(event)
        display(event)

    return tell


def _tell(ready: Ready, report: Report) -> None:
    """The result: paths or JSON to stdout, failures to stderr."""
    options = ready.options
    if options.as_json:
        console.out_json(document(report))
    elif ready.prepared.output != "-":
        for outcome in report.outcomes:
            for path in (*(saved.path for saved in outcome.saved), *filter(None, [outcome.skipped])):
                console.out(path)
    if not report.hosted and report.saved and not options.quiet:
        model = report.resolved.wire_model
        words = ", ".join(dict.fromkeys(word for saved in report.saved for word in saved.facts.undrawn))
        missing = f"; it does not show: {words}" if words else ""
        console.err(f"flux: offline sketch, drawn here, not by {model}{missing}")
    if not options.quiet:
        for surprise in report.surprises:
            console.err(f"flux: note: {surprise}")
        for identity, agreed in report.stopped:
            answer = "it agreed" if agreed else "it did not answer, and may go on"
            console.err(f"flux: asked {report.provider} to stop {identity}: {answer}")
    console.report_errors(report, verbose=options.verbose, annotate=config.is_github())
