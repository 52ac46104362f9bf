"""Fetches and saves a gateway's schema of a model, for `flux models NAME --refresh`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.catalog.gateway.saved import Saved, now, save
from flux_cli.config.folders import schema_path
from flux_cli.core.errors import AuthError, DiskError
from flux_cli.http.client import Http
from flux_cli.providers.model_schema import check_schemas, fetch_schema
from flux_cli.providers.rows import check_path
from flux_cli.runs import event_loop
from flux_cli.runs.spending.access import find_access
from flux_cli.terminal import messages

if TYPE_CHECKING:
    from flux_cli.catalog.gateway.schema import GatewaySchema
    from flux_cli.config.load import Settings

MAX_SECONDS = 30.0  # that a person waits for a lookup


def refresh(settings: Settings, model: str, *, no_key: bool) -> Saved:
    """Ask the gateway of the settings about a model, and save what it says.

    Raises UsageError for a provider or a model that cannot have a schema, and the FluxError of a
    request that fails. A file that cannot be written is only a note.
    """
    check_schemas(settings.provider)
    check_path(model)
    schema, source = _fetch(settings, model, no_key=no_key)
    saved = Saved(schema, model, settings.base_url, source, now())
    try:
        save(saved, schema_path(settings.base_url, model))
    except DiskError as fault:
        messages.err(f"flux: note: the schema is not saved: {fault.message}")
    return saved


def _fetch(settings: Settings, model: str, *, no_key: bool) -> tuple[GatewaySchema, str]:
    """The schema and its URL. Without a key, none is sent: the gateway says if it needs one."""
    auth = find_access(settings, no_key=no_key)
    timeout = min(settings.timeout, MAX_SECONDS)

    async def ask() -> tuple[GatewaySchema, str]:
        async with Http(timeout=timeout, retries=settings.retries, folder=None) as http:
            return await fetch_schema(settings.base_url, model, auth, http)

    try:
        return event_loop.run(ask())
    except AuthError as fault:
        row = settings.provider
        if not no_key and auth is None and row.key_variables:
            page = f" (keys: {row.page})" if row.page else ""
            fault.hint = f"export {row.key_variables[0]}=...{page}"
        raise
