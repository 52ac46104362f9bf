"""Wire protocols. A provider is two methods; everything about time, retries and keys is in `http`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

from flux_cli.core.request import Call, Media, Post, Reply

if TYPE_CHECKING:
    from flux_cli.http import Http


class Provider(Protocol):
    """How to ask one kind of server, and how to read its answers."""

    def request(self, call: Call) -> Post:
        """What is sent for one call. Pure."""

    async def pictures(self, reply: Reply, http: "Http") -> Sequence[Media]:
        """The pictures of a good reply, at least one. Raises the FluxError that a bad one means."""


class Row(NamedTuple):
    """One provider as people know it."""

    name: str
    key_variable: str  # "": needs no key
    hosted: bool  # pictures come from a model and cost money
    estimates: bool  # answers `?dryRun=true` with a price; any other server would make, and bill, a picture


ROWS = {
    row.name: row
    for row in (
        Row("lumenfall", "LUMENFALL_API_KEY", hosted=True, estimates=True),
        Row("openai", "LUMENFALL_API_KEY", hosted=True, estimates=False),
        Row("offline", "", hosted=False, estimates=False),
    )
}
