"""`flux recover`: fetch and save images that earlier runs paid for.

It never requests a new image.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.commands.exit import confirm_output
from flux_cli.config.load import Settings, load_settings
from flux_cli.core.auth import Auth
from flux_cli.core.errors import FluxError, Interrupted, UnclearError, common_exit_code
from flux_cli.core.lite import NamedTuple
from flux_cli.core.request import Plan, Request, Resolved
from flux_cli.images.names import Name
from flux_cli.providers.rows import ROWS, connect
from flux_cli.runs.check import find_key, identity_of
from flux_cli.runs.documents import recovery_document
from flux_cli.runs.progress.lines import Lines, Silence, report_errors
from flux_cli.runs.progress.summary import summarize
from flux_cli.runs.records import journal, store
from flux_cli.runs.records.history import PastRun
from flux_cli.runs.records.journal import Journal
from flux_cli.runs.records.store import RecordedRun
from flux_cli.runs.recovery import Answers, arrived, look_up, past_call
from flux_cli.runs.report import Report
from flux_cli.runs.saving.delivery import read_delivery
from flux_cli.terminal import messages, streams

if TYPE_CHECKING:
    from flux_cli.runs.pipeline import Job

NAMED = 3  # runs listed in one error message
STATES = ("recoverable", "unclear")  # of runs with images to fetch


class Recovered(NamedTuple):
    """One run after recovery: its state in the journal, and what was done."""

    past: PastRun
    report: Report

    @property
    def unclear(self) -> int:
        """The number of requests that may have been paid for."""
        return self.past.count("unclear")

    @property
    def is_idle(self) -> bool:
        """Whether there was nothing to recover and there is nothing to report."""
        report = self.report
        return not (report.outcomes or report.faults or report.remarks or self.unclear)


def run(*, run: str | None, as_json: bool, verbose: bool) -> int:
    """Save images that were paid for but not saved, and report them.

    Raises UsageError for an unknown run.
    """
    done = _recover_all(_runs_to_recover(run), quiet=as_json)
    code = _exit_code([one.report for one in done])
    if as_json:
        streams.out_json(recovery_document(code, [(one.report, one.unclear) for one in done]))
    for result in done:
        _print_result(result, paths=not as_json, verbose=verbose)
    _print_faults(done, verbose=verbose)
    if all(one.is_idle for one in done):
        messages.err("flux: nothing to save")
    saved_paths = [saved.path for one in done for saved in one.report.saved]
    return confirm_output(code, saved_paths)


def _runs_to_recover(name: str | None) -> list[RecordedRun]:
    """The runs with anything left to recover or delete, oldest first; or only the named one."""
    root = store.runs_folder()
    if name:
        runs = [store.find_run(root, name)]
    else:
        runs = [run for run in store.list_runs(root) if not run.running]
    runs.reverse()
    return [run for run in runs if run.past.state in STATES or run.folder.exists()]


def _recover_all(runs: Sequence[RecordedRun], *, quiet: bool) -> list[Recovered]:
    """Recover one run after the other, until Ctrl-C."""
    done: list[Recovered] = []
    for run in runs:
        recovered = _recover_or_report(run, quiet=quiet, named=len(runs) > 1)
        done.append(recovered)
        if recovered.report.interrupted:
            break
    return done


def _recover_or_report(run: RecordedRun, *, quiet: bool, named: bool) -> Recovered:
    """Recover one run. A failure such as a missing key must not stop the other runs."""
    try:
        return _recover(run, quiet=quiet, named=named)
    except FluxError as fault:
        return Recovered(run.past, _report(run.past, faults=(fault,)))


def _recover(run: RecordedRun, *, quiet: bool, named: bool) -> Recovered:
    """Recover one run: find the answers to its requests, then save their images.

    Answers are in files that arrived before the run was killed, or at the provider.
    """
    before, ledger = journal.resume(run)
    with ledger:
        _sweep(before, ledger)
        if before.state not in STATES:
            return Recovered(before, _report(before))
        settings = _settings_of(before)
        auth = find_key(settings.provider, settings.base_url)
        looked_up = look_up(before, ledger, settings, auth)
        answers = arrived(before, ledger.folder) | looked_up.answers
        job = _job(before, ledger, settings, auth, answers)
        report = _save(job, ledger.folder, settings, before, named=named, quiet=quiet)
    after = store.find_run(run.path.parent, before.id).past
    fault = looked_up.fault or _unclear_error(after, settings)
    faults = (fault,) if fault else ()
    remarks = (*report.remarks, *looked_up.lost)
    return Recovered(after, report._replace(run=after.id, faults=faults, remarks=remarks))


def _sweep(past: PastRun, ledger: Journal) -> None:
    """Delete half-written files that a killed run left behind."""
    from flux_cli.images import files

    folder = past.text("folder")
    files.sweep([_absolute(call.name, folder) for call in past.calls], ledger.run)


def _settings_of(past: PastRun) -> Settings:
    """Today's settings, with the provider and the address of the run."""
    provider, base_url = past.text("provider"), past.text("base_url")
    return load_settings({"provider": provider or None, "base_url": base_url or None}, ROWS)


