"""Finds what is left to fetch of an earlier run, in its journal and in the gateway's history."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.config.load import Settings
from flux_cli.core.auth import Auth
from flux_cli.core.errors import (
    AuthError,
    FluxError,
    ImageError,
    Interrupted,
    NotFoundError,
    UnclearError,
)
from flux_cli.core.lite import NamedTuple
from flux_cli.core.outcome import Media, Reply
from flux_cli.core.request import Call, Request, Resolved
from flux_cli.core.values import show_amount
from flux_cli.http.spool import Spool
from flux_cli.images import files
from flux_cli.images.names import Name
from flux_cli.images.pixels.wholeness import examine
from flux_cli.providers.reading.tasks import task_headers
from flux_cli.providers.rows import connect
from flux_cli.runs.check import identity_of
from flux_cli.runs.records.history import spooled
from flux_cli.runs.records.journal import Journal
from flux_cli.runs.records.lines import trace
from flux_cli.runs.records.listing import iso_time
from flux_cli.runs.records.past import PastCall, PastRun
from flux_cli.runs.saving.delivery import read_delivery

if TYPE_CHECKING:
    from flux_cli.providers.lumenfall import PastRequest
    from flux_cli.runs.job import Job

MARGIN = 60.0  # seconds by which the clocks of the gateway and of this machine may differ
SETTLED = 86_400.0  # seconds; a request that is not in the history by then never will be

# By number of a request: its images, or the reply that leads to them.
Answers = dict[int, Reply | Sequence[Media]]


class LookUp(NamedTuple):
    """What the gateway's history says: answers to fetch images from, and images that are lost."""

    answers: Answers
    lost: tuple[str, ...] = ()  # as sentences
    fault: FluxError | None = None  # why the history could not be read


def arrived(past: PastRun, folder: Path) -> Answers:
    """What was paid for but not saved: the images if they have arrived whole, else their replies.

    Images that are not whole are returned, too, if their reply does not lead to them: some of them
    may be whole.
    """
    found: Answers = {}
    spool = Spool(folder, past.text("temporary"))
    for call in past.calls:
        if call.state != "waiting":
            continue
        media = [one._replace(file=str(folder / Path(one.file).name)) for one in call.media]
        are_whole = bool(media) and all(_is_whole(one.file, spool) for one in media)
        are_gone = not any(spool.find(Path(one.file).name) for one in media)
        is_read = is_spooled(call) or call.is_damaged  # reading it again would change nothing
        leads_on = has_address(call) or not is_read or are_gone
        if call.reply and not are_whole and leads_on:
            found[call.number] = call.reply
        elif media:
            found[call.number] = media
    return found


def has_address(call: PastCall) -> bool:
    """Whether the reply to a request may lead to images that are not in it."""
    data = call.reply.data if call.reply else b""
    if call.reply and task_headers(call.reply):
        return True
    return b"://" in data or rb":\/\/" in data  # JSON may escape slashes


def is_spooled(call: PastCall) -> bool:
    """Whether images of a reply were moved into files while it arrived."""
    return call.reply is not None and bool(spooled(call.reply.data)[0])


def _is_whole(path: str, spool: Spool) -> bool:
    """Whether a received file is a complete image."""
    try:
        examine(spool.read(path))
    except (OSError, ImageError):
        return False
    return True


def mark_saved(past: PastRun, ledger: Journal) -> bool:
    """Journal that requests are saved if the line that says so was damaged. True if there were any.

    Their images are gone, which happens only after that line, and there is a file for each of them.
    """
    found = False
    spool = Spool(ledger.folder, past.text("temporary"))
    for call in past.calls if past.damaged else ():
        if call.state != "waiting" or not call.reply or has_address(call):
            continue
        names, are_all_named = spooled(call.reply.data)
        is_gone = bool(names) and are_all_named and not any(map(spool.find, names))
        if is_gone and len(call.saved) >= len(names):
            found = ledger.whole(past_call(call)) or found
    return found


def give_up(past: PastRun, ledger: Journal) -> frozenset[int]:
    """Journal that nothing is left to fetch of images that are damaged or gone.

    Returns the numbers of their requests.

    They had arrived in the reply itself, so there is no address to fetch them from again.
    """
    found = set()
    spool = Spool(ledger.folder, past.text("temporary"))
    for call in past.calls:
        is_damaged = call.state == "waiting" and call.is_damaged
        paths = [str(ledger.folder / name) for name in call.files]
        any_whole = any(_is_whole(path, spool) for path in paths)
        if is_damaged and not has_address(call) and not any_whole:
            error = ImageError("what has arrived is not a complete image", billed=True)
            ledger.failed(past_call(call), error, final=True)
            found.add(call.number)
    return frozenset(found)


