"""`flux recover`: fetch and save images that earlier runs paid for.

It never requests a new image.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from flux_cli.commands.exit import confirm_output
from flux_cli.commands.history.recovered import Recovered, print_faults, print_result
from flux_cli.config.load import Settings, load_settings
from flux_cli.core.errors import DiskError, FluxError, Interrupted, common_exit_code
from flux_cli.providers.rows import ROWS
from flux_cli.runs import interrupts
from flux_cli.runs.documents import recovery_document
from flux_cli.runs.failures import drop_recovery_hints, error_of
from flux_cli.runs.job import Job
from flux_cli.runs.progress.lines import Lines, Silence
from flux_cli.runs.progress.summary import Scope, summarize
from flux_cli.runs.records import store
from flux_cli.runs.records.journal import Journal
from flux_cli.runs.records.listing import (
    Listing,
    RecordedRun,
    Stray,
    find,
    find_run,
    list_all,
    read_journal,
)
from flux_cli.runs.records.past import UNRECOVERABLE, PastRun
from flux_cli.runs.records.rescue import clear_folder, move_stray, resume, unnamed_files
from flux_cli.runs.recovery import (
    arrived,
    give_up,
    job_of,
    look_up,
    mark_saved,
    resolved_of,
    sweep,
    unclear_error,
)
from flux_cli.runs.report import Report
from flux_cli.runs.spending.access import find_access
from flux_cli.terminal import messages, streams

STATES = ("recoverable", "unclear", UNRECOVERABLE)  # of runs with images to look for
KEPT_UNCLEAR = 365 * 86_400.0  # seconds
LOOK = "look at the files, then delete them"


def run(*, run: str | None, as_json: bool, verbose: bool) -> int:
    """Save images that were paid for but not saved, and report them.

    Raises UsageError for an unknown run.
    """
    runs, strays = _work(run)
    done = [_recover_stray(stray) for stray in strays if not stray.is_foreign]
    done += _recover_all(runs, quiet=as_json)
    code = _exit_code([one.report for one in done])
    if as_json:
        rows = [(one.report, one.past, one.moved) for one in done]
        streams.out_json(recovery_document(code, rows))
    for result in done:
        print_result(result, paths=not as_json, verbose=verbose)
    print_faults(done, verbose=verbose)
    if foreign := sum(stray.is_foreign for stray in strays):
        messages.err(f"flux: note: skipped runs of other users: {foreign}")
    if all(one.is_idle for one in done):
        messages.err("flux: nothing to save")
    saved_paths = [saved.path for one in done for saved in one.report.saved]
    return confirm_output(code, saved_paths)


def _work(name: str | None) -> Listing:
    """The runs with anything left to recover or delete, oldest first; or only the named one.

    A run that was told to be unrecoverable is left out, unless it is named or may be settled now.
    """
    root = store.runs_folder()
    if not name:
        listing = list_all(root)
        runs = [run for run in reversed(listing.runs) if not (run.running or _is_hopeless(run))]
        return listing._replace(runs=list(filter(_has_work, runs)))
    found = find(root, name)
    if isinstance(found, Stray) and found.is_damaged and not found.is_foreign:
        return Listing([], [found])
    return Listing(list(filter(_has_work, [find_run(root, name)])), [])


def _has_work(run: RecordedRun) -> bool:
    """Whether anything of a run can be saved or deleted. What was moved aside stays."""
    if run.past.state not in STATES and store.aside_folder(run.folder).exists():
        return bool(store.files_in(run.folder))
    return run.past.state in STATES or run.folder.exists()


def _is_hopeless(run: RecordedRun) -> bool:
    """Whether nothing of a run can be fetched or looked up, and the user was told so."""
    past = run.past
    if past.state != UNRECOVERABLE or store.files_in(run.folder) or _is_forgettable(past):
        return False
    return not _has_history(past)


def _has_history(past: PastRun) -> bool:
    """Whether the provider of a run tells what became of requests without a response."""
    try:
        return _settings_of(past).provider.history
    except FluxError:  # it was removed from the settings
        return False


def _is_forgettable(past: PastRun) -> bool:
    """Whether the requests of a run have been unclear for so long that it is forgotten."""
    began = time.time() if past.began is None else past.began
    return past.state in ("unclear", UNRECOVERABLE) and time.time() - began >= KEPT_UNCLEAR


def _recover_stray(stray: Stray) -> Recovered:
    """Move aside what is left of a run whose journal is damaged or missing."""
    past = PastRun(stray.path.stem, {}, ())
    fault, moved = DiskError(f"cannot recover this run: {stray.reason}"), []
    if stray.is_damaged:
        try:
            moved = move_stray(stray)
        except OSError as error:
            fault.message += f"; its files cannot be moved: {error.strerror}"
        else:
            place = store.aside_folder(stray.path.with_suffix(""))
            fault.message += f"; its files are now in {place}"
            fault.hint = LOOK
    return Recovered(past, _report(past, faults=(fault,)), moved)


def _recover_all(runs: Sequence[RecordedRun], *, quiet: bool) -> list[Recovered]:
    """Recover one run after the other, until Ctrl-C."""
    done: list[Recovered] = []
    for run in runs:
        recovered = _recover_or_report(run, quiet=quiet, named=len(runs) > 1)
        done.append(_forget_if_old(run, recovered))
        if interrupts.has_come():
            break
    return done


def _recover_or_report(run: RecordedRun, *, quiet: bool, named: bool) -> Recovered:
    """Recover one run. A failure such as a missing key must not stop the other runs."""
    try:
        return _recover(run, quiet=quiet, named=named)
    except FluxError as fault:
        error = fault
    except OSError as fault:
        error = DiskError(f"cannot recover this run: {fault.strerror or fault}")
    except Exception as fault:  # noqa: BLE001 - our bug must not stop the other runs
        error = error_of(fault)
        error.message = f"cannot recover this run: {error.message}"
        error.billed = False  # recovery requests no image
    return Recovered(run.past, _report(run.past, faults=(error,)))


def _recover(run: RecordedRun, *, quiet: bool, named: bool) -> Recovered:
    """Recover one run: find the answers to its requests, then save their images.

    Answers are in files that arrived before the run was killed, or at the provider.
    """
    before, ledger = resume(run)
    with ledger:
        if mark_saved(before, ledger):
            before = read_journal(run.path) or before
        sweep(before, ledger)
        after, report = before, _report(before)
        if before.state in STATES:
            after, report = _fetch_and_save(before, ledger, named=named, quiet=quiet)
        moved, fault = _clear(after, ledger.folder)
        is_told = after.state == "unclear" and not _has_history(after)
        if is_told:
            ledger.told()
    if fault:
        report = report._replace(faults=(*report.faults, fault))
    return Recovered(after, report, moved, is_told)


def _clear(past: PastRun, folder: Path) -> tuple[Sequence[str], DiskError | None]:
    """Clear the folder of a run. Returns the new paths of files, and what the user must know."""
    has_doubt = bool(past.count("unclear")) and not past.damaged
    will_clear_up = has_doubt and _settings_of(past).provider.history
    try:
        moved = clear_folder(past, folder, will_clear_up=will_clear_up)
    except OSError as error:
        return (), DiskError(f"cannot clear {folder}: {error.strerror}")
    if not moved:
        return (), None
    what = f"{len(moved)} received files belong to no image of this run, or are damaged"
    return moved, DiskError(f"{what}; they are now in {store.aside_folder(folder)}", hint=LOOK)


def _fetch_and_save(
    before: PastRun, ledger: Journal, *, named: bool, quiet: bool
) -> tuple[PastRun, Report]:
    """Find the images of a run, and save them."""
    settings = _settings_of(before)
    auth = find_access(settings)
    strays = unnamed_files(before, ledger.folder)  # before the next step receives files
    looked_up = look_up(before, ledger, settings, auth)
    answers = arrived(before, ledger.folder) | looked_up.answers
    job = job_of(before, ledger, settings, auth, answers)._replace(strays=strays)
    if "locks" in before.facts:  # its images belong to the assets of a manifest
        from flux_cli.build.execution.arrivals import keeping

        job = keeping(job, before)
    report = _save(job, ledger.folder, settings, before, named=named and bool(answers), quiet=quiet)
    job.sink.sync()
    after = read_journal(ledger.path) or before
    if hopeless := give_up(after, ledger):
        after = read_journal(ledger.path) or after
        drop_recovery_hints(report.outcomes, hopeless)
    fault = looked_up.fault or unclear_error(after, settings)
    report = report._replace(run=before.id, remarks=(*report.remarks, *looked_up.lost))
    return after, report._replace(faults=(fault,) if fault else ())


def _forget_if_old(run: RecordedRun, recovered: Recovered) -> Recovered:
    """Delete the journal of a run that will stay unclear, and say so."""
    past, report = recovered.past, recovered.report
    has_files = store.aside_folder(run.folder).exists() or bool(store.files_in(run.folder))
    if has_files or not _is_forgettable(past):
        return recovered
    store.forget(run.path)
    days = f"{KEPT_UNCLEAR / 86_400:.0f} days"
    remark = f"run {past.id} is forgotten: its requests have been unclear for more than {days}"
    return recovered._replace(report=report._replace(remarks=(*report.remarks, remark)))


def _settings_of(past: PastRun) -> Settings:
    """Today's settings, with the provider and the address of the run."""
    provider, base_url = past.text("provider"), past.text("base_url")
    return load_settings({"provider": provider or None, "base_url": base_url or None}, ROWS)


def _save(
    job: Job, folder: Path, settings: Settings, past: PastRun, *, named: bool, quiet: bool
) -> Report:
    """Fetch and save images. Prints progress unless `quiet`; if `named`, the run's name first."""
    from flux_cli.runs.event_loop import run_job

    if named and not quiet:
        messages.err(f"flux: {past.id}:")
    with Silence() if quiet else Lines(Scope(len(past.calls))) as display:
        result = run_job(job, folder, settings, display)
    report = _report(past)._replace(provider=settings.provider.name, **result._asdict())
    if len(report.outcomes) > 1 and not quiet:
        messages.err(f"flux: {summarize(report)}")
    return report


def _report(past: PastRun, faults: tuple[FluxError, ...] = ()) -> Report:
    """The report of a run if nothing was saved now."""
    return Report(
        resolved=resolved_of(past),
        notes=(),
        provider=past.text("provider"),
        hosted=True,
        outcomes=(),
        faults=faults,
        run=past.id,
    )


def _exit_code(reports: Sequence[Report]) -> int:
    if interrupts.has_come():
        return Interrupted.exit_code
    errors = [error for report in reports for error in report.errors]
    some_saved = any(any(report.saved) for report in reports)
    return common_exit_code(errors, some_succeeded=some_saved)
