"""The nouns of the catalog: what a model is, and nothing about where it was read."""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias


# The closed sets of words in model files; the reader of model files checks against them.
KINDS = ("string", "integer", "number", "boolean", "image")
BEHAVIORS = ("passthrough", "renamed", "converted", "emulated", "unsupported")
SPELLINGS = ("", "text", "integer", "base64", "size", "sides", "aspect_ratio", "prompt_tag")
PROTOCOLS = ("openai", "bfl", "fal", "replicate")

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

    def expected(self, *, hosted: bool) -> tuple[int, int]:
        """Pixels an image of this size will have: the upstreams' where they are known, and a sketch's own."""
        return (hosted and self.native) or (self.width, self.height)

    @property
    def megapixels(self) -> float:
        return self.width * self.height / 1e6


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
    """One way to the model: the gateway name that forces it, and the upstream's own name."""

    name: str  # "fal"
    model: str  # "fal/flux1.1-pro-ultra"
    upstream: str  # "fal-ai/flux-pro/v1.1-ultra"
    aspect_ratios: tuple[str, ...] = ()  # shapes this upstream lists; empty: all of the model's


class Field(NamedTuple):
    """What one provider does with one parameter: the field it is sent in, and how its value is spelled there."""

    behavior: str
    name: str = ""  # "": nothing is sent
    spelling: str = ""  # "": as it is
    choices: tuple[str, ...] = ()  # values allowed here, where they differ from the model's
    values: dict[str, str] = {}  # noqa: RUF012 - never written to; the gateway's word -> the provider's word
    reason: str = ""
    required: bool = False  # sent even if nobody asked: the server's own default is a trap


class Dialect(NamedTuple):
    """How one provider takes a model, or how one kind of server takes any: pure data for `plan`."""

    provider: str
    path: str  # the model's own name or address there
    price_usd: float | None  # an image
    formats: tuple[str, ...]  # formats it makes itself
    aspect_ratios: tuple[str, ...]  # shapes it takes; empty: the model's own
    any_ratio: tuple[str, str] | None  # or every shape between these two
    fields: dict[str, Field]


class Model(NamedTuple):
    """One row of the catalog."""

    id: str
    name: str
    vendor: str
    summary: str
    page: str
    price_usd: float | None  # an image; None: unknown
    prompt_limit: int | None  # characters after which a gateway may refuse
    aliases: tuple[str, ...]
    native_formats: tuple[str, ...]  # formats the upstreams make themselves
    default_size: str
    sizes: tuple[Size, ...]
    parameters: dict[str, Param]
    routes: tuple[Route, ...]
    dialects: dict[str, Dialect] = {}  # noqa: RUF012 - never written to

    @property
    def default(self) -> Size:
        return next(size for size in self.sizes if size.name == self.default_size)


def split_route(name: str) -> tuple[str, str | None]:
    """`fal/flux1.1-pro-ultra` -> the model's own name, and the route its prefix forces (None: no prefix)."""
    route, slash, bare = name.partition("/")
    return (bare, route) if slash else (name, None)
