"""What is known of an earlier run and of each of its requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from flux_cli.core.errors import FluxError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.outcome import Media, Reply
from flux_cli.images.names import Name

LARGEST = 1e15  # larger numbers in a journal are invalid
LATEST = 253_402_300_800.0  # seconds: the year 10000, which ISO 8601 cannot write

State = Literal["saved", "waiting", "unclear", "failed", "expired", "not_sent"]
UNRECOVERABLE = "unrecoverable"  # state of an unclear run of which that was told to the user
NEEDS_WORK: dict[str, State] = {  # state of a run -> state of a request in it, most urgent first
    "recoverable": "waiting",
    "unclear": "unclear",
    "expired": "expired",
}


class PastCall(NamedTuple):
    """One request of an earlier run.

    Its state is `waiting` if it is paid for but not saved, `unclear` if it may be paid for.
    """

    number: int
    seed: Json
    model: str
    name: Name
    sent: bool = False
    images: frozenset[str] = frozenset()  # digests of the images that it sent
    answered: bool = False
    reply: Reply | None = None  # of a request whose images are not all saved, if it was asked for
    media: tuple[Media, ...] = ()
    files: tuple[str, ...] = ()  # names of its received images in the folder of the run
    saved: tuple[str, ...] = ()
    whole: bool = False  # every image of the request is saved
    failure: dict[str, Json] | None = None  # code, message, billed, final, status, request_id
    cost_usd: float | None = None
    delivery: Json = None  # how its image becomes files, see `delivery.read_delivery`
    price_usd: float | None = None  # expected when it was sent; None: unknown
    key: str = ""  # what the caller called it, and what else it wanted to know later
    about: dict[str, Json] = {}  # noqa: RUF012 - never written to

    @property
    def state(self) -> State:
        """How far the request got."""
        failure = self.failure or {}
        if self.whole:
            return "saved"
        if failure.get("code") == "expired":
            return "expired"
        if failure.get("final"):
            return "failed"
        if self.answered or self.media:
            return "waiting"
        if failure:
            return "unclear" if failure.get("billed") else "failed"
        return "unclear" if self.sent else "not_sent"

    @property
    def is_cut(self) -> bool:
        """Whether the end of the reply is missing, without which it may lead to no image."""
        is_broken = self.reply is not None and bool(self.reply.broken)
        return is_broken and self.state == "waiting" and not self.media

    @property
    def is_damaged(self) -> bool:
        """Whether what has arrived was found not to be a complete image."""
        return (self.failure or {}).get("code") == "image"

    @property
    def is_paid(self) -> bool:
        """Whether the request cost something, or may have."""
        if self.saved or (self.failure or {}).get("billed"):
            return True
        return self.state in ("saved", "waiting", "unclear", "expired")

    @property
    def error(self) -> FluxError | None:
        """The failure of the request as the journal has it; None if there was none."""
        if self.failure is None:
            return None
        status = self.failure.get("status")
        error = FluxError(
            read_text(self.failure, "message"),
            billed=bool(self.failure.get("billed")),
            status=status if isinstance(status, int) else None,
            request_id=read_text(self.failure, "request_id"),
        )
        error.code = read_text(self.failure, "code") or FluxError.code
        return error

    @property
    def prompt(self) -> str:
        """The prompt in the record that its files get; "" if that has none."""
        delivery = self.delivery if isinstance(self.delivery, dict) else {}
        record = delivery.get("record")
        prompt = record.get("prompt") if isinstance(record, dict) else None
        return prompt if isinstance(prompt, str) else ""

    @property
    def request_id(self) -> str:
        """The provider's name for the request; "" if it gave none."""
        if self.media:
            return self.media[0].facts.request_id
        return read_text(self.failure or {}, "request_id")


class PastRun(NamedTuple):
    """One run as its journal describes it.

    `facts` is the first line: request, provider, how to save. `owners` are the processes that have
    opened the journal and not closed it, see `store.this_process`.
    """

    id: str
    facts: dict[str, Json]
    calls: tuple[PastCall, ...]
    is_over: bool = False
    damaged: int = 0  # lines that could not be read
    owners: tuple[dict[str, Json], ...] = ()
    is_told: bool = False  # to be unclear for ever: nothing can be asked about its requests

    def count(self, *states: State) -> int:
        """How many requests are in one of these states."""
        return sum(call.state in states for call in self.calls)

    @property
    def state(self) -> str:
        """One word for the run. What still needs work comes first."""
        for word, state in NEEDS_WORK.items():
            if self.count(state):
                return UNRECOVERABLE if self.is_told and word == "unclear" else word
        if not self.is_over and self.count("not_sent"):
            return "interrupted"
        saved = self.count("saved")
        if saved == len(self.calls):
            return "complete"
        if saved:
            return "partial"
        return "failed" if self.count("failed") else "interrupted"

    @property
    def cost_usd(self) -> float | None:
        """What the provider says the run cost, in USD; None where it did not say."""
        costs = [call.cost_usd for call in self.calls if call.is_paid]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

    @property
    def known_cost_usd(self) -> float:
        """What is known of the cost, in USD: requests of unknown cost are left out."""
        return sum(call.cost_usd for call in self.calls if call.is_paid and call.cost_usd)

    @property
    def prompts(self) -> tuple[str, ...]:
        """The different prompts of the run; none in a private journal."""
        found = (self.text("prompt"), *(call.prompt for call in self.calls))
        return tuple(dict.fromkeys(filter(None, found)))

    @property
    def is_private(self) -> bool:
        """Whether the journal has no prompts."""
        return is_private(self.facts)

    @property
    def began(self) -> float | None:
        """When the run began, in seconds since the epoch; None if that is missing or invalid."""
        began = read_number(self.facts.get("time"))
        return began if began is not None and began < LATEST else None

    def text(self, name: str) -> str:
        """A fact as text; "" if the journal does not have it."""
        return read_text(self.facts, name)


def is_private(facts: Mapping[str, Json]) -> bool:
    """Whether a journal with these facts in its first line has no prompts."""
    private = facts.get("private")
    return private if isinstance(private, bool) else facts.get("prompt") is None


def read_text(fields: dict[str, Json], name: str) -> str:
    """A text of a journal line; "" if it has none of that name."""
    value = fields.get(name)
    return value if isinstance(value, str) else ""


def read_number(value: Json) -> float | None:
    """A number within range; None for anything else."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value if abs(value) < LARGEST else None
