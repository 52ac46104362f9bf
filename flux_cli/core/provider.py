"""The noun for a provider: who is asked, where, with which key, in which protocol."""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple


class ProviderRow(NamedTuple):
    """One provider as people know it."""

    name: str
    protocol: str
    base_url: str  # "": has to be given
    key_variables: tuple[str, ...]  # the first that is set counts; (): needs no key
    page: str = ""  # where people get a key or top up
    hosts: tuple[str, ...] = ()  # where the key may go over https, beside the address itself
    server: str = ""  # the kind of OpenAI-shaped server, a row of catalog/servers.toml; "": the gateway
    hosted: bool = True  # images come from a model and may cost money
    in_flight: int = 256  # calls it takes at once, whatever --concurrency says
    estimates: bool = False  # answers `?dryRun=true` with a price; any other server would make, and bill, an image
    history: bool = False  # lists requests by the trace they were sent with, in Lumenfall's own API
