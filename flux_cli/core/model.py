"""What is known about models and providers: sizes, parameters, routes, dialects, keys."""

from __future__ import annotations

import math

from flux_cli.core.lite import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeAlias

    Pixels: TypeAlias = tuple[int, int]  # width and height

# The words that model files may use, checked by catalog.reading.
KINDS = ("string", "integer", "number", "boolean", "image")
BEHAVIORS = ("passthrough", "renamed", "converted", "emulated", "unsupported")
SPELLINGS = (
    *("", "text", "integer", "inverse", "base64", "prompt_tag"),
    *("size", "sides", "image_size", "custom_sides", "aspect_ratio"),
)
# Kinds of servers that make one image at a time, on a machine of their user: others wait there.
ONE_AT_A_TIME = ("localai", "sdcpp")
PROTOCOLS = ("openai", "bfl", "fal", "replicate")
# How references fill a field: as files of a form (of several, the field is `image[]`, or the same
# `image` repeated), in a list, in numbered fields, or a single one.
REFERENCE_SPELLINGS = ("files", "repeated", "list", "numbered", "single")

MEGAPIXEL = 1024 * 1024  # pixels, as providers count them for prices
BILLED_STEP = 16  # pixels; models make sides in such steps, so 1145x916 is less than a megapixel
# The pixels of a reference that are billed at most: larger ones are scaled down.
LARGEST_INPUT = (2048, 2048)

Json: TypeAlias = str | int | float | bool | list["Json"] | dict[str, "Json"] | None