def _job(
    past: PastRun, ledger: Journal, settings: Settings, auth: Auth | None, answers: Answers
) -> Job:
    """The rest of the run: fetch and save images, without sending any request for a new one."""
    from flux_cli.images import files
    from flux_cli.runs.pipeline import Job

    answered = [call for call in past.calls if call.number in answers]
    folder = past.text("folder")
    names = tuple(_absolute(call.name, folder) for call in answered)
    return Job(
        resolved=_resolved(past),
        plan=Plan(tuple(map(past_call, answered)), ()),
        names=names,
        provider=connect(settings.provider, settings.base_url, auth),
        provider_name=settings.provider.name,
        hosted=True,
        sink=files.Folder(overwrite=False, mark=ledger.run, same=True),
        ledger=ledger,
        concurrency=settings.concurrency,
        delivery=read_delivery(past.facts.get("delivery")),
        identity=identity_of(settings),
        arrived=answers,
    )


def _save(
    job: Job, folder: Path, settings: Settings, past: PastRun, *, named: bool, quiet: bool
) -> Report:
    """Fetch and save images. Prints progress unless `quiet`; if `named`, the run's name first."""
    from flux_cli.runs.event_loop import run_job

    count = len(job.plan.calls)
    if named and count and not quiet:
        messages.err(f"flux: {past.id}:")
    with Silence() if quiet else Lines(len(past.calls)) as display:
        report = run_job(job, folder, settings, display)
    if count > 1 and not quiet:
        messages.err(f"flux: {summarize(report)}")
    return report


def _unclear_error(past: PastRun, settings: Settings) -> UnclearError | None:
    """The error for a run with unclear requests, if the provider's history could clear them up."""
    unclear = past.count("unclear")
    if not unclear or not settings.provider.history:
        return None
    message = f"the outcome of {unclear} of {len(past.calls)} requests is not known yet"
    return UnclearError(message, hint="try again later: flux recover", billed=True)


def _report(past: PastRun, faults: tuple[FluxError, ...] = ()) -> Report:
    """The report of a run if nothing was saved now."""
    return Report(
        resolved=_resolved(past),
        notes=(),
        provider=past.text("provider"),
        hosted=True,
        outcomes=(),
        faults=faults,
        run=past.id,
    )


def _print_result(one: Recovered, *, paths: bool, verbose: bool) -> None:
    """Print paths to stdout, and failed requests, lost images and unclear requests to stderr."""
    if paths:
        for saved in one.report.saved:
            streams.out_data(saved.path)
    report_errors(one.report._replace(faults=()), verbose=verbose)
    for warning in one.report.warnings:
        messages.err(f"flux: note: {warning}")
    is_reported = any(isinstance(fault, UnclearError) for fault in one.report.faults)
    if one.unclear and not is_reported:
        count = f"{one.unclear} of {len(one.past.calls)} requests of run {one.past.id}"
        messages.err(f"flux: note: {count} may have been billed")


def _print_faults(done: Sequence[Recovered], *, verbose: bool) -> None:
    """Print each failure of whole runs once, with the names of the runs."""
    hit: dict[str, tuple[FluxError, list[str]]] = {}
    for one in done:
        for fault in one.report.faults:
            hit.setdefault(fault.message, (fault, []))[1].append(one.past.id)
    for fault, runs in hit.values():
        more = f" and {len(runs) - NAMED} more" if len(runs) > NAMED else ""
        fault.message = f"{', '.join(runs[:NAMED])}{more}: {fault.message}"
        messages.error(fault, verbose=verbose)


def _exit_code(reports: Sequence[Report]) -> int:
    if any(report.interrupted for report in reports):
        return Interrupted.exit_code
    errors = [error for report in reports for error in report.errors]
    some_saved = any(any(report.saved) for report in reports)
    return common_exit_code(errors, some_succeeded=some_saved)


def _resolved(past: PastRun) -> Resolved:
    """The request of the run, as far as saving its images needs it."""
    price = past.facts.get("price_usd")
    return Resolved(
        request=Request(past.text("model"), {}, past.text("prompt")),
        sent_model=past.text("model"),
        prompt=past.text("prompt"),
        parameters={},
        notes=(),
        n=len(past.calls),
        unit_price_usd=price if isinstance(price, int | float) else None,
    )


def _absolute(name: Name, folder: str) -> Name:
    """The name as an absolute path: it is relative to the working folder of its run."""
    if name.template.startswith("/"):
        return name
    escaped = folder.replace("{", "{{").replace("}", "}}")
    return name._replace(template=f"{escaped}/{name.template}")
