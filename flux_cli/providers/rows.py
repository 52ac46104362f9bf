"""Dialect protocols. A provider is two methods; everything about time, retries and keys is in `http`."""

from __future__ import annotations

from flux_cli.core.provider import ProviderRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Protocol

    from flux_cli.core.model import Dialect, Model
    from flux_cli.core.request import Auth, Call, Media, Post, Reply
    from flux_cli.http.client import Http
else:
    Protocol = object  # `typing` would cost every lookup as much as the lookup itself


class Provider(Protocol):
    """How to ask one kind of server, and how to read its answers."""

    def request(self, call: Call) -> Post:
        """What is sent for one call. Pure."""

    async def images(self, reply: Reply, http: Http) -> Sequence[Media]:
        """The images of a good reply, at least one. Raises the FluxError that a bad one means."""


LUMENFALL = "https://api.lumenfall.ai/openai/v1"
OFFLINE = "http://offline.invalid/openai/v1"  # never resolved: an in-process transport answers
ROWS: Mapping[str, ProviderRow] = {
    row.name: row
    for row in (
        ProviderRow(
            "lumenfall", "openai", LUMENFALL, ("LUMENFALL_API_KEY",),
            page="https://lumenfall.ai/app/api_keys", estimates=True, history=True,
        ),
        ProviderRow(
            "bfl", "bfl", "https://api.bfl.ai", ("BFL_API_KEY",),
            page="https://dashboard.bfl.ai", hosts=("*.bfl.ai",), in_flight=24,
        ),
        ProviderRow(
            "fal", "fal", "https://queue.fal.run", ("FAL_KEY",),
            page="https://fal.ai/dashboard/keys", hosts=("fal.run", "queue.fal.run"),
        ),
        ProviderRow(
            "replicate", "replicate", "https://api.replicate.com/v1", ("REPLICATE_API_TOKEN",),
            page="https://replicate.com/account/api-tokens", hosts=("api.replicate.com",),
        ),
        # Any compatible server. FLUX_API_KEY is for it alone; the gateway's key goes to an address somebody named.
        ProviderRow("openai", "openai", "", ("FLUX_API_KEY", "LUMENFALL_API_KEY"), server="compatible"),
        ProviderRow(
            "openai.com", "openai", "https://api.openai.com/v1", ("OPENAI_API_KEY",),
            page="https://platform.openai.com/api-keys", server="openai",
        ),
        ProviderRow("together", "openai", "https://api.together.xyz/v1", ("TOGETHER_API_KEY",), server="together",
            page="https://api.together.ai/settings/api-keys"),
        ProviderRow("localai", "openai", "http://localhost:8080/v1", (), server="localai"),
        ProviderRow("sdcpp", "openai", "http://localhost:1234/v1", (), server="sdcpp"),
        ProviderRow("vllm", "openai", "http://localhost:8000/v1", (), server="vllm"),
        ProviderRow("sglang", "openai", "http://localhost:30000/v1", (), server="sglang"),
        ProviderRow("offline", "openai", OFFLINE, (), hosted=False),
    )
}  # fmt: skip


def connect(row: ProviderRow, base: str, auth: Auth | None) -> Provider:
    """The provider of a row at an address."""
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


def unit_price(row: ProviderRow, model: Model | None, dialect: Dialect | None) -> float | None:
    """USD per image at a provider, as far as the catalog knows; None if unknown. Sketches are free.

    The price of a model is the gateway's; what other providers charge is in the dialect of the model.
    """
    if not row.hosted:
        return 0.0
    if dialect is not None:
        return dialect.price_usd
    return model.price_usd if model and row.estimates else None