class Size(NamedTuple):
    """One published size. `width` and `height` are nominal pixels: the provider may return more."""

    width: int
    height: int
    aspect_ratio: str  # "16:9"
    resolution: str  # "1K"
    native: tuple[int, int] | None  # pixels the upstreams are known to deliver for this shape

    @property
    def name(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def native_name(self) -> str | None:
        """The pixels that upstreams deliver, as `2752x1536`; None if they are not published."""
        return f"{self.native[0]}x{self.native[1]}" if self.native else None

    @property
    def expected(self) -> tuple[int, int]:
        """Width and height in pixels that an image of this size will have.

        Those that the upstreams deliver, if known; else the nominal ones.
        """
        return self.native or (self.width, self.height)

    @property
    def megapixels(self) -> float:
        return self.width * self.height / 1e6


class AnySize(NamedTuple):
    """The sizes in pixels that a model or a provider takes, where it does not list them."""

    step: int  # pixels; both sides are multiples of it
    min_side: int
    max_side: int | None  # None: only `max_pixels` counts
    max_pixels: int


class Price(NamedTuple):
    """What one image costs in USD: always the same, or by its megapixels, or by its resolution.

    Without any of them, the price is unknown.
    """

    per_image: float | None = None
    first_mp: float | None = None  # of the first megapixel, which is billed whole
    further_mp: float = 0.0  # of each further one, rounded up
    tiers: dict[str, float] = {}  # noqa: RUF012 - never changed; by resolution: "1K"
    input_mp: float | None = None  # of each megapixel of references; None: unknown

    def usd(self, size: Size | None, references: Sequence[Pixels] = ()) -> float | None:
        """The price of an image of this size; None if it is unknown. `size` is None if unknown.

        `references` are the sizes of the images that are sent along; each is rounded up alone.
        """
        if self.per_image is not None:
            return self.per_image
        if size is None or (references and self.input_mp is None):
            return None
        if self.first_mp is None:
            return self.tiers.get(size.resolution)
        further = _billed_megapixels(*size.expected) - 1
        most = _billed_megapixels(*LARGEST_INPUT)
        read = sum(min(most, _billed_megapixels(*pixels)) for pixels in references)
        return self.first_mp + further * self.further_mp + read * (self.input_mp or 0.0)


def _billed_megapixels(width: int, height: int) -> int:
    steps = (width // BILLED_STEP) * (height // BILLED_STEP)
    return max(1, math.ceil(steps * BILLED_STEP**2 / MEGAPIXEL))


UNKNOWN_PRICE = Price()


class Param(NamedTuple):
    """One parameter of a model: what it accepts and what the gateway does with it."""

    name: str
    kind: str
    behavior: str
    help: str
    default: Json = None
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    upstreams: tuple[str, ...] = ()  # the routes that honor it; empty: all of them
    needs: str = ""  # another parameter without which this one has no effect


class Route(NamedTuple):
    """One upstream of a gateway that serves the model."""

    name: str  # "fal"
    model: str  # the name that forces this route: "fal/flux1.1-pro-ultra"
    upstream: str  # the upstream's own name: "fal-ai/flux-pro/v1.1-ultra"
    aspect_ratios: tuple[str, ...] = ()  # ratios this upstream lists; empty: all of the model's
    price: Price = UNKNOWN_PRICE  # unknown: that of the model


class Field(NamedTuple):
    """What one provider does with one parameter: which field it is sent in, and how."""

    behavior: str
    name: str = ""  # "": nothing is sent
    spelling: str = ""  # one of SPELLINGS; "": unchanged
    choices: tuple[str, ...] = ()  # values allowed here, where they differ from the model's
    values: dict[str, str] = {}  # noqa: RUF012 - never changed; our word -> the provider's
    reason: str = ""
    required: bool = False  # always sent: the server's own default would be wrong
    by_name: bool = False  # sent as it is if the user names it with -p; flux can do the work itself


class References(NamedTuple):
    """How one model takes images as input at one provider, or one kind of server any model.

    `path` is the name of the model there if it is another one with references. `follow` are the
    fields that give the image the shape of the first reference, beside leaving out the size.
    `follows` is False where nothing does: then the size of the reference is sent.
    """

    most: int  # images of one request
    field: str = "image"
    spelling: str = "files"  # one of REFERENCE_SPELLINGS; "": they are not sent
    encoding: str = "data_uri"  # of a local file, unless it is a file of a form; or "base64"
    path: str = ""
    follow: dict[str, str] = {}  # noqa: RUF012 - never changed
    follows: bool = True
    price: Price = UNKNOWN_PRICE  # of an image made with references; unknown: as without
    min_side: int = 1  # pixels
    max_pixels: int | None = None
    max_bytes: int | None = None
    mask: str = ""  # the field of a mask; "": none is taken
    takes_urls: bool = True  # else flux downloads them


class Dialect(NamedTuple):
    """How one provider takes one model, or how one kind of server takes any model."""

    provider: str
    path: str  # the model's name or path there
    price: Price
    formats: tuple[str, ...]  # formats it makes itself
    aspect_ratios: tuple[str, ...]  # ratios it takes; empty: the model's own
    any_ratio: tuple[str, str] | None  # or every ratio between these two
    fields: dict[str, Field]
    any_size: AnySize | None = None  # sizes it takes beside the published ones
    strict: bool = False  # it refuses fields that it does not know
    in_flight: int | None = None  # the most requests at once, where the model has less than others
    references: References | None = None  # None: it takes no images as input


class Model(NamedTuple):
    """One model of the catalog."""

    id: str
    name: str
    vendor: str
    summary: str
    page: str
    price: Price
    prompt_limit: int | None  # characters; a gateway may refuse longer prompts
    aliases: tuple[str, ...]
    native_formats: tuple[str, ...]  # formats the upstreams make themselves
    default_size: str
    sizes: tuple[Size, ...]
    parameters: dict[str, Param]
    routes: tuple[Route, ...]
    dialects: dict[str, Dialect] = {}  # noqa: RUF012 - never changed
    any_size: AnySize | None = None  # sizes that the model itself makes; the gateway takes fewer
    auto_size: bool = False  # `auto` is the shape of a reference image
    references: References | None = None  # at the gateway; None: it takes no images as input
    on_gateway: bool = True
    legacy: str = ""  # what replaces it, as a sentence; "": it is current
    retires: str = ""  # the day on which the model ends, as 2026-12-01; "": not announced

    @property
    def default(self) -> Size:
        return next(size for size in self.sizes if size.name == self.default_size)

    def price_of(self, route: str | None) -> Price:
        """The price at the gateway, through this route (None: any)."""
        prices = (row.price for row in self.routes if row.name == route)
        price = next(prices, UNKNOWN_PRICE)
        return self.price if price == UNKNOWN_PRICE else price


def split_route(name: str) -> tuple[str, str | None]:
    """`fal/flux1.1-pro-ultra` -> (`flux1.1-pro-ultra`, `fal`). Without a prefix, route is None."""
    route, slash, bare = name.partition("/")
    return (bare, route) if slash else (name, None)


class ProviderRow(NamedTuple):
    """One image provider. The table of all of them is in `providers.rows`."""

    name: str
    protocol: str
    base_url: str  # "": the user must give a URL
    key_variables: tuple[str, ...]  # the first one that is set is used; (): needs no key
    key_header: str = "Authorization"  # the header that carries the key
    key_prefix: str = "Bearer "  # what stands before the key in that header
    key_scheme: str = ""  # "basic": the key is `user:password`; else it is sent as it is
    headers: tuple[tuple[str, str], ...] = ()  # sent with the key; $NAME stands for a variable
    page: str = ""  # where people get a key or add credit
    hosts: tuple[str, ...] = ()  # other hosts the key may go to, over https only
    server: str = ""  # kind of OpenAI-compatible server, see catalog/servers.toml; "": Lumenfall
    hosted: bool = True  # images come from a model and may cost money
    in_flight: int = 256  # the most requests it accepts at once, whatever --concurrency says
    estimates: bool = False  # answers `?dryRun=true` with a price; others would make an image
    url_setting: str = ""  # the setting with another URL of this provider
    history: bool = False  # lists past requests by their trace (Lumenfall's own API)

    @property
    def is_one_at_a_time(self) -> bool:
        """Whether the server makes one image at a time, perhaps without a GPU."""
        return self.server in ONE_AT_A_TIME

    @property
    def defaults(self) -> dict[str, Json]:
        """Defaults of settings that are other than usual here."""
        return {"concurrency": 1, "timeout": 3600} if self.is_one_at_a_time else {}
