"""The commands that work on images: generate, convert, show. What they do is in `commands/`."""

from typing import Annotated

from flux_cli.cli.help import examples, fills
from flux_cli.cli.options import AsJson, argument, option, takes_options
from flux_cli.cli.spellings.others import CONVERT, EDIT, SHOW
from flux_cli.core.convert_options import ConvertOptions
from flux_cli.core.options import GenerateOptions


@examples(
    'flux generate "a lighthouse by the sea"',
    'flux generate "a lighthouse by the sea" -a 16:9 -n 4 --seed 7 -o "out/{slug}-{seed}.webp"',
    'flux generate "a lighthouse by the sea" -m flux.2-pro -m flux.2-max --seed 7 --sheet',
    'flux generate "a {animal}" --var animal=fox,owl -o "{animal}.webp"',
    'flux generate "a lighthouse by the sea" --offline -o - | display',
    "flux generate @prompt.txt --dry-run --json",
)
@takes_options()
def generate(options: GenerateOptions) -> int:
    """Generate images from a prompt.

    Images are saved as files, and their paths are printed to stdout, one per line. Existing files
    are never replaced without --update or --overwrite. All options are checked before anything is
    paid for.
    """
    from flux_cli.commands.generate import run

    return run(options)


@examples(
    'flux edit photo.jpg "make it night"',
    'flux edit fox.png snow.jpg "image 1 in image 2" -n 4',
    'flux edit product.png "on a marble table" -m flux.2-max -a 4:5 -o hero.webp',
)
@takes_options(EDIT)
def edit(options: GenerateOptions) -> int:
    """Edit or combine images, as a prompt says.

    The same as flux generate --image IMAGE "PROMPT", with names beside the first image: photo.jpg
    becomes photo-SEED.jpg. The image itself is never replaced. Results have the shape of the first
    image unless --size or --aspect-ratio gives another one. Photos are sent upright and without
    metadata. Without -m, it is the configured model if that takes images, else flux.2-pro.
    """
    from flux_cli.commands.edit import run

    return run(options)


@examples(
    "flux convert photo.png -f webp",
    "flux convert photo.png -o 'card.{avif,webp}' --size 1200x630 --fit cover --max-bytes 200kB",
    "flux convert *.png -f avif -f webp --width 640 --width 1280 --html",
)
@takes_options(CONVERT)
def convert(options: ConvertOptions) -> int:
    """Convert images: change format, resize, crop, compress.

    Paths are printed to stdout, one per line. Nothing is sent anywhere, and existing files are
    never overwritten without --overwrite. Only the first frame of an animation is used. Color
    profiles, artist, copyright, density, and prompts are kept, and orientation is applied; other
    camera metadata is dropped. A note names what a format cannot hold. A file that needs no change
    is copied byte for byte.
    """
    from flux_cli.commands.convert import run

    return run(options)


def _programs() -> dict[str, str]:
    """The programs whose parameters are read."""
    from flux_cli.images.metadata.tools import READERS

    *others, last = sorted({name for name, _ in READERS}, key=str.casefold)
    return {"programs": f"{', '.join(others)} and {last}"}


@fills(_programs)
@examples(
    "flux show cat.png",
    "flux show cat.png --preview",
    "flux show cat.png --open",
    "flux show *.webp --json | jq -r '.files[].made.prompt'",
)
def show(
    files: Annotated[list[str] | None, argument("files")] = None,
    as_json: AsJson = False,
    preview: Annotated[bool, option("preview", SHOW)] = False,
    open_files: Annotated[bool, option("open_files")] = False,
) -> int:
    """Show image details and how images were made.

    Reads the metadata that flux writes, IPTC fields, and the parameters that other programs write:
    {programs}. Signed content credentials (C2PA) are reported; their signature is not verified.
    """
    from flux_cli.commands.show import run

    return run(files=files, as_json=as_json, preview=preview, open_files=open_files)
