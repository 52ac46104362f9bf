"""What is requested, in this order: Request, Resolved, Plan, Call, Post; then see `outcome`."""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import LARGEST_INPUT, Json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    from flux_cli.core.auth import Auth
    from flux_cli.core.model import Dialect, Model, References, Size
    from flux_cli.core.outcome import Facts
    from flux_cli.core.uploads import Body, Content


COUNTS = ("n", "num_images", "num_outputs")  # fields of bodies that ask for several images
MAX_IMAGES = 10_000  # of a run; a typing error must not plan a million paid requests
ADDRESSES = ("http://", "https://")  # how the URL of an image begins
TYPED, DRAWN, DERIVED = "typed", "drawn", "derived"  # see Plan
FORM, INSIDE = "form", "inside"  # where images are sent along: as files of a form, inside the JSON


class Attachment(NamedTuple):
    """A local image that the user named, read, checked and encoded as a data URI.

    `digest` is the SHA-256 of the file, in hex, if it is not the one of the bytes that are sent.
    """

    asked: str
    uri: str
    digest: str = ""


Value: TypeAlias = Json | Attachment


class Reference(NamedTuple):
    """An image that the user gave as input: read, checked, and stored as it is sent.

    `width` and `height` are pixels of the upright image, and `digest` is the SHA-256 of the file in
    hex. Without `content`, it is a URL that the provider reads itself.
    """

    asked: str  # as typed: a path, a URL, or - for standard input
    name: str  # of the file, without its folder
    digest: str = ""
    width: int = 0
    height: int = 0
    format: str = ""  # as it is sent
    content: Content | None = None

    @property
    def pixels(self) -> tuple[int, int]:
        """Width and height in pixels; the most that is billed if they are unknown."""
        return (self.width, self.height) if self.width else LARGEST_INPUT


class Request(NamedTuple):
    """What the user asked for. Parameters that were not given are not in `parameters`."""

    model: str
    parameters: dict[str, Value]
    prompt: str | None = None  # None only if none is needed (`flux resolve`)
    route: str | None = None
    output: str | None = None
    named: tuple[str, ...] = ()  # the parameters that were typed with -p, under their own names
    reused: tuple[str, ...] = ()  # the parameters that nobody typed: they come from --like
    references: tuple[Reference, ...] = ()  # images as input, in the order of their meaning
    mask: Reference | None = None  # the parts of the first reference to change: transparent ones
    taken: References | None = None  # how they are sent; None: there are none
    notes: tuple[Note, ...] = ()  # on how the images were read
    is_served: bool = False  # of a client of a server: its prompt may be empty, it names no file


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
    aspect_ratio: str | None = None  # as it is sent, if the provider takes ratios; see `follows`
    n: int = 1
    seeds: tuple[int, ...] = ()  # that the user named; a single one is counted up for n images
    format: str | None = None  # of the files; None: as received
    quality: int | None = None
    unit_price_usd: float | None = None  # per image at this provider; None: unknown
    price_day: str = ""  # of the gateway's schema that has this price; "": the catalog has it
    # Formats of the files that flux makes from every image; None: at most one file, as received.
    made: tuple[str, ...] | None = None

    @property
    def model_id(self) -> str:
        """The model's ID in the catalog, else its name as it is sent, without the upstream."""
        if self.model:
            return self.model.id
        return self.sent_model.removeprefix(f"{self.route}/")

    @property
    def follows(self) -> bool:
        """Whether the provider chooses the size, by the first reference."""
        return self.model is not None and self.aspect_ratio is None

    @property
    def seed(self) -> int | None:
        """The first seed that the user named; None if none was named."""
        return self.seeds[0] if self.seeds else None

    @property
    def price_usd(self) -> float | None:
        """The price of the whole request in USD; None if unknown."""
        return None if self.unit_price_usd is None else self.unit_price_usd * self.n


class Call(NamedTuple):
    """One request to a provider for one image. `number` counts from 1."""

    number: int
    seed: Json  # None: none is sent, or it is not drawn yet
    model: str  # the model's name at the provider
    body: Body
    uploads: str = ""  # FORM or INSIDE; "": the body has no images to read

    @property
    def images(self) -> int:
        """How many images the body asks for: one, unless a parameter such as `-p n=2` says so."""
        from flux_cli.core.values import read_amount  # which imports this module

        body = self.shown
        counts = [read_amount(body.get(name)) for name in COUNTS]  # servers take "4" and 4.0
        return max([1, *(int(count) for count in counts if count)])

    @property
    def shown(self) -> dict[str, Json]:
        """The body as JSON, with words in the places of images."""
        return _shown(self.body, self.uploads)


class Plan(NamedTuple):
    """All calls of a run, and notes on how they were written.

    `seed_origin` says where the seeds come from: TYPED, DRAWN (at random, not before something is
    sent), DERIVED (from the request, offline), or "" if none are sent.
    """

    calls: Sequence[Call]
    notes: tuple[Note, ...]
    seed_origin: str = ""


class Post(NamedTuple):
    """One call as an HTTP POST. The body is JSON unless `uploads` is FORM. See Call."""

    url: str
    body: Body
    auth: Auth | None = None
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed
    uploads: str = ""

    @property
    def shown(self) -> dict[str, Json]:
        """The body as JSON, with words in the places of images."""
        return _shown(self.body, self.uploads)


def _shown(body: Body, uploads: str) -> dict[str, Json]:
    if not uploads:
        return body  # type: ignore[return-value] # without images it is JSON
    from flux_cli.core.uploads import shown_body  # most requests have none

    return shown_body(body)


def add_path(base: str, path: str) -> str:
    """The URL of an endpoint below a base URL, whose query stays behind it."""
    address, mark, query = base.partition("?")
    return f"{address}{path}{mark}{query}"


def seed_ranges(calls: Sequence[Call]) -> list[list[int]]:
    """The seeds of calls as ranges, each the first and last seed; only seeds that are numbers."""
    ranges: list[list[int]] = []
    for call in calls:
        if not isinstance(call.seed, int):
            continue
        if ranges and call.seed in (ranges[-1][1], ranges[-1][1] + 1):
            ranges[-1][1] = call.seed
        else:
            ranges.append([call.seed, call.seed])
    return ranges


def seed_of(call: Call, facts: Facts) -> Json:
    """The seed of an image: what the provider reported, else what was requested."""
    return call.seed if facts.seed is None else facts.seed
