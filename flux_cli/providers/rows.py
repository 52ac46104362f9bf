"""The table of all providers, and the protocol each of them speaks.

A protocol is a class with two methods. Timeouts, retries and keys are handled in `http`.
"""

from __future__ import annotations

from flux_cli.catalog.find import read_servers
from flux_cli.core.errors import ConfigError, UsageError, did_you_mean
from flux_cli.core.model import UNKNOWN_PRICE, ProviderRow
from flux_cli.core.values import shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from flux_cli.core.auth import Auth
    from flux_cli.core.model import Dialect, Model, Size
    from flux_cli.core.outcome import Media, Reply
    from flux_cli.core.request import Call, Post, Request
    from flux_cli.http.client import Http
else:
    Protocol = object  # importing `typing` would double the time of a lookup


# Protocols that have the name of the model in the path of the URL, and the most parts between its
# slashes (None: any number).
IN_PATH = {"bfl": None, "fal": None, "replicate": 2}
PATH_MARKS = "-._~@+/:"  # what such a name may have beside letters and digits of ASCII
MODEL_HINT = "write the name as the provider does, such as owner/name or owner/name:version"


class Provider(Protocol):
    """Writes requests to one kind of server and reads its answers."""

    def request(self, call: Call) -> Post:
        """The HTTP request of one call. Pure."""

    async def images(self, reply: Reply, http: Http) -> Sequence[Media]:
        """The images of a good reply, at least one. Raises a FluxError if the reply has none."""


ROWS: Mapping[str, ProviderRow] = {
    row.name: row
    for row in (
        ProviderRow(
            name="lumenfall",
            protocol="openai",
            base_url="https://api.lumenfall.ai/openai/v1",
            key_variables=("LUMENFALL_API_KEY",),
            page="https://lumenfall.ai/app/api_keys",
            estimates=True,
            url_setting="lumenfall_base_url",
            history=True,
        ),
        ProviderRow(
            name="bfl",
            protocol="bfl",
            base_url="https://api.bfl.ai",
            key_variables=("BFL_API_KEY",),
            key_header="x-key",
            key_prefix="",
            page="https://dashboard.bfl.ai",
            hosts=("*.bfl.ai",),
            in_flight=24,
        ),
        ProviderRow(
            name="fal",
            protocol="fal",
            base_url="https://queue.fal.run",
            key_variables=("FAL_KEY", "FAL_API_KEY"),
            key_prefix="Key ",
            page="https://fal.ai/dashboard/keys",
            hosts=("fal.run", "queue.fal.run"),
        ),
        ProviderRow(
            name="replicate",
            protocol="replicate",
            base_url="https://api.replicate.com/v1",
            key_variables=("REPLICATE_API_TOKEN", "REPLICATE_API_KEY"),
            page="https://replicate.com/account/api-tokens",
            hosts=("api.replicate.com",),
        ),
        # Any OpenAI-compatible server. No other provider's key is sent to a URL that people type.
        ProviderRow(
            name="openai",
            protocol="openai",
            base_url="",
            key_variables=("FLUX_API_KEY",),
            server="compatible",
        ),
        ProviderRow(
            name="openai.com",
            protocol="openai",
            base_url="https://api.openai.com/v1",
            key_variables=("OPENAI_API_KEY",),
            page="https://platform.openai.com/api-keys",
            url_setting="openai_base_url",
            server="openai",
        ),
        ProviderRow(
            name="together",
            protocol="openai",
            base_url="https://api.together.xyz/v1",
            key_variables=("TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHERAI_API_KEY"),
            page="https://api.together.ai/settings/api-keys",
            server="together",
        ),
        # Servers on your own machine, at their usual ports
        ProviderRow("localai", "openai", "http://localhost:8080/v1", (), server="localai"),
        ProviderRow("sdcpp", "openai", "http://localhost:1234/v1", (), server="sdcpp"),
        ProviderRow("vllm", "openai", "http://localhost:8000/v1", (), server="vllm"),
        ProviderRow("sglang", "openai", "http://localhost:30000/v1", (), server="sglang"),
        # Sketches drawn on this machine, in this process; the URL is never used
        ProviderRow("offline", "openai", "http://offline.invalid/openai/v1", (), hosted=False),
    )
}


