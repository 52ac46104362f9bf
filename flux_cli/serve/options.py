"""The options of `flux serve` as typed. None or empty means not given."""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple


class ServeOptions(NamedTuple):
    """How the server listens, whom it lets in, and what it may spend.

    `cors` are the origins of web pages that may send requests. `max_cost` is in USD, for all
    requests until the server ends.
    """

    host: str | None = None
    port: int | None = None
    offline: bool = False
    provider: str | None = None
    base_url: str | None = None
    model: str | None = None
    max_cost: str | None = None
    key_file: str | None = None
    cors: list[str] | None = None
    concurrency: str | None = None
    log_file: str | None = None
    verbose: bool = False
