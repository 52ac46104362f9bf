"""`flux recover`: fetch and save what earlier runs have paid for. It never asks for a new picture."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flux_cli import config, console, journal
from flux_cli.cli.options import AsJson
from flux_cli.cli.ready import find_key
from flux_cli.core.errors import AuthError, FluxError
from flux_cli.core.model import Json
from flux_cli.core.naming import Name
from flux_cli.core.report import SCHEMA, document
from flux_cli.core.request import Auth, Call, Media, Plan, Reply, Report, Request, Resolved
from flux_cli.core.runs import Entry, Past, trace
from flux_cli.providers import ROWS, connect

if TYPE_CHECKING:
    from flux_cli.providers.lumenfall import Known

MARGIN = 60.0  # seconds a gateway's clock may be ahead of ours
STATES = ("recoverable", "unclear")


def recover(
    run: Annotated[
        str | None, typer.Argument(metavar="[RUN]", show_default=False, help="One run; all of them without it")
    ] = None,
    as_json: AsJson = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show the causes behind an error")] = False,
) -> int:
    """Save what is paid for and not saved.

    Fetches pictures of runs that were killed or could not save, polls jobs that were not finished, and asks the gateway
    what became of calls without an answer. It makes no new pictures, and costs nothing.
    """
    root = config.state_folder() / "runs"
    rows = [journal.find(root, run)] if run else [row for row in journal.rows(root) if not row.running]
    rows = [row for row in rows if row.past.state in STATES]
    reports = [_recovered(row, quiet=as_json) for row in reversed(rows)]
    if as_json:
        documents: list[Json] = [document(report) | {"run": past.id} for past, report in reports]
        console.out_json({"schema": SCHEMA, "runs": documents})
    for past, report in reports:
        if not as_json:
            for saved in report.saved:
                console.out(saved.path)
        console.report_errors(report, verbose=verbose)
        if unclear := past.count("unclear"):
            console.err(f"flux: note: {unclear} of {len(past.entries)} calls of {past.id} may have been billed")
    if not any(report.outcomes for _, report in reports):
        console.err("flux: nothing to save")
    codes = {report.exit_code for _, report in reports}
    return codes.pop() if len(codes) == 1 else 3 if codes else 0


def _recovered(row: journal.Row, *, quiet: bool) -> tuple[Past, Report]:
    """One run, as far as it can be brought: what its journal says afterwards, and what was done."""
    from flux_cli import files, pipeline
    from flux_cli.cli.execute import execute

    settings = config.load({"provider": row.past.text("provider") or None}, ROWS)
    base = row.past.text("base_url") or settings.base_url
    auth = find_key(settings.provider, base)
    with journal.resume(row) as ledger:
        arrived = _arrived(row) | _looked_up(row, ledger, settings, base, auth)
        entries = [entry for entry in row.past.entries if entry.number in arrived]
        names = tuple(_absolute(entry.name, row.past.text("folder")) for entry in entries)
        files.sweep([_absolute(entry.name, row.past.text("folder")) for entry in row.past.entries], ledger.run)
        job = pipeline.Job(
            resolved=_resolved(row.past, len(entries)),
            plan=Plan(tuple(Call(entry.number, entry.seed, entry.model, {}) for entry in entries), ()),
            names=names,
            provider=connect(settings.provider, base, auth),
            provider_name=settings.provider.name,
            hosted=True,
            sink=files.Folder(overwrite=False, mark=ledger.run, same=True),
            ledger=ledger,
            concurrency=settings.concurrency,
            skip={},
            arrived=arrived,
        )
        with console.Silence() if quiet else console.Lines(len(entries)) as display:
            report = execute(job, ledger.folder, settings, display)
    return journal.find(row.path.parent, row.past.id).past, report


def _arrived(row: journal.Row) -> dict[int, Reply | Sequence[Media]]:
    """What is paid for: pictures in files where they have come, else the answer that leads to them."""
    found: dict[int, Reply | Sequence[Media]] = {}
    for entry in row.past.entries:
        media = [one._replace(file=str(row.folder / Path(one.file).name)) for one in entry.media]
        if entry.state == "waiting":
            whole = media and all(Path(one.file).is_file() for one in media)
            found |= {entry.number: media} if whole else {entry.number: entry.reply} if entry.reply else {}
    return found


def _looked_up(
    row: journal.Row, ledger: journal.Journal, settings: config.Settings, base: str, auth: Auth | None
) -> dict[int, Reply | Sequence[Media]]:
    """What the gateway's history says of calls without an answer; the journal is told what is certain."""
    unclear = [entry for entry in row.past.entries if entry.state == "unclear"]
    if not unclear or not settings.provider.history:
        return {}
    if auth is None:
        name = settings.provider.key_variables[-1]
        raise AuthError(f"no key: {name} is not set", hint=f"export {name}=...: the gateway's history needs it")
    try:
        known = _history(row.past, unclear, settings, base, auth, ledger.folder)
    except FluxError as fault:
        console.err(f"flux: note: the history of {settings.provider.name} cannot be read: {fault.message}")
        return {}
    found: dict[int, Reply | Sequence[Media]] = {}
    for entry in unclear:
        said = known.get(trace(row.past.id, entry.number))
        if said and said.reply:
            ledger.answered(_call(entry), said.reply)
            found[entry.number] = said.reply
        elif said and said.status not in ("pending", "processing"):
            ledger.failed(_call(entry), _outcome(said), final=True)
    return found


def _history(
    past: Past, unclear: Sequence[Entry], settings: config.Settings, base: str, auth: Auth, folder: Path
) -> dict[str, "Known"]:
    import asyncio

    from flux_cli.http import Http
    from flux_cli.providers.lumenfall import look_up

    began = past.facts.get("time")
    seconds = began - MARGIN if isinstance(began, int | float) else 0.0
    since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))
    traces = {trace(past.id, entry.number) for entry in unclear}

    async def ask() -> dict[str, "Known"]:
        async with Http(timeout=settings.timeout, retries=settings.retries, folder=folder) as http:
            return await look_up(traces, since, base, auth, http)

    return asyncio.run(ask())


def _outcome(said: "Known") -> FluxError:
    """What the history says of a call whose picture cannot be had from it."""
    if said.status == "completed":
        cost = "" if said.cost_usd is None else f" for {said.cost_usd:.2f} USD"
        message = f"the picture was made{cost}, its address got lost, and the gateway keeps no copy"
        return FluxError(message, billed=True, request_id=said.request_id)
    return FluxError(f"the gateway says {said.status}", billed=bool(said.cost_usd), request_id=said.request_id)


def _resolved(past: Past, count: int) -> Resolved:
    """What the run meant, as far as saving its pictures needs it."""
    file_format, quality = past.facts.get("output_format"), past.facts.get("output_compression")
    price = past.facts.get("price_usd")
    return Resolved(
        request=Request(past.text("model"), {}, past.text("prompt")),
        wire_model=past.text("model"),
        prompt=past.text("prompt"),
        parameters={},
        notes=(),
        n=count,
        format=file_format if isinstance(file_format, str) else None,
        quality=quality if isinstance(quality, int) else None,
        unit_price_usd=price if isinstance(price, int | float) else None,
    )


def _absolute(name: Name, folder: str) -> Name:
    """The name as seen from anywhere: it was meant in the folder of its run."""
    if name.template.startswith("/"):
        return name
    return name._replace(template=f"{folder.replace('{', '{{').replace('}', '}}')}/{name.template}")


def _call(entry: Entry) -> Call:
    return Call(entry.number, entry.seed, entry.model, {})
