"""The options of the finishing step, declared once for every command that makes picture files."""

from typing import Annotated, NamedTuple

import typer

from flux_cli.core.amounts import parse_bytes, parse_choice, parse_width
from flux_cli.core.errors import UsageError
from flux_cli.core.finish import FITS, FOCUSES, Finish, check
from flux_cli.core.formats import EFFORTS
from flux_cli.core.ratio import parse_shape

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
            help=f"What --fit cover keeps: {', '.join(FOCUSES)} [default: centre]",
        ),
    ] = None
    upscale: Annotated[
        bool, typer.Option("--upscale", rich_help_panel=FINISH, help="Allow files larger than the picture")
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
            "--keep-original", rich_help_panel=FINISH, help="Also save the picture as it came: {name}-original.{ext}"
        ),
    ] = False
    html: Annotated[
        bool, typer.Option("--html", rich_help_panel=FINISH, help="Print a <picture> element in place of the paths")
    ] = False


def read_finish(said: Finishing, size: str | None, formats: tuple[str, ...], quality: str | None) -> Finish:
    """What the person wants of every picture. Raises UsageError for what makes no sense, before anything is done."""
    return check(
        Finish(
            target=parse_shape(size) if size is not None else None,
            fit=parse_choice(said.fit, FITS, "--fit") if said.fit else "none",
            focus=parse_choice(said.focus, FOCUSES, "--focus") if said.focus else "centre",
            upscale=said.upscale,
            widths=tuple(parse_width(one) for text in said.width or () for one in text.split(",")),
            formats=formats,
            quality=None if quality is None else _quality(quality),
            lossless=said.lossless,
            max_bytes=None if said.max_bytes is None else parse_bytes(said.max_bytes),
            effort=parse_choice(said.effort, EFFORTS, "--effort") if said.effort else None,
            keep_original=said.keep_original,
        )
    )


def _quality(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text[:4]) <= 100:
        return int(text)
    raise UsageError(f"output_compression {text!r} is no quality", hint="give a whole number from 0 to 100")
