"""Finds the replies to requests of an earlier run, in its journal and in the gateway's history."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.config.load import Settings
from flux_cli.core.auth import Auth
from flux_cli.core.errors import AuthError, FluxError, NotFoundError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.outcome import Media, Reply
from flux_cli.core.request import Call
from flux_cli.runs.records import store
from flux_cli.runs.records.history import PastCall, PastRun, trace
from flux_cli.runs.records.journal import Journal

if TYPE_CHECKING:
    from flux_cli.providers.lumenfall import PastRequest

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
    """What was paid for but not saved: the images if they have arrived, else their replies."""
    found: Answers = {}
    for call in past.calls:
        if call.state != "waiting":
            continue
        media = [one._replace(file=str(folder / Path(one.file).name)) for one in call.media]
        if media and all(Path(one.file).is_file() for one in media):
            found[call.number] = media
        elif call.reply:
            found[call.number] = call.reply
    return found


def look_up(past: PastRun, ledger: Journal, settings: Settings, auth: Auth | None) -> LookUp:
    """Look up requests without a reply in the gateway's history, and journal what is certain.

    Never raises FluxError: what has arrived is saved even if the history cannot be read.
    """
    unclear = [call for call in past.calls if call.state == "unclear"]
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
        error = _final_error(listed, past)
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
        billed = bool(listed.cost_usd)
        message = f"the gateway reports the status {listed.status}"
        return FluxError(message, billed=billed, request_id=listed.request_id)
    cost = "" if listed.cost_usd is None else f" for {listed.cost_usd:.2f} USD"
    message = f"the image was made{cost}, but its address is lost and the gateway keeps no copy"
    return FluxError(message, billed=True, request_id=listed.request_id)


def _read_history(
    past: PastRun, unclear: Sequence[PastCall], settings: Settings, auth: Auth | None, folder: Path
) -> Mapping[str, PastRequest]:
    """The history by trace. Raises AuthError without a key, FluxError for a failed request."""
    if auth is None:
        name = settings.provider.key_variables[-1]
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

    since = store.iso_time(max(0.0, (past.began or 0.0) - MARGIN))
    traces = {trace(past.id, call.number) for call in unclear}

    async def ask() -> Mapping[str, PastRequest]:
        async with Http(timeout=settings.timeout, retries=settings.retries, folder=folder) as http:
            return await search(traces, since, settings.base_url, auth, http)

    return asyncio.run(ask())


def past_call(call: PastCall) -> Call:
    """The call with the values that reading its reply needs."""
    return Call(call.number, call.seed, call.model, {})
