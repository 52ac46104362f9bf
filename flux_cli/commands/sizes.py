"""`flux sizes`: the sizes of a model, or the one closest to a given size or ratio."""

from __future__ import annotations

from flux_cli.core.errors import UsageError
from flux_cli.core.lite import SCHEMA
from flux_cli.core.model import MEGAPIXEL
from flux_cli.request.lookup import lookup, sizes_for
from flux_cli.request.size import choose
from flux_cli.terminal.streams import document_text, listing, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import AnySize, Json, Model, Size
    from flux_cli.core.request import Note, Value

HEADING = ("Output", "size", "or", "aspect_ratio + resolution", "megapixels", "native")


def run(*, shape: list[str] | None, model: str | None, as_json: bool, plain: bool) -> None:
    """Print the sizes as a table, as JSON, or one per line.

    A shape may be several words, as in the table: `1183 × 887`. Raises UsageError for an unknown
    model or an invalid shape.
    """
    say(_answer(" ".join(shape) if shape else None, model, as_json=as_json, plain=plain))


def _answer(shape: str | None, name: str | None, *, as_json: bool, plain: bool) -> str:
    if plain and as_json:
        message = "--plain and --json both write to standard output"
        raise UsageError(message, hint="use only one of them")
    model = lookup(name)
    sizes, note = sizes_for(model, shape)
    if plain:
        return "\n".join(size.name for size in sizes)
    if as_json:
        return document_text(_document(model, sizes, shape, note))
    parts = [_text(model, sizes)]
    if note and not _is_shown(note.asked, sizes):
        is_said = str(note.asked) in note.reason
        parts.append(note.reason if is_said else f"{note.asked}: {note.reason}")
    free = _free_sizes(model)
    if free:
        parts.append("\n".join(_free_line(model, name, shape) for name in free))
    return "\n\n".join(parts)


def _is_shown(asked: Json, sizes: tuple[Size, ...]) -> bool:
    """Whether a row of the table already shows what was asked for."""
    return any(asked in (size.name, size.aspect_ratio) for size in sizes)


def _free_sizes(model: Model) -> dict[str, AnySize]:
    """The limits of providers that take any size, by their names."""
    rows = model.dialects.values()
    return {row.provider: row.any_size for row in rows if row.any_size is not None}


def _free_line(model: Model, provider: str, shape: str | None) -> str:
    """What a provider takes, or what it makes of a shape."""
    if shape is not None:
        given: dict[str, Value] = {"size": shape, "aspect_ratio": None, "resolution": None}
        size, *_ = choose(given, model, model.dialects[provider])
        return f"{provider}: {size.name}"
    free = _free_sizes(model)[provider]
    sides = f"at least {free.min_side}"
    if free.max_side is not None:
        sides = f"{free.min_side} to {free.max_side}"
    most = f"{free.max_pixels / MEGAPIXEL:.3g} megapixels"
    return (
        f"{provider}: any size in steps of {free.step}, with sides of {sides} pixels, up to {most}"
    )


SIZE: dict[str, object] = {
    "size": "text",
    "width": "integer",
    "height": "integer",
    "aspect_ratio": "text",
    "resolution": "text",
    "megapixels": "number",
    "native_size": "text?",
}
SIZE_TABLE: dict[str, object] = {
    "schema": (SCHEMA,),
    "model": "text",
    "asked": "text?",
    "reason": "text?",
    "sizes": ["#size"],
    "free_sizes": {
        "...": {
            "step": "integer",
            "min_side": "integer",
            "max_side": "integer?",
            "max_pixels": "integer",
        }
    },
}


def _document(
    model: Model, sizes: tuple[Size, ...], asked: str | None, note: Note | None
) -> dict[str, Json]:
    listed: list[Json] = [_size_document(size) for size in sizes]
    free: dict[str, Json] = {name: limits._asdict() for name, limits in _free_sizes(model).items()}
    return {
        "schema": SCHEMA,
        "model": model.id,
        "asked": asked,
        "reason": note.reason if note else None,
        "sizes": listed,
        "free_sizes": free,
    }


def _size_document(size: Size) -> dict[str, Json]:
    return {
        "size": size.name,
        "width": size.width,
        "height": size.height,
        "aspect_ratio": size.aspect_ratio,
        "resolution": size.resolution,
        "megapixels": round(size.megapixels, 2),
        "native_size": size.native_name,
    }


def _text(model: Model, sizes: tuple[Size, ...]) -> str:
    tiers = ", ".join(dict.fromkeys(size.resolution for size in model.sizes))
    count = f"{len(sizes)} of " if len(sizes) < len(model.sizes) else ""
    title = f"{model.id}  {tiers}  {count}{len(model.sizes)} sizes"
    return f"{title}\n\n{listing([HEADING, *map(_row, sizes)], right=(4, 5))}"


def _row(size: Size) -> tuple[str, ...]:
    return (
        f"{size.width} × {size.height}",
        f'"{size.name}"',
        "or",
        f'"{size.aspect_ratio}" + "{size.resolution}"',
        f"{size.megapixels:.2f}",
        f"{size.native[0]} × {size.native[1]}" if size.native else "-",
    )
