"""What `flux sizes` answers: a model's published sizes, or the one nearest to what somebody has in mind."""

from __future__ import annotations

from flux_cli.core.errors import UsageError
from flux_cli.core.lite import SCHEMA
from flux_cli.core.request import Request
from flux_cli.request.prepare import lookup
from flux_cli.request.resolve import resolve
from flux_cli.terminal.streams import document_text, listing, say

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Json, Model, Size

HEADING = ("Output", "size", "or", "aspect_ratio + resolution", "megapixels", "native")


def run(*, shape: list[str] | None, model: str | None, as_json: bool, plain: bool) -> None:
    """Print the sizes as a table, as JSON or as plain words. Raises UsageError for no shape and no known model.

    A shape may be several words: `1183 × 887`, as the table itself spells it.
    """
    say(_answer(" ".join(shape) if shape else None, model, as_json=as_json, plain=plain))


def _answer(shape: str | None, model: str | None, *, as_json: bool, plain: bool) -> str:
    if plain and as_json:
        raise UsageError("--plain and --json both want standard output", hint="give one of the two")
    row = lookup(model)
    note = None
    chosen: tuple[Size, ...] = row.sizes
    if shape is not None:
        resolved = resolve(Request(row.id, {"size": shape}), row)
        chosen = tuple(size for size in row.sizes if size == resolved.size)
        note = next(note for note in resolved.notes if note.parameter == "size")
    if plain:
        return "\n".join(size.name for size in chosen)
    if as_json:
        rows: list[Json] = [_document(size) for size in chosen]
        reason = note.reason if note else None
        return document_text({"schema": SCHEMA, "model": row.id, "asked": shape, "reason": reason, "sizes": rows})
    text = _text(row, chosen)
    said = [text for size in chosen for text in (size.name, size.aspect_ratio)]  # by the row itself
    return f"{text}\n\n{shape}: {note.reason}" if note and note.asked not in said else text


def _document(size: Size) -> dict[str, Json]:
    return {
        "size": size.name,
        "width": size.width,
        "height": size.height,
        "aspect_ratio": size.aspect_ratio,
        "resolution": size.resolution,
        "megapixels": round(size.megapixels, 2),
        "native_size": f"{size.native[0]}x{size.native[1]}" if size.native else None,
    }


def _text(model: Model, chosen: tuple[Size, ...]) -> str:
    rows = [
        (
            f"{size.width} × {size.height}",
            f'"{size.name}"',
            "or",
            f'"{size.aspect_ratio}" + "{size.resolution}"',
            f"{size.megapixels:.2f}",
            f"{size.native[0]} × {size.native[1]}" if size.native else "-",
        )
        for size in chosen
    ]
    tiers = ", ".join(dict.fromkeys(size.resolution for size in model.sizes))
    count = f"{len(chosen)} of " if len(chosen) < len(model.sizes) else ""
    title = f"{model.id}  {tiers}  {count}{len(model.sizes)} sizes"
    return f"{title}\n\n{listing([HEADING, *rows], right=(4, 5))}"
