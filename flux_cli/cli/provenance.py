"""The options about how an image says how it was made, declared once."""

from typing import Annotated, NamedTuple

import typer

METADATA = "Metadata"

NoMetadata = Annotated[
    bool,
    typer.Option(
        "--no-metadata",
        rich_help_panel=METADATA,
        help="Write nothing into the image; as received means byte for byte [env: FLUX_METADATA=none]",
    ),
]
NoPromptMetadata = Annotated[
    bool,
    typer.Option(
        "--no-prompt-metadata",
        rich_help_panel=METADATA,
        help="Write all but the prompt into it [env: FLUX_METADATA=no-prompt]",
    ),
]
Sidecar = Annotated[
    bool,
    typer.Option("--sidecar", rich_help_panel=METADATA, help="Write how it was made into a .json beside the image"),
]
Like = Annotated[
    str | None,
    typer.Option(
        "--like",
        metavar="FILE",
        rich_help_panel="Parameters",
        help="HttpRequest again as for that image: its prompt, model, seed, size, …; options given here win",
    ),
]


class Metadata(NamedTuple):
    """What was typed about what is written into the files, and beside them."""

    no_metadata: NoMetadata = False
    no_prompt_metadata: NoPromptMetadata = False
    sidecar: Sidecar = False
