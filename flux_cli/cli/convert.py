"""`flux convert`: its options. The work is in `commands/convert.py`."""

from typing import Annotated, NamedTuple

import typer

from flux_cli.cli.finishing import FINISH, Finishing
from flux_cli.cli.options import OUTPUT, RUN, AsJson, Overwrite, Quiet, takes_options


class Options(NamedTuple):
    """What was typed, as it was typed. None: not said."""

    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE…", show_default=False, help="Images to convert; - reads one from standard input"),
    ] = None
    size: Annotated[
        str | None,
        typer.Option("--size", "-s", metavar="WxH|W:H", rich_help_panel=FINISH, help="Pixels, or a shape, for --fit"),
    ] = None
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            rich_help_panel=OUTPUT,
            help="File, folder/, template ('{name}-small.{avif,webp}'), or - for stdout [default: beside FILE]",
        ),
    ] = None
    output_format: Annotated[
        list[str] | None,
        typer.Option(
            "--output-format",
            "--format",
            "-f",
            metavar="FORMAT",
            rich_help_panel=OUTPUT,
            show_default=False,
            help="png, jpeg, gif, webp or avif; may be given again [default: as it is]",
        ),
    ] = None
    output_compression: Annotated[
        str | None,
        typer.Option(
            "--output-compression",
            "--quality",
            "-q",
            metavar="0..100",
            rich_help_panel=OUTPUT,
            help="Quality; the same number looks the same in jpeg, webp and avif [default: 85]",
        ),
    ] = None
    alt: Annotated[
        str | None,
        typer.Option("--alt", metavar="TEXT", rich_help_panel=FINISH, help="For --html: what the image shows"),
    ] = None
    overwrite: Overwrite = False
    skip_existing: Annotated[
        bool, typer.Option("--skip-existing", rich_help_panel=OUTPUT, help="Make only files that are not there yet")
    ] = False
    as_json: AsJson = False
    quiet: Quiet = False
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", rich_help_panel=RUN, help="Show the causes behind an error")
    ] = False


@takes_options
def convert(options: Options, finishing: Finishing) -> int:
    """Make other files of images: another format, exact pixels, several widths, fewer bytes.

    Paths go to stdout, one a line. Nothing is sent anywhere, and nothing is overwritten unless you say so. An
    animation counts by its first image. Color profiles are kept and orientation is applied; what a camera noted
    stays behind. A file that needs no change is copied byte for byte.
    """
    from flux_cli.commands.convert import run

    return run(options, finishing)
