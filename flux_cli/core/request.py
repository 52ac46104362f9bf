"""The data that flows through a run.

In this order: Request, Resolved, Plan, Call, Post, Reply, Media, SavedImage, Outcome.
"""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal, TypeAlias

    from flux_cli.core.errors import FluxError
    from flux_cli.core.model import Dialect, Model, Size
    from flux_cli.core.text import Secret


class Attachment(NamedTuple):
    """A local image that the user named, read, checked and encoded as a data URI."""

    asked: str
    uri: str


Value: TypeAlias = Json | Attachment


class Request(NamedTuple):
    """What the user asked for. Parameters that were not given are not in `parameters`."""

    model: str
    parameters: dict[str, Value]
    prompt: str | None = None  # None only if none is needed (`flux resolve`)
    route: str | None = None
    output: str | None = None


class Note(NamedTuple):
    """One decision between what was asked and what is sent.

    `warning`: the result differs from what the user typed, so the note is always shown.
    """

    parameter: str
    asked: Json
    used: Json
    behavior: str  # passthrough, renamed, converted, emulated, unsupported, ignored, default
    reason: str
    warning: bool = False


class Resolved(NamedTuple):
    """A request with every default and decision made.

    `parameters` are checked values under the gateway's names, without prompt, seed and n.
    """

    request: Request
    sent_model: str
    prompt: str
    parameters: dict[str, Json]
    notes: tuple[Note, ...]
    model: Model | None = None  # None: not in the catalog
    dialect: Dialect | None = None  # how the provider takes it; None: like the gateway
    route: str | None = None
    size: Size | None = None
    aspect_ratio: str | None = None  # as it is sent, if the provider takes ratios
    n: int = 1
    seed: Json = None
    format: str | None = None  # of the files; None: as received
    quality: int | None = None
    unit_price_usd: float | None = None  # per image at this provider; None: unknown
    # Formats of the files that flux makes from every image; None: at most one file, as received.
    made: tuple[str, ...] | None = None

    @property
    def price_usd(self) -> float | None:
        """The price of the whole request in USD; None if unknown."""
        return None if self.unit_price_usd is None else self.unit_price_usd * self.n


class Call(NamedTuple):
    """One request to a provider for one image. `number` counts from 1."""

    number: int
    seed: Json
    model: str  # the model's name at the provider
    body: dict[str, Json]


class Plan(NamedTuple):
    """All calls of a run, and notes on how they were written."""

    calls: Sequence[Call]
    notes: tuple[Note, ...]


class Auth(NamedTuple):
    """A key, how it is sent, and the only places it may be sent to.

    These are the configured URL and, over https, the provider's own hosts.
    """

    key: Secret
    variable: str  # the environment variable of the key, for hints
    base: str
    header: str  # this and the next come from the provider's row
    prefix: str
    hosts: tuple[str, ...] = ()  # "api.bfl.ai", or "*.bfl.ai" for every name below it
    page: str = ""  # where people get keys and add credit, for hints


class Post(NamedTuple):
    """One call as an HTTP POST with a JSON body."""

    url: str
    body: dict[str, Json]
    auth: Auth | None = None
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed


class Stop(NamedTuple):
    """How to ask a provider to stop a job. `identity` names the job in messages."""

    method: str
    url: str
    identity: str


class Reply(NamedTuple):
    """An HTTP answer with header names in lower case.

    Long base64 texts were moved from `data` into files while they arrived. `http.replies.MARK` and
    the name of the file stand for each of them.
    """

    status: int
    headers: dict[str, str]
    data: bytes


class Facts(NamedTuple):
    """What a reply says about an image. Empty or None: the provider did not say."""

    request_id: str = ""
    provider: str = ""
    cost_usd: float | None = None
    seed: int | None = None
    revised_prompt: str = ""
    undrawn: tuple[str, ...] = ()  # words an offline sketch has no motif for


class Media(NamedTuple):
    """One image as received from a provider, in a file, before anything was done to it."""

    file: str
    facts: Facts


class SavedImage(NamedTuple):
    """One image file that was written to disk, or to standard output (`path` is "-").

    It does not hold the bytes: a run may make thousands.
    """

    path: str
    format: str
    width: int
    height: int
    size: int  # bytes
    as_received: bool  # False: decoded and encoded by flux
    facts: Facts = Facts()
    quality: int | None = None  # of a lossy file that flux encoded
    is_reduced: bool = False  # the quality was lowered, so that the file fits --max-bytes
    label: str = ""  # tells a variant from the image itself: its width, or "original"


class Outcome(NamedTuple):
    """What became of one call: saved files, or an error, or both, or neither."""

    call: Call
    saved: tuple[SavedImage, ...] = ()
    error: FluxError | None = None
    kept: tuple[str, ...] = ()  # files that already existed and were not changed
    seconds: float = 0.0
    cost_usd: float | None = None  # reported for the call; for saved files, see their facts

    @property
    def was_there(self) -> bool:
        """Whether all files already existed, so that nothing was sent."""
        return bool(self.kept) and not self.saved and not self.error


def seed_of(call: Call, facts: Facts) -> Json:
    """The seed of an image: what the provider reported, else what was requested."""
    return call.seed if facts.seed is None else facts.seed


class Event(NamedTuple):
    """One step of one call, for progress displays and logs. `detail` is for people."""

    kind: Literal["sent", "waiting", "received", "saved", "skipped", "failed"]
    number: int
    detail: str = ""
    seconds: float = 0.0
    path: str = ""
    size: int = 0  # bytes
    cost_usd: float | None = None  # of the call; `received` has it, and the first `saved` again
    request_id: str = ""
    status: int | None = None  # of a failure: the HTTP status, and the stable code
    code: str = ""
