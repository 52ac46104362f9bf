"""What flux knows about a provider: its address, its protocol, and how its key travels."""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple


class ProviderRow(NamedTuple):
    """One image provider. The table of all of them is in `providers.rows`."""

    name: str
    protocol: str
    base_url: str  # "": the user must give a URL
    key_variables: tuple[str, ...]  # the first one that is set is used; (): needs no key
    key_header: str = "Authorization"  # the header that carries the key
    key_prefix: str = "Bearer "  # what stands before the key in that header
    page: str = ""  # where people get a key or add credit
    hosts: tuple[str, ...] = ()  # other hosts the key may go to, over https only
    server: str = ""  # kind of OpenAI-compatible server, see catalog/servers.toml; "": Lumenfall
    hosted: bool = True  # images come from a model and may cost money
    in_flight: int = 256  # the most requests it accepts at once, whatever --concurrency says
    estimates: bool = False  # answers `?dryRun=true` with a price; others would make an image
    history: bool = False  # lists past requests by their trace (Lumenfall's own API)
