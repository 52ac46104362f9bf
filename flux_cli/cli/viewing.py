"""The options about looking at images, declared once."""

from typing import Annotated, NamedTuple, TypeAlias

import typer

from flux_cli.cli.options import OUTPUT

Preview: TypeAlias = Annotated[
    bool | None,
    typer.Option(
        "--preview/--no-preview",
        rich_help_panel=OUTPUT,
        help="Show the images in the terminal [default: where somebody watches one that can; env: FLUX_PREVIEW]",
    ),
]
Sheet: TypeAlias = Annotated[
    bool, typer.Option("--sheet", rich_help_panel=OUTPUT, help="Also save one image of all images: NAME-sheet")
]
SheetOutput: TypeAlias = Annotated[
    str | None,
    typer.Option("--sheet-output", metavar="PATH", rich_help_panel=OUTPUT, help="Save that sheet under this name"),
]


class Viewing(NamedTuple):
    """What was typed about looking at the images."""

    preview: Preview = None
    sheet: Sheet = False
    sheet_output: SheetOutput = None
