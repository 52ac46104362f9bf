"""The options about how a picture says how it was made, declared once."""

from typing import Annotated

import typer

METADATA = "Metadata"

NoMetadata = Annotated[
    bool,
    typer.Option(
        "--no-metadata",
        rich_help_panel=METADATA,
        help="Write nothing into the picture: what is saved as received is, byte for byte, what was sent",
    ),
]
NoPromptMetadata = Annotated[
    bool,
    typer.Option("--no-prompt-metadata", rich_help_panel=METADATA, help="Write all but the prompt into the picture"),
]
Sidecar = Annotated[
    bool,
    typer.Option("--sidecar", rich_help_panel=METADATA, help="Write how it was made into a .json beside the picture"),
]
Like = Annotated[
    str | None,
    typer.Option(
        "--like",
        metavar="FILE",
        rich_help_panel="Parameters",
        help="Ask again as for that picture: its prompt, model, seed, size, …; options given here win",
    ),
]
