"""The options of the finishing step, declared once for every command that makes image files."""

from typing import Annotated, NamedTuple

import typer

from flux_cli.images.formats import EFFORTS
from flux_cli.images.outputs import FITS, FOCUSES

FINISH = "Finish"


class Finishing(NamedTuple):
    """What was typed, as it was typed. None: not said."""

    fit: Annotated[
        str | None,
        typer.Option(
            "--fit",
            metavar="|".join(FITS),
            rich_help_panel=FINISH,
            help="Make files exactly --size: cover crops, contain stays inside, exact distorts",
        ),
    ] = None
    focus: Annotated[
        str | None,
        typer.Option(
            "--focus",
            metavar="PLACE",
            rich_help_panel=FINISH,
            help=f"What --fit cover keeps: {', '.join(FOCUSES)} [default: center]",
        ),
    ] = None
    upscale: Annotated[
        bool, typer.Option("--upscale", rich_help_panel=FINISH, help="Allow files larger than the image")
    ] = False
    width: Annotated[
        list[str] | None,
        typer.Option(
            "--width",
            metavar="PIXELS",
            rich_help_panel=FINISH,
            show_default=False,
            help="A derivative of that width, named {name}-{width}.{ext}; may be given again",
        ),
    ] = None
    max_bytes: Annotated[
        str | None,
        typer.Option(
            "--max-bytes",
            metavar="SIZE",
            rich_help_panel=FINISH,
            help="Lower the quality until a file has at most 200kB, 1.5MB, 2MiB",
        ),
    ] = None
    lossless: Annotated[
        bool, typer.Option("--lossless", rich_help_panel=FINISH, help="Keep every pixel as it is: png or webp")
    ] = False
    effort: Annotated[
        str | None,
        typer.Option(
            "--effort",
            metavar="|".join(EFFORTS),
            rich_help_panel=FINISH,
            help="Time spent on making files small [default: balanced]",
        ),
    ] = None
    keep_original: Annotated[
        bool,
        typer.Option(
            "--keep-original", rich_help_panel=FINISH, help="Also save the image as it came: {name}-original.{ext}"
        ),
    ] = False
    html: Annotated[
        bool, typer.Option("--html", rich_help_panel=FINISH, help="Print a <picture> element in place of the paths")
    ] = False
