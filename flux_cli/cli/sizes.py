"""`flux sizes`: the model's published sizes, or the one nearest to what somebody has in mind."""

from typing import Annotated

import typer

from flux_cli import console
from flux_cli.cli.options import AsJson, ModelName
from flux_cli.cli.settings import lookup
from flux_cli.core.model import Json, Model, Size
from flux_cli.core.request import Request
from flux_cli.core.resolve import resolve as resolve_request

HEADING = ("Output", "size", "or", "aspect_ratio + resolution", "megapixels", "native")


def sizes(
    shape: Annotated[
        str | None,
        typer.Argument(metavar="[RATIO|SIZE]", show_default=False, help="16:9 or 1920x1080: the nearest row"),
    ] = None,
    model: ModelName = None,
    as_json: AsJson = False,
    plain: Annotated[
        bool, typer.Option("--plain", rich_help_panel="Output", help="Print only sizes, such as 1365x768")
    ] = False,
) -> None:
    """Show a model's sizes, or the nearest one.

    Pixels are nominal: the model itself draws larger pictures of the same shape, see native.
    """
    row = lookup(model)
    note = None
    chosen: tuple[Size, ...] = row.sizes
    if shape is not None:
        resolved = resolve_request(Request(row.id, {"size": shape}), row)
        chosen = tuple(size for size in row.sizes if size == resolved.size)
        note = next(note for note in resolved.notes if note.parameter == "size")
    if plain:
        console.out("\n".join(size.name for size in chosen))
    elif as_json:
        rows: list[Json] = [_document(size) for size in chosen]
        console.out_json({"model": row.id, "asked": shape, "reason": note.reason if note else None, "sizes": rows})
    else:
        console.out(_text(row, chosen))
        if note:
            console.out(f"\n{shape}: {note.reason}")


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
    title = f"{model.id}  {tiers}  {len(model.sizes)} sizes"
    return f"{title}\n\n{console.table([HEADING, *rows], right=(4, 5))}"
