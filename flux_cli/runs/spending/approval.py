"""Approves the cost of a run: limit, price and confirmation, before the first request.

The rules are in `limits`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.config.load import ENVIRONMENT
from flux_cli.core.errors import BudgetError, FluxError
from flux_cli.runs.spending.access import is_gateway, is_remote
from flux_cli.runs.spending.limits import (
    MOST_UNPRICED,
    Bill,
    bill_of,
    check_limit,
    reason_to_confirm,
    unconfirmed,
)
from flux_cli.terminal.question import can_ask, confirm

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from flux_cli.core.request import Resolved
    from flux_cli.request.prepare import Prepared
    from flux_cli.runs.check import CheckedRun, Part


def check_cost(run: CheckedRun) -> None:
    """Check the cost, unless the gateway is going to be asked for the price. Raises BudgetError."""
    if not run.options.run.estimate and not _asks_gateway(run):
        check_bill(run)


def check_bill(run: CheckedRun, reason: str = "", *, may_ask: bool = True) -> None:
    """Raise BudgetError if the run is over its limit, or if nobody can be asked to confirm it.

    `reason` says why the price is unknown. Without `may_ask`, the terminal is not asked either.
    """
    accepts_unknown, limit = run.options.run.yes, run.settings.max_cost
    check_limit(bill_of_run(run), limit, accepts_unknown=accepts_unknown, reason=reason)
    question = needs_confirmation(run)
    if question and not (may_ask and can_ask()):
        raise unconfirmed(bill_of_run(run), question)


def check_limit_of(prepared: Sequence[Prepared], *, accepts_unknown: bool) -> None:
    """Raise BudgetError if requests that nobody has planned files for are over their limit."""
    settings = prepared[0].settings
    is_known_later = is_gateway(settings)  # a run asks for the price
    price_of = _price_without_schema if is_known_later else _price
    bill = bill_of(
        (one.resolved.n * one.plan.calls[0].images, price_of(one.resolved)) for one in prepared
    )
    check_limit(bill, settings.max_cost, accepts_unknown=accepts_unknown or is_known_later)


def _price(resolved: Resolved) -> float | None:
    return resolved.unit_price_usd


def _price_without_schema(resolved: Resolved) -> float | None:
    """The price; None if it is that of the gateway's schema: an estimate will be better."""
    return None if resolved.price_day else resolved.unit_price_usd


def approve(run: CheckedRun, *, may_ask: bool = True) -> CheckedRun:
    """Have the cost of a run approved, and return the run with the price that was found.

    If there is a limit and the catalog has no price, the gateway is asked for one. A bill that must
    be confirmed is confirmed on the terminal, or refused without `may_ask`. Raises BudgetError.
    """
    run, reason = _with_price(run)
    check_bill(run, reason, may_ask=may_ask)
    question = needs_confirmation(run)
    if question and not confirm(f"{question}. Continue?"):
        hint = "answer y, or add --yes to skip the question"
        raise BudgetError("not confirmed, so nothing was sent", hint=hint)
    return run


def needs_confirmation(run: CheckedRun) -> str:
    """Why a person must confirm the run; "" if nobody must, or --yes did."""
    if run.options.run.yes:
        return ""
    settings, bill = run.settings, bill_of_run(run)
    # The limit of a settings file is no answer to the question about this run.
    is_limited = settings.max_cost is not None and settings.values["max_cost"].rank <= ENVIRONMENT
    is_elsewhere = bill.unpriced > MOST_UNPRICED and is_remote(settings)
    threshold = settings.confirm_cost
    return reason_to_confirm(bill, threshold, is_limited=is_limited, is_remote=is_elsewhere)


def _asks_gateway(run: CheckedRun) -> bool:
    """Whether the run needs the gateway's price: it has a limit, and the catalog has no price."""
    but = run.existing.complete
    is_needed = any(_lacks_price(part, but) for part in run.parts)
    return run.settings.max_cost is not None and is_needed and is_gateway(run.settings)


def bill_of_run(run: CheckedRun) -> Bill:
    """What is about to be paid for."""
    but = run.existing.complete
    return bill_of((part.images(but), part.resolved.unit_price_usd) for part in run.parts)


def _with_price(run: CheckedRun) -> tuple[CheckedRun, str]:
    """The run with the gateway's prices if they are needed, else why there are none.

    Raises FluxError if the gateway made an image instead, or for an error with which it would
    answer the requests, too: a wrong key, an empty account.
    """
    if not _asks_gateway(run):
        return run, ""
    from flux_cli.runs.failures import stops_run
    from flux_cli.runs.spending.estimate import with_estimates

    but = run.existing.complete
    places = [place for place, part in enumerate(run.parts) if _lacks_price(part, but)]
    parts = list(run.parts)
    try:
        priced = with_estimates([parts[place].prepared for place in places], run.auth)
    except FluxError as fault:
        if fault.billed or stops_run(fault):
            raise
        return run, f"the gateway gives no estimate: {fault.message}"
    for place, prepared in zip(places, priced, strict=True):
        parts[place] = parts[place]._replace(prepared=prepared)
    return run._replace(parts=parts), ""


def _lacks_price(part: Part, but: Collection[int]) -> bool:
    """Whether an image that will be paid for has no price, or only that of the gateway's schema.

    An estimate is for this request, so it is better than that.
    """
    resolved = part.resolved
    is_open = resolved.unit_price_usd is None or bool(resolved.price_day)
    return is_open and part.images(but) > 0
