"""How an asset is made, and what its files are: model, seed, size, cost and bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.lock.rows import NO_DIGEST, Row
from flux_cli.build.planning.outcome import HIDDEN
from flux_cli.build.review.content import FileLine
from flux_cli.build.review.differences import value_text
from flux_cli.core.values import show_amount

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flux_cli.build.lock.rows import File
    from flux_cli.build.planning.cost import Priced
    from flux_cli.build.review.content import Pair
    from flux_cli.core.model import Json

SHAPES = ("size", "aspect_ratio", "resolution")  # the keys that say how large an image is
NO_ROW = Row(NO_DIGEST, NO_DIGEST)  # of an asset that was never made
SPEED = ("jpg", "jpeg", "webp", "png", "gif")  # suffixes, the fastest to decode first


def prompt_of(one: Priced, row: Row | None) -> str:
    """The prompt of an asset; "" if the lock keeps it to itself."""
    asset = one.step.asset
    if asset:
        return asset.prompt
    prompt = row.requested.get("prompt", "") if row else ""
    return "" if not isinstance(prompt, str) or prompt.startswith(HIDDEN) else prompt


def facts_of(one: Priced, row: Row | None, *, is_planned: bool) -> Iterator[Pair]:
    """Model, seed, size and cost. With `is_planned`, the request is still to be sent."""
    asset, row = one.step.asset, row or NO_ROW
    requested = asset.requested if asset else row.requested
    is_open = is_planned and one.step.is_requested
    made = NO_ROW if is_open else row
    yield "Model", value_text(requested.get("model"))
    yield "Seed", _seed(requested, made)
    yield "Size", _size(requested, made)
    yield "Cost", _planned_cost(one.usd) if is_open else cost_text(made)


def _seed(requested: Mapping[str, Json], row: Row) -> str:
    seed, made = requested.get("seed"), row.generated.get("seed")
    if row.pick and made is not None:
        return value_text(made)
    if made is not None and seed is None:
        return f"{value_text(made)}, drawn by flux"
    return "drawn by flux" if seed is None else value_text(seed)


def _size(requested: Mapping[str, Json], row: Row) -> str:
    asked = ", ".join(value_text(requested[key]) for key in SHAPES if key in requested)
    pixels = pixels_text(row.original.width, row.original.height) if row.original else ""
    return " → ".join(filter(None, (asked, pixels))) or "default of the model"


def _planned_cost(usd: float | None) -> str:
    if usd == 0:
        return "free placeholder"
    return "unknown" if usd is None else f"{show_amount(usd)} USD, not paid yet"


def cost_text(row: Row) -> str:
    """What the image of a row has cost."""
    if not row.is_made:
        return "none yet"
    if row.placeholder:
        return "free placeholder"
    cost = row.generated.get("cost_usd")
    if isinstance(cost, int | float):
        return f"{show_amount(float(cost))} USD"
    return "none, adopted" if row.adopted else "unknown"


def file_lines(row: Row | None, before: Row | None) -> Iterator[FileLine]:
    """The files of a row, with their sizes before if those differ."""
    old = before.files if before else {}
    for path, file in sorted(row.files.items()) if row else ():
        was = old.get(path)
        size, pixels = bytes_text(file.bytes), pixels_text(file.width, file.height)
        before_size = bytes_text(was.bytes) if was else size
        yield FileLine(path, pixels, size, before_size if before_size != size else "")


def pixels_text(width: int | None, height: int | None) -> str:
    """`480×268`; "" for a file that is no image."""
    return f"{width}×{height}" if width and height else ""


def bytes_text(size: int) -> str:
    """A size in units that people read: `240 kB`, `1.3 MB`."""
    if size < 1000:
        return f"{size} bytes"
    return f"{size / 1000:,.0f} kB" if size < 1_000_000 else f"{size / 1_000_000:,.1f} MB"


def shown_file(files: Mapping[str, File], side: int) -> str:
    """The file to make a thumbnail of: the smallest that is large enough. "" if there is none."""
    images = [path for path, file in files.items() if file.width and file.height]
    return min(images, key=lambda path: _rank(path, files[path], side), default="")


def _rank(path: str, file: File, side: int) -> tuple[bool, int, int, str]:
    """Large enough first, then the fewest pixels, then what is decoded fastest."""
    width, height = file.width or 0, file.height or 0
    is_small = max(width, height) < side
    pixels = width * height
    suffix = path.rpartition(".")[2]
    speed = SPEED.index(suffix) if suffix in SPEED else len(SPEED)
    return is_small, -pixels if is_small else pixels, speed, path
