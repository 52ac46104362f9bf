"""`flux doctor`: check this machine, the key and the way to the provider, a line for each.

What it prints can be part of a bug report: it has no keys, and ~ in place of the home folder.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from flux_cli.commands.setup.account import with_provider, without_home
from flux_cli.commands.setup.checks import PROBLEM, WARNING, Check, check_machine
from flux_cli.commands.setup.network import check_provider
from flux_cli.config.load import load_settings
from flux_cli.core.errors import FluxError, status_of
from flux_cli.core.lite import SCHEMA
from flux_cli.core.text import LONG, plain
from flux_cli.core.values import counted
from flux_cli.providers.rows import ROWS
from flux_cli.terminal import streams

if TYPE_CHECKING:
    from flux_cli.core.model import Json


def run(*, provider: str | None, network: bool, as_json: bool) -> int:
    """Print all checks, and return 1 if one of them found a problem.

    Raises UsageError for an unknown provider.
    """
    checks = list(map(_public, [*check_machine(), *_checks_of_provider(provider, network=network)]))
    code = int(any(check.state == PROBLEM for check in checks))
    if as_json:
        listed: list[Json] = [{**check._asdict(), "hint": check.hint or None} for check in checks]
        document: dict[str, Json] = {"schema": SCHEMA, "status": status_of(code)}
        streams.out_json(document | {"exit_code": code, "checks": listed})
        return code
    width = max(len(check.name) for check in checks)
    for check in checks:
        streams.say(f"{check.state:<7}  {check.name:<{width}}  {check.message}")
        if check.hint:
            streams.say(f"{'':<7}  {'':<{width}}  hint: {check.hint}")
    streams.say(_summary(checks))
    return code


def _checks_of_provider(provider: str | None, *, network: bool) -> list[Check]:
    """The checks of key and network. Settings that cannot be used do not say whom to ask."""
    try:
        settings = load_settings({}, ROWS)
    except FluxError:
        return [Check("network", WARNING, "not checked: correct the settings first")]
    settings = with_provider(settings, provider)
    if settings.provider.hosted and not settings.base_url:
        return [Check("network", WARNING, "this provider needs a URL", "set FLUX_BASE_URL")]
    return check_provider(settings, network=network)


def _public(check: Check) -> Check:
    """The check without keys, line breaks, and the home folder."""
    message, hint = (without_home(plain(text, LONG)) for text in (check.message, check.hint))
    return check._replace(message=message, hint=hint)


def _summary(checks: list[Check]) -> str:
    counts = Counter(check.state for check in checks)
    if not counts[PROBLEM] and not counts[WARNING]:
        return "nothing is wrong"
    return f"{counted(counts[PROBLEM], 'problem')}, {counted(counts[WARNING], 'warning')}"
