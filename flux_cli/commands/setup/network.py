"""The checks of `flux doctor` that need the provider: its key, and the way to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.commands.setup.account import ask_account
from flux_cli.commands.setup.checks import OK, PROBLEM, WARNING, Check, problem
from flux_cli.config import keys
from flux_cli.config.credentials import key_form
from flux_cli.config.folders import user_folder
from flux_cli.core.errors import AuthError, FluxError, NetworkError, PaymentError
from flux_cli.http.client import Http
from flux_cli.http.errors import unusable_proxy_error
from flux_cli.http.machine.probe import probe
from flux_cli.http.machine.proxies import read_proxies
from flux_cli.http.trust import host_and_port
from flux_cli.providers.account import question_url
from flux_cli.runs import event_loop
from flux_cli.runs.spending.access import find_access

if TYPE_CHECKING:
    from flux_cli.config.load import Settings
    from flux_cli.core.auth import Auth
    from flux_cli.http.machine.proxies import Proxy

SECONDS = 4.0  # for each step: a machine without a network must not wait long
SKIPPED = "not checked (--no-network)"


def check_provider(settings: Settings, *, network: bool) -> list[Check]:
    """The key and the network. The key goes only to its provider, with a request that is free."""
    row = settings.provider
    if not row.hosted:
        return [Check("network", OK, f"provider {row.name} needs none")]
    if not network:
        return [_check_key(settings, SKIPPED), Check("network", OK, SKIPPED)]
    ways = _check_network(settings.base_url)
    is_reached = all(check.state != PROBLEM for check in ways)
    return [_check_key(settings, "" if is_reached else "not checked without a network"), *ways]


def _check_key(settings: Settings, reason: str) -> Check:
    """The key: whether there is one, from where, and whether it is good.

    It is not sent if there is a `reason`.
    """
    row = settings.provider
    try:
        auth = find_access(settings)
    except FluxError as fault:
        return problem("key", fault)
    if not row.key_variables:
        return Check("key", OK, f"provider {row.name} needs none")
    if auth is None or auth.key is None:
        hint = f"flux login --provider {row.name}"
        return Check("key", PROBLEM, f"no key: {row.key_variables[0]} is not set", hint)
    place = f"{auth.variable} for {row.name}, from {_source(settings, auth)}"
    if not question_url(row, settings.base_url):
        return Check("key", OK, f"{place}; not checked: no documented way to do that for free")
    if reason:
        return Check("key", OK, f"{place}; {reason}")
    return _asked(settings, auth, place)


def _asked(settings: Settings, auth: Auth, place: str) -> Check:
    row = settings.provider
    try:
        about = ask_account(settings, auth, SECONDS)
    except AuthError as fault:
        hint = f"flux login --provider {row.name}; keys: {row.page}"
        return Check("key", PROBLEM, f"{place}; refused: {fault.message}", hint)
    except PaymentError as fault:
        return Check("key", PROBLEM, f"{place}; {fault.message}", fault.hint)
    except FluxError as fault:
        return Check("key", WARNING, f"{place}; not checked: {fault.message}", fault.hint)
    return Check("key", OK, f"{place}; accepted{about and ', '}{about}")


def _source(settings: Settings, auth: Auth) -> str:
    form = key_form(settings.provider)
    _, source = keys.find(auth.variable, user_folder(), form=form)
    return "the environment" if source == auth.variable else source


def _check_network(url: str) -> list[Check]:
    """The way to a server: its proxy if there is one, and whether it answers."""
    host = host_and_port(url)
    try:
        proxies = read_proxies()
        proxy = proxies.choose_for(url)
    except ValueError as fault:
        return [problem("proxy", unusable_proxy_error(str(fault), "it is not the URL of a proxy"))]
    notes = [
        f"{note.parameter} {note.asked!r} is ignored: {note.reason}" for note in proxies.notes()
    ]
    checks = [Check("proxy", WARNING, text, "check NO_PROXY and the proxy") for text in notes]
    checks.append(Check("proxy", OK, _proxy_text(proxy)))
    try:
        way = "" if proxy else f"{probe(url, SECONDS)}, "
        status = event_loop.run(_status(url))
    except FluxError as fault:
        if isinstance(fault, NetworkError) or fault.status is None:
            return [*checks, problem("network", fault)]
        status = fault.status
    return [*checks, Check("network", OK, f"{host} answers: {way}HTTP status {status}")]


def _proxy_text(proxy: Proxy | None) -> str:
    if proxy is None:
        return "none"
    login = ", with a login" if proxy.login else ""
    return f"{proxy.origin} ({proxy.variable}){login}"


async def _status(url: str) -> int:
    """The status of an answer to a request without a key."""
    async with Http(timeout=SECONDS, retries=0, folder=None) as http:
        reply = await http.get(url, None)
    return reply.status
