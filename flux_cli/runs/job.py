"""What a run needs: its tasks, and its listener."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from flux_cli.core.lite import NamedTuple
from flux_cli.core.outcome import Event, Outcome, Reply
from flux_cli.runs.capacity import Disks
from flux_cli.runs.spending.budget import Rate

if TYPE_CHECKING:
    from pathlib import Path

    from flux_cli.core.errors import FluxError
    from flux_cli.core.image import Inspection
    from flux_cli.core.model import Json
    from flux_cli.core.outcome import Facts, Media
    from flux_cli.core.request import Call, Resolved
    from flux_cli.images.names import Name
    from flux_cli.images.signing import Identity
    from flux_cli.providers.rows import Provider
    from flux_cli.runs.saving.delivery import Delivery
    from flux_cli.runs.saving.finish import Sink
    from flux_cli.runs.saving.saver import Ledger
    from flux_cli.runs.spending.shared_budget import SharedBudget

Listener = Callable[[Event], None]


class Task(NamedTuple):
    """One request of a run, and how its image becomes files.

    The tasks of a run may have different models, prices and deliveries. Their calls have different
    numbers. `about` is written to the journal with the request, for the caller to find it again:
    like `key`, it holds no prompt.
    """

    call: Call
    name: Name
    delivery: Delivery
    price_usd: float | None = None  # expected per image; None: unknown
    resolved: Resolved | None = None  # what was asked for, if that differs within the run
    kept: tuple[str, ...] = ()  # its files that exist already
    is_complete: bool = False  # all its files exist already: nothing is sent
    key: str = ""  # what the caller calls it
    about: Mapping[str, Json] = {}
    arrived: Reply | Sequence[Media] | None = None  # what an earlier run has paid for

    @property
    def rate(self) -> Rate:
        """What tells the price of the request from those of others."""
        price = None if self.price_usd is None else self.price_usd * self.call.images
        return Rate(self.call.model, price)

    @property
    def title(self) -> str:
        """What a message calls it."""
        return self.key or f"request {self.call.number}"

    def outcome(self, error: FluxError | None = None) -> Outcome:
        """The outcome of the task without any file."""
        return Outcome(self.call, error=error, resolved=self.resolved, key=self.key)


class Original(NamedTuple):
    """One image of a task, exactly as the provider returned it."""

    task: Task
    data: bytes
    image: Inspection
    facts: Facts


# Stores an original where it survives the run, and returns its path. Raises DiskError. It is called
# in a thread, before files are made of the image, and maybe once more afterward.
Store = Callable[[Original], str]

# Claims a request for this run, just before it is sent. Raises FluxError if it must not be sent. It
# is called in a thread.
Claim = Callable[[Task], None]


class Job(NamedTuple):
    """Everything a run needs, decided before the first request is sent.

    `tasks` are taken one at a time, when there is room for another request. Taking one must not
    raise. `concurrency` is the most requests at once: no more than there are tasks.
    """

    tasks: Iterable[Task]
    provider: Provider
    hosted: bool
    sink: Sink
    ledger: Ledger
    concurrency: int
    traced: bool = False  # the provider's history lists requests by the trace ids that flux sends
    limit_usd: float | None = None  # no request is sent that could exceed it
    budget: SharedBudget | None = None  # the money of this job and of others; None: it has its own
    identity: Identity | None = None  # signs the files
    store: Store | None = None  # keeps the originals: images whose files cannot be made, too
    claim: Claim | None = None  # None: nobody else sends these requests
    temporary: str = ""  # where the earlier run kept temporary files
    strays: Sequence[str] = ()  # files of an earlier run that may hold the same images
    output_folders: Collection[Path] = ()  # where images are saved; empty: not on a disk
    disks: Disks = Disks()  # nothing is sent for which they have no room
