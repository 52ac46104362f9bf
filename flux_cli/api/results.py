"""What the Python interface returns: plain, frozen data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from flux_cli.core.errors import FluxError, NotSentError
from flux_cli.core.model import Json


@dataclass(frozen=True)
class Image:
    """One file that was saved.

    Several files may come from one request (formats, widths, the original): they have the same
    `index`, `seed`, `cost_usd` and `request_id`. None: unknown, or the provider did not say.
    """

    path: Path
    index: int  # of the request, from 1
    format: str
    width: int | None  # pixels
    height: int | None
    variant: str | None  # tells files of a request apart: a width, or "original"
    model: str
    seed: int | None
    cost_usd: float | None  # of the request
    revised_prompt: str | None
    request_id: str | None


@dataclass(frozen=True)
class Note:
    """One decision between what was asked and what is sent.

    `warning`: the result differs from what was asked for.
    """

    parameter: str
    asked: Json
    used: Json
    behavior: str
    reason: str
    warning: bool


@dataclass(frozen=True)
class Result:
    """What a run made. Some requests may have failed: their errors are in `errors`."""

    images: tuple[Image, ...]
    kept: tuple[Path, ...]  # files that existed and match (skip_existing, update)
    errors: tuple[FluxError, ...]
    notes: tuple[Note, ...]
    warnings: tuple[str, ...]  # what turned out differently from what was asked for
    cost_usd: float | None  # of the run; None if a paid request has no price
    run: str | None  # its name in `flux runs`; None if nothing was paid for

    def raise_for_errors(self) -> None:
        """Raise an error if a request failed: the first one that was sent."""
        for error in sorted(self.errors, key=_was_held_back):
            raise error


def _was_held_back(error: FluxError) -> bool:
    """Whether the request was not sent, because of another failure."""
    return isinstance(error, NotSentError)


@dataclass(frozen=True)
class Size:
    """One size of a model. `native_size` are the pixels that upstreams are known to deliver."""

    name: str  # "1365x768"
    width: int  # nominal pixels
    height: int
    aspect_ratio: str
    resolution: str
    megapixels: float
    native_size: str | None


@dataclass(frozen=True)
class Resolution:
    """What `generate` would send, and why. Nothing was sent."""

    provider: str
    model: str
    route: str | None
    size: Size | None  # None: unknown, or the provider chooses
    n: int
    seeds: tuple[int, ...]  # that were named
    price_usd: float | None  # of all images
    notes: tuple[Note, ...]
    url: str | None  # None: a sketch, which is not sent
    body: dict[str, Json]  # of the first request; long values are shortened