def connect(row: ProviderRow, base: str, auth: Auth | None) -> Provider:
    """The provider of a row, at the URL `base`, with the key `auth`."""
    if row.protocol == "bfl":
        from flux_cli.providers.bfl import BFL

        return BFL(base, auth)
    if row.protocol == "fal":
        from flux_cli.providers.fal import Fal

        return Fal(base, auth)
    if row.protocol == "replicate":
        from flux_cli.providers.replicate import Replicate

        return Replicate(base, auth)
    from flux_cli.providers.openai import OpenAI

    return OpenAI(base, auth)


def check_model(row: ProviderRow, name: str) -> None:
    """Raise UsageError for what cannot be the name of a model at a provider.

    In a URL, some characters change the path or add a query. Such a name, perhaps from the
    flux.toml of a stranger, would reach another model or tell another server of the image.
    """
    reason = ""
    if not name.isprintable() or name != name.strip():
        reason = "has control characters, or blanks around it"
    elif row.protocol in IN_PATH:
        reason = _reason_against_path(name, IN_PATH[row.protocol])
    if reason:
        raise _bad_name(name, reason)


def check_path(name: str) -> None:
    """Raise UsageError for what cannot be the name of a model at the end of a URL."""
    if reason := _reason_against_path(name, None):
        raise _bad_name(name, reason)


def _bad_name(name: str, reason: str) -> UsageError:
    return UsageError(f"the model name {str(shorten(name))!r} {reason}", hint=MODEL_HINT)


def _reason_against_path(name: str, most_parts: int | None) -> str:
    """Why a name cannot be the end of the path of a URL; "" if it can."""
    for char in name:
        if not (char.isascii() and (char.isalnum() or char in PATH_MARKS)):
            return f"has {char!r}, which no model at this provider has"
    parts = name.split("/")
    words = name.replace(":", "/").split("/")
    if any(word in ("", ".", "..") for word in words):
        return "has a part that is empty or made of dots"
    if most_parts and len(parts) > most_parts:
        return f"has more than {most_parts} parts"
    if ":" in "".join(parts[:-1]) or name.count(":") > 1:
        return "has a version that is not at its end"
    return ""


def dialect_of(row: ProviderRow, model: Model | None) -> Dialect | None:
    """How this provider takes the parameters; None if each is sent under its own name.

    Raises UsageError if flux does not know how to use the model at this provider.
    """
    is_elsewhere = bool(model and not model.on_gateway and row.estimates)
    if row.protocol == "openai" and not is_elsewhere:
        return _server(row) if row.server else None
    if model is None:
        return None
    if row.protocol not in model.dialects:
        others = ", ".join(model.dialects) or "lumenfall"
        message = f"flux does not support {model.id} at {row.name}"
        raise UsageError(message, hint=f"use --provider with one of these: {others}")
    return model.dialects[row.protocol]


def _server(row: ProviderRow) -> Dialect:
    servers = read_servers()
    if row.server not in servers:
        hint = did_you_mean(row.server, servers) or f"known: {', '.join(servers)}"
        message = f"provider {row.name} names an unknown kind of server {row.server!r}"
        raise ConfigError(message, hint=hint)
    return servers[row.server]


def most_in_flight(row: ProviderRow, dialect: Dialect | None) -> int:
    """How many requests a provider accepts at once, at most, for this model."""
    return (dialect.in_flight if dialect else None) or row.in_flight


def unit_price(
    row: ProviderRow,
    model: Model | None,
    dialect: Dialect | None,
    route: str | None,
    size: Size | None,
    request: Request | None = None,
) -> float | None:
    """USD per image of a size at a provider, as far as the catalog knows; None if unknown.

    Sketches are free. The price of a model is that of the gateway, unless a route has its own.
    Prices of other providers are in their dialects. The references of a `request` are billed, too.
    """
    if not row.hosted:
        return 0.0
    price = UNKNOWN_PRICE
    if dialect is not None:
        price = dialect.price
    elif model and row.estimates:
        price = model.price_of(route)
    if request is None or request.taken is None:
        return price.usd(size)
    with_references = request.taken.price
    price = price if with_references == UNKNOWN_PRICE else with_references
    return price.usd(size, [one.pixels for one in request.references])