def look_up(past: PastRun, ledger: Journal, settings: Settings, auth: Auth | None) -> LookUp:
    """Look up requests without a reply in the gateway's history, and journal what is certain.

    Never raises FluxError: what has arrived is saved even if the history cannot be read.
    """
    unclear = [call for call in past.calls if call.state == "unclear" or call.is_cut]
    if not unclear or not settings.provider.history:
        return LookUp({})
    try:
        known = _read_history(past, unclear, settings, auth, ledger.folder)
    except FluxError as fault:
        return LookUp({}, fault=fault)
    answers: Answers = {}
    lost: list[str] = []
    for call in unclear:
        listed = known.get(trace(past.id, call.number))
        if listed and listed.reply:
            ledger.answered(past_call(call), listed.reply)
            answers[call.number] = listed.reply
            continue
        error = None if call.is_cut else _final_error(listed, past)
        if error:
            ledger.failed(past_call(call), error, final=True)
        if error and error.billed:
            lost.append(f"request {call.number}: {error.message}")
    return LookUp(answers, tuple(lost))


def _final_error(listed: PastRequest | None, past: PastRun) -> FluxError | None:
    """Why a request without a reply will never yield an image; None while it still may."""
    if listed is None:
        is_settled = past.began is not None and time.time() - past.began > SETTLED
        return FluxError("the gateway never received the request") if is_settled else None
    if listed.is_unfinished:
        return None
    if listed.status != "completed":
        message = f"the gateway reports the status {listed.status}"
        return FluxError(message, billed=bool(listed.cost_usd), request_id=listed.request_id)
    cost = "" if listed.cost_usd is None else f" for {show_amount(listed.cost_usd)} USD"
    message = f"the image was made{cost}, but its address is lost and the gateway keeps no copy"
    return FluxError(message, billed=True, request_id=listed.request_id)


def _read_history(
    past: PastRun, unclear: Sequence[PastCall], settings: Settings, auth: Auth | None, folder: Path
) -> Mapping[str, PastRequest]:
    """The history by trace.

    Raises AuthError without a key, FluxError for a failed request, and Interrupted.
    """
    if auth is None:
        name = settings.provider.key_variables[0]
        hint = f"export {name}=...: the gateway's history needs it"
        raise AuthError(f"no key: {name} is not set", hint=hint)
    try:
        return _fetch_history(past, unclear, settings, auth, folder)
    except FluxError as fault:
        fault.message = f"cannot read the history of {settings.provider.name}: {fault.message}"
        if isinstance(fault, NotFoundError):  # its own hint is about models
            problem = f"{settings.base_url} seems to keep no history"
            fault.hint = f"{problem}; see the requests: flux runs {past.id}"
        raise


def _fetch_history(
    past: PastRun, unclear: Sequence[PastCall], settings: Settings, auth: Auth, folder: Path
) -> Mapping[str, PastRequest]:
    import asyncio

    from flux_cli.http.client import Http
    from flux_cli.providers.lumenfall import look_up as search
    from flux_cli.runs import event_loop, interrupts

    since = iso_time(max(0.0, (past.began or 0.0) - MARGIN))
    traces = {trace(past.id, call.number) for call in unclear}

    async def ask() -> Mapping[str, PastRequest]:
        async with Http(timeout=settings.timeout, retries=settings.retries, folder=folder) as http:
            return await search(traces, since, settings.base_url, auth, http)

    async def ask_until_interrupted() -> Mapping[str, PastRequest]:
        with interrupts.cancel_on_signals():
            try:
                return await ask()
            except asyncio.CancelledError:
                raise Interrupted("interrupted") from None

    return event_loop.run(ask_until_interrupted())


def unclear_error(past: PastRun, settings: Settings) -> UnclearError | None:
    """The error for a run with unclear requests, if the provider's history could clear them up."""
    unclear = past.count("unclear")
    if not unclear or not settings.provider.history:
        return None
    message = f"the outcome of {unclear} of {len(past.calls)} requests is not known yet"
    return UnclearError(message, hint="try again later: flux recover", billed=True)


def past_call(call: PastCall) -> Call:
    """The call with the values that reading its reply needs."""
    return Call(call.number, call.seed, call.model, {})


def sweep(past: PastRun, ledger: Journal) -> None:
    """Delete half-written files that a killed run left behind."""
    folder = past.text("folder")
    files.sweep([_absolute(call.name, folder).path("png") for call in past.calls], ledger.run)


def job_of(
    past: PastRun, ledger: Journal, settings: Settings, auth: Auth | None, answers: Answers
) -> Job:
    """The rest of the run: fetch and save images, without sending any request for a new one."""
    from flux_cli.runs.job import Job, Task

    folder = past.text("folder")
    tasks = [
        Task(
            call=past_call(call),
            name=_absolute(call.name, folder),
            delivery=read_delivery(call.delivery),
            price_usd=call.price_usd,
            key=call.key,
            about=call.about,
            arrived=answers[call.number],
        )
        for call in past.calls
        if call.number in answers
    ]
    return Job(
        tasks=tasks,
        provider=connect(settings.provider, settings.base_url, auth),
        hosted=True,
        sink=files.Folder(overwrite=False, mark=ledger.run, same=True, state=str(ledger.folder)),
        ledger=ledger,
        concurrency=max(1, min(settings.concurrency, len(tasks))),
        identity=identity_of(settings),
        temporary=past.text("temporary"),
    )


def resolved_of(past: PastRun) -> Resolved:
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
