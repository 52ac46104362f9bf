"""Asks the gateway for the price of a request. Such requests are free and make nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.config.addresses import checked_url, safe_url
from flux_cli.core.errors import FluxError, UsageError
from flux_cli.providers.answers import read_estimate
from flux_cli.providers.openai import estimate_request
from flux_cli.request.posts import provider_of
from flux_cli.runs.spending.access import find_access, is_gateway, require_key

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.config.load import Settings
    from flux_cli.core.auth import Auth
    from flux_cli.request.prepare import Prepared


def estimate_prices(prepared: Sequence[Prepared], *, no_key: bool) -> list[Prepared]:
    """The requests with the prices that the gateway estimates, for `--estimate`.

    Raises UsageError at any other provider, AuthError without a key, and the FluxError of an
    estimate that fails.
    """
    settings = prepared[0].settings
    check_estimates(settings)
    auth = find_access(settings, no_key=no_key)
    require_key(auth, settings, no_key=no_key)
    return with_estimates(prepared, auth)


def with_estimates(prepared: Sequence[Prepared], auth: Auth | None) -> list[Prepared]:
    """The requests with the prices that the gateway estimates. Raises FluxError.

    It is asked once for all requests that differ in their prompts and seeds alone.
    """
    prices: dict[str, float] = {}
    priced = []
    for one in prepared:
        key = repr((one.resolved.sent_model, one.resolved.parameters))
        if key not in prices:
            prices[key] = fetch_estimate(one, auth)
        priced.append(with_price(one, prices[key]))
    return priced


def check_estimates(settings: Settings) -> None:
    """Raise UsageError unless the server is the gateway, or the settings call it that."""
    row = settings.provider
    if not row.estimates:
        hint = "drop --estimate: only the Lumenfall gateway has estimates"
        raise UsageError(f"provider {row.name} gives no estimates", hint=hint)
    named = str(settings.values[row.url_setting].value or "")
    own = (row.base_url, checked_url(named)) if named else (row.base_url,)
    if settings.base_url not in own:
        variable = f"{row.name}_base_url".upper()
        hint = f"drop --estimate, or name the gateway in {variable}"
        message = f"{safe_url(settings.base_url)} is not known to give estimates"
        raise UsageError(message, hint=hint)


def with_price(prepared: Prepared, price: float) -> Prepared:
    """The request with this price per image in USD."""
    images = prepared.plan.calls[0].images
    resolved = prepared.resolved._replace(unit_price_usd=price / images, price_day="")
    return prepared._replace(resolved=resolved)


def fetch_estimate(prepared: Prepared, auth: Auth | None) -> float:
    """The gateway's estimate for one request, in USD.

    Raises FluxError if the request fails or the reply has no estimate.
    """
    from flux_cli.http.client import Http
    from flux_cli.runs import event_loop

    timeout, retries = prepared.settings.timeout, prepared.settings.retries
    provider = provider_of(prepared, auth)
    post = estimate_request(provider.request(prepared.plan.calls[0]))

    async def ask() -> float:
        async with Http(timeout=timeout, retries=retries, folder=None) as http:
            try:
                reply = await http.post(post)
            except FluxError as fault:
                fault.billed = fault.billed and not is_gateway(prepared.settings)
                raise
            return read_estimate(reply)

    return event_loop.run(ask())
