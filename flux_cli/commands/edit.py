"""`flux edit`: `flux generate` with images as arguments, and names beside them."""

from __future__ import annotations

import os
from shlex import quote
from typing import TYPE_CHECKING

from flux_cli.catalog.find import find_model
from flux_cli.commands import generate
from flux_cli.config import folders
from flux_cli.config.load import Settings, load_settings
from flux_cli.core.errors import UsageError
from flux_cli.core.request import ADDRESSES
from flux_cli.images.formats import split_suffix
from flux_cli.providers.rows import ROWS, dialect_of
from flux_cli.request.command_line import offline_flags, quoted, with_preset
from flux_cli.request.references.taken import USUAL, taken_by

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.core.model import Json
    from flux_cli.core.options import GenerateOptions

EXAMPLE = 'flux edit photo.jpg "make it night"'
NO_FILE = (*ADDRESSES, "data:")


def run(options: GenerateOptions) -> int:
    """Edit images, save the results beside the first one, and return the exit code.

    Raises what `flux generate` raises, and UsageError without an image or a prompt.
    """
    return generate.run(_as_generate(options))


def _as_generate(options: GenerateOptions) -> GenerateOptions:
    """The options of the same command line as `flux generate --image`."""
    options = with_preset(options)
    *images, prompt = options.input.prompt or [""]
    has_prompts = options.input.prompts is not None
    if has_prompts or (options.input.like and not images and not options.input.image):
        images, prompt = [*images, prompt], ""  # the prompt comes from elsewhere
    images = [*filter(None, images), *(options.input.image or ())]
    if not images or not (prompt or options.input.like or has_prompts):
        hint = f"for example {EXAMPLE}"
        raise UsageError("flux edit takes an image and a prompt", hint=hint)
    _check_files(images, prompt)
    given = options.input._replace(prompt=[prompt] if prompt else None, image=images)
    settings = load_settings(_settings_of(options), ROWS, preset=options.applied)
    chosen = options.settings
    is_chosen = chosen.model or options.input.like or "model" in options.applied.settings
    if not is_chosen and not _takes_images(settings):
        chosen = chosen._replace(model=[USUAL])
    if settings.output is None:
        # Equal commands draw equal sketches, and each run makes files of its own.
        mark = "seed" if settings.provider.hosted else "id"
        chosen = chosen._replace(output=_beside(images[0], mark))
    return options._replace(input=given, settings=chosen)


def _check_files(images: Sequence[str], prompt: str) -> None:
    """Raise UsageError for an argument that is no file, but perhaps a word of the prompt."""
    for place, image in enumerate(images):
        if image == "-" or image.startswith(NO_FILE) or os.path.lexists(image):
            continue
        if not place:
            raise UsageError(f"there is no file {image!r}", hint=f"the image is first: {EXAMPLE}")
        sentence = quoted(" ".join([*images[place:], prompt]))
        hint = f"quote the prompt: flux edit {' '.join(map(quote, images[:place]))} {sentence}"
        raise UsageError(f"there is no file {image!r}", hint=hint)


def _settings_of(options: GenerateOptions) -> dict[str, Json]:
    flags: dict[str, Json] = options.settings._asdict() | {"model": None}
    return offline_flags(flags) if options.access.offline else flags


def _takes_images(settings: Settings) -> bool:
    """Whether the configured model takes images at its provider."""
    model = find_model(settings.model, folders.model_folders())
    try:
        dialect = dialect_of(settings.provider, model)
    except UsageError:  # the provider does not have it: `prepare` says so, of the usual model
        return False
    return taken_by(model, dialect) is not None


def _beside(image: str, mark: str) -> str | None:
    """The template for names beside an image, with a field that tells them apart.

    None if the image is no file.
    """
    if image == "-" or image.startswith(NO_FILE):
        return None
    stem = split_suffix(image)[0].replace("{", "{{").replace("}", "}}")
    return f"{stem}-{{{mark}}}.{{ext}}"
