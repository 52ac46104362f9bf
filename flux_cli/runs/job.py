"""What a run needs, and who is told about it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from flux_cli.core.lite import NamedTuple
from flux_cli.core.outcome import Event, Reply
from flux_cli.runs.capacity import Disks

if TYPE_CHECKING:
    from pathlib import Path

    from flux_cli.core.outcome import Media
    from flux_cli.core.request import Plan, Resolved
    from flux_cli.images.names import Name
    from flux_cli.images.signing import Identity
    from flux_cli.providers.rows import Provider
    from flux_cli.runs.saving.delivery import Delivery
    from flux_cli.runs.saving.finish import Sink
    from flux_cli.runs.saving.saver import Ledger

Listener = Callable[[Event], None]


class Job(NamedTuple):
    """Everything a run needs, decided before the first request is sent."""

    resolved: Resolved
    plan: Plan
    names: Sequence[Name]
    provider: Provider
    provider_name: str
    hosted: bool
    sink: Sink
    ledger: Ledger
    delivery: Delivery
    concurrency: int
    kept: Mapping[int, tuple[str, ...]] = {}  # number of a call -> its files that exist already
    skip: Collection[int] = ()  # numbers of calls whose files all exist already
    traced: bool = False  # the provider's history lists requests by the trace ids that flux sends
    limit_usd: float | None = None  # no request is sent that could exceed it
    identity: Identity | None = None  # signs the files
    arrived: Mapping[int, Reply | Sequence[Media]] = {}  # what an earlier run has paid for
    temporary: str = ""  # where the earlier run kept temporary files
    strays: Sequence[str] = ()  # files of an earlier run that may hold the same images
    output_folders: Collection[Path] = ()  # where images are saved; empty: not on a disk
    disks: Disks = Disks()  # nothing is sent for which they have no room

    @property
    def request_usd(self) -> float | None:
        """What the catalog expects one request to cost, in USD; None if that is unknown."""
        price, calls = self.resolved.unit_price_usd, self.plan.calls
        return None if price is None or not calls else price * calls[0].images
