"""`flux recover`: fetch and save what earlier runs have paid for. It never asks for a new image."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.commands.exit import told
from flux_cli.config import folders
from flux_cli.config.load import Settings, load_settings
from flux_cli.core.errors import AuthError, FluxError, Interrupted, NotFoundError, UnclearError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.request import Auth, Call, Media, Plan, Reply, Request, Resolved
from flux_cli.images.names import Name
from flux_cli.providers.rows import ROWS, connect
from flux_cli.runs import journal
from flux_cli.runs.check import find_key, identity_of
from flux_cli.runs.delivery import read_delivery
from flux_cli.runs.history import Entry, Past, trace
from flux_cli.runs.progress.lines import Lines, Silence, report_errors
from flux_cli.runs.progress.tally import summary
from flux_cli.runs.report import Report, document, ended_document
from flux_cli.terminal import messages, streams

if TYPE_CHECKING:
    from flux_cli.providers.lumenfall import PastRequest

MARGIN = 60.0  # seconds a gateway's clock may be ahead of ours
SETTLED = 86_400.0  # seconds after which a history that does not list a request will never do so
NAMED = 3  # runs that are named of those with one trouble
STATES = ("recoverable", "unclear")


def run(*, run: str | None, as_json: bool, verbose: bool) -> int:
    """Save what is paid for and not saved, and say what became of it. Raises UsageError for a run nobody knows."""
    root = folders.state_folder() / "runs"
    rows = [journal.find(root, run)] if run else [row for row in journal.rows(root) if not row.running]
    to_do = [row for row in reversed(rows) if row.past.state in STATES or row.folder.exists()]
    done: list[Done] = []
    for row in to_do:
        done.append(_tried(row, quiet=as_json, named=len(to_do) > 1))
        if done[-1].report.interrupted:
            break
    code = _exit_code([one.report for one in done])
    if as_json:
        documents: list[Json] = [_document(one) for one in done]
        streams.out_json({**ended_document(code), "runs": documents})
    for one in done:
        _tell(one, paths=not as_json, verbose=verbose)
    _tell_faults(done, verbose=verbose)
    if not any(one.report.outcomes or one.report.faults or one.past.count("unclear") for one in done):
        messages.err("flux: nothing to save")
    return told(code, (saved.path for one in done for saved in one.report.saved))


class Done(NamedTuple):
    """One run, as far as it could be brought: what its journal says now, and what was done."""

    past: Past
    report: Report


def _document(done: Done) -> dict[str, Json]:
    """The report, and how many calls may have cost what nobody knows."""
    unclear = done.past.count("unclear")
    cost = {"cost_usd": None} if unclear else {}
    return {**document(done.report), **cost, "unclear": unclear}


def _tried(row: journal.RecordedRun, *, quiet: bool, named: bool) -> Done:
    """What stands in the way of one run (a key that is missing) must not keep the others waiting."""
    try:
        return _recovered(row, quiet=quiet, named=named)
    except FluxError as fault:
        return Done(row.past, _report(row.past, fault))


def _recovered(row: journal.RecordedRun, *, quiet: bool, named: bool) -> Done:
    from flux_cli.images import files
    from flux_cli.runs import pipeline
    from flux_cli.runs.event_loop import run_job

    past, ledger = journal.resume(row)
    with ledger:
        files.sweep([_absolute(entry.name, past.text("folder")) for entry in past.entries], ledger.run)
        arrived: dict[int, Reply | Sequence[Media]] = _arrived(past, ledger.folder)
        if past.state not in STATES:
            return Done(past, _report(past))
        base = past.text("base_url")
        settings = load_settings({"provider": past.text("provider") or None, "base_url": base or None}, ROWS)
        auth = find_key(settings.provider, settings.base_url)
        faults: list[FluxError] = []
        try:
            arrived |= _looked_up(past, ledger, settings, auth)
        except FluxError as fault:  # what has arrived does not need the history
            faults.append(fault)
        entries = [entry for entry in past.entries if entry.number in arrived]
        job = pipeline.Job(
            resolved=_resolved(past),
            plan=Plan(tuple(_call(entry) for entry in entries), ()),
            names=tuple(_absolute(entry.name, past.text("folder")) for entry in entries),
            provider=connect(settings.provider, settings.base_url, auth),
            provider_name=settings.provider.name,
            hosted=True,
            sink=files.Folder(overwrite=False, mark=ledger.run, same=True),
            ledger=ledger,
            concurrency=settings.concurrency,
            delivery=read_delivery(past.facts.get("delivery")),
            identity=identity_of(settings),
            arrived=arrived,
        )
        if named and entries and not quiet:
            messages.err(f"flux: {past.id}:")
        with Silence() if quiet else Lines(len(past.entries)) as display:
            report = run_job(job, ledger.folder, settings, display)
    past = journal.find(row.path.parent, past.id).past
    if settings.provider.history and not faults and (unclear := past.count("unclear")):
        message = f"what became of {unclear} of {len(past.entries)} calls is not known yet"
        faults.append(UnclearError(message, hint="ask again later: flux recover", billed=True))
    if len(entries) > 1 and not quiet:
        messages.err(f"flux: {summary(report)}")
    return Done(past, report._replace(run=past.id, faults=tuple(faults)))


def _report(past: Past, *faults: FluxError) -> Report:
    """What was done where nothing could be, or had to be."""
    return Report(_resolved(past), (), past.text("provider"), hosted=True, outcomes=(), faults=faults, run=past.id)


def _tell(done: Done, *, paths: bool, verbose: bool) -> None:
    if paths:
        for saved in done.report.saved:
            streams.out(saved.path)
    report_errors(done.report._replace(faults=()), verbose=verbose)
    said = any(isinstance(fault, UnclearError) for fault in done.report.faults)
    if not said and (unclear := done.past.count("unclear")):
        messages.err(f"flux: note: {unclear} of {len(done.past.entries)} calls of {done.past.id} may have been billed")


def _tell_faults(done: Sequence[Done], *, verbose: bool) -> None:
    """Everything that stood in the way, once, with the runs it kept from being brought further."""
    kinds: dict[str, tuple[FluxError, list[str]]] = {}
    for one in done:
        for fault in one.report.faults:
            kinds.setdefault(fault.message, (fault, []))[1].append(one.past.id)
    for fault, runs in kinds.values():
        more = f" and {len(runs) - NAMED} more" if len(runs) > NAMED else ""
        fault.message = f"{', '.join(runs[:NAMED])}{more}: {fault.message}"
        messages.error(fault, verbose=verbose)


def _exit_code(reports: Sequence[Report]) -> int:
    """The common code where all went alike, 3 where some images were saved, else 1."""
    codes = {report.exit_code for report in reports if report.outcomes or report.faults}
    if Interrupted.exit_code in codes:
        return Interrupted.exit_code
    if len(codes) > 1:
        return 3 if any(any(report.saved) for report in reports) else 1
    return codes.pop() if codes else 0


def _arrived(past: Past, folder: Path) -> dict[int, Reply | Sequence[Media]]:
    """What is paid for: images in files where they have come, else the answer that leads to them."""
    found: dict[int, Reply | Sequence[Media]] = {}
    for entry in past.entries:
        media = [one._replace(file=str(folder / Path(one.file).name)) for one in entry.media]
        if entry.state == "waiting":
            whole = media and all(Path(one.file).is_file() for one in media)
            found |= {entry.number: media} if whole else {entry.number: entry.reply} if entry.reply else {}
    return found


def _looked_up(
    past: Past, ledger: journal.Journal, settings: Settings, auth: Auth | None
) -> dict[int, Reply | Sequence[Media]]:
    """What the gateway's history says of calls without an answer; the journal is told what is certain.

    Raises the FluxError of a history that cannot be read.
    """
    unclear = [entry for entry in past.entries if entry.state == "unclear"]
    if not unclear or not settings.provider.history:
        return {}
    if auth is None:
        name = settings.provider.key_variables[-1]
        raise AuthError(f"no key: {name} is not set", hint=f"export {name}=...: the gateway's history needs it")
    try:
        known = _history(past, unclear, settings, auth, ledger.folder)
    except FluxError as fault:
        fault.message = f"the history of {settings.provider.name} cannot be read: {fault.message}"
        if isinstance(fault, NotFoundError):  # no matter of models
            fault.hint = f"{settings.base_url} seems to keep no history; see the calls: flux runs {past.id}"
        raise
    found: dict[int, Reply | Sequence[Media]] = {}
    for entry in unclear:
        said = known.get(trace(past.id, entry.number))
        if said and said.reply:
            ledger.answered(_call(entry), said.reply)
            found[entry.number] = said.reply
        elif said and not said.is_unfinished:
            ledger.failed(_call(entry), _outcome(said), final=True)
        elif said is None and past.began is not None and time.time() - past.began > SETTLED:
            ledger.failed(_call(entry), FluxError("the gateway has never got it"), final=True)
    return found


def _history(
    past: Past, unclear: Sequence[Entry], settings: Settings, auth: Auth, folder: Path
) -> dict[str, PastRequest]:
    import asyncio

    from flux_cli.http.client import Http
    from flux_cli.providers.lumenfall import look_up

    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(max(0.0, (past.began or 0.0) - MARGIN)))
    traces = {trace(past.id, entry.number) for entry in unclear}

    async def ask() -> dict[str, PastRequest]:
        async with Http(timeout=settings.timeout, retries=settings.retries, folder=folder) as http:
            return await look_up(traces, since, settings.base_url, auth, http)

    return asyncio.run(ask())


def _outcome(said: PastRequest) -> FluxError:
    """What the history says of a call whose image cannot be had from it."""
    if said.status == "completed":
        cost = "" if said.cost_usd is None else f" for {said.cost_usd:.2f} USD"
        message = f"the image was made{cost}, its address got lost, and the gateway keeps no copy"
        return FluxError(message, billed=True, request_id=said.request_id)
    return FluxError(f"the gateway says {said.status}", billed=bool(said.cost_usd), request_id=said.request_id)


def _resolved(past: Past) -> Resolved:
    """What the run meant, as far as saving its images needs it."""
    price = past.facts.get("price_usd")
    return Resolved(
        request=Request(past.text("model"), {}, past.text("prompt")),
        sent_model=past.text("model"),
        prompt=past.text("prompt"),
        parameters={},
        notes=(),
        n=len(past.entries),
        unit_price_usd=price if isinstance(price, int | float) else None,
    )


def _absolute(name: Name, folder: str) -> Name:
    """The name as seen from anywhere: it was meant in the folder of its run."""
    if name.template.startswith("/"):
        return name
    return name._replace(template=f"{folder.replace('{', '{{').replace('}', '}}')}/{name.template}")


def _call(entry: Entry) -> Call:
    return Call(entry.number, entry.seed, entry.model, {})
