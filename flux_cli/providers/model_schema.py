"""Fetches a gateway's schema of a model. This costs nothing, and is done only on request.

Lumenfall names the address `/v1/models/ID?schema=true` without describing the reply, and has its
images under `/openai/v1`; other gateways have one address for both.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from flux_cli.catalog.gateway.reading import read_schema
from flux_cli.core.errors import FluxError, NotFoundError, ProviderError, UsageError
from flux_cli.http.replies import BILLED_HINT, is_good, parse_json, reply_error
from flux_cli.http.trust import host_and_port

if TYPE_CHECKING:
    from flux_cli.catalog.gateway.schema import GatewaySchema
    from flux_cli.core.auth import Auth
    from flux_cli.core.model import ProviderRow
    from flux_cli.core.outcome import Reply
    from flux_cli.http.client import Http

IMAGES_PATH, NATIVE_PATH = "/openai/v1", "/v1"
SEE_CATALOG = "see the models of the catalog: flux models"


def check_schemas(row: ProviderRow) -> None:
    """Raise UsageError for a provider that cannot have schemas of models."""
    if not row.hosted:
        hint = "drop it, or name a server with --provider or --base-url"
        raise UsageError(f"--refresh needs a server, and provider {row.name} has none", hint=hint)
    if row.protocol != "openai":
        hint = "use --provider lumenfall, or --base-url for another OpenAI-compatible gateway"
        raise UsageError(f"provider {row.name} has no schemas of models", hint=hint)


def schema_addresses(base: str, model: str) -> list[str]:
    """The URLs to try, in this order. `model` must have passed `rows.check_path`."""
    address, mark, query = base.partition("?")
    native = address.removesuffix(IMAGES_PATH) + NATIVE_PATH
    places = [native, address] if address.endswith(IMAGES_PATH) else [address]
    path, rest = f"/models/{model}?schema=true", f"&{query}" if mark else ""
    return [f"{place}{path}{rest}" for place in places]


async def fetch_schema(
    base: str, model: str, auth: Auth | None, http: Http
) -> tuple[GatewaySchema, str]:
    """The schema of a model, and the URL that has it.

    Raises NotFoundError if no address knows the model, ProviderError for replies without a schema,
    and the FluxError of a request that fails.
    """
    host, is_known = host_and_port(base), False
    for url in schema_addresses(base, model):
        reply = await _get(url, auth, http)
        if not is_good(reply):
            continue
        is_known = True
        if schema := read_schema(parse_json(reply.data)):
            return schema, url
    if is_known:
        message = f"the answer of {host} names no parameters and no prices of model {model!r}"
        raise ProviderError(message, hint=SEE_CATALOG)
    raise NotFoundError(f"{host} has no schema of model {model!r}", hint=SEE_CATALOG)


async def _get(url: str, auth: Auth | None, http: Http) -> Reply:
    """A good reply, or one that says that nothing is there. Raises FluxError for others."""
    try:
        reply = await http.get(url, auth)
    except FluxError as fault:
        fault.billed = False  # `get` is made for images that are paid for
        raise
    if is_good(reply) or reply.status == HTTPStatus.NOT_FOUND:
        return reply
    error = reply_error(reply, auth, url=url)
    error.billed = False
    if error.hint == BILLED_HINT:
        error.hint = ""
    raise error
