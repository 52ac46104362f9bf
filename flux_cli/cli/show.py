"""`flux show`: its options. The work is in `commands/show.py`."""

from typing import Annotated

import typer

from flux_cli.cli.options import AsJson


def show(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE…", show_default=False, help="Images; - reads one from standard input"),
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Show what images are and how they were made.

    Reads what flux writes, the fields of the IPTC, and the parameters of AUTOMATIC1111, ComfyUI, InvokeAI and others.
    That an image carries signed content credentials (C2PA) is said; the signature is not checked.
    """
    from flux_cli.commands.show import run

    return run(files=files, as_json=as_json)
