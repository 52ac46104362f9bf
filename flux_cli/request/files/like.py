"""`--like FILE`: builds a request from the metadata of an image."""

from __future__ import annotations

import json
import sys
from shlex import quote

from flux_cli.core.errors import ImageError, UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.request import Note
from flux_cli.core.values import QuotedText, shorten
from flux_cli.images.formats import ALL_FORMATS
from flux_cli.images.metadata.read import read_metadata
from flux_cli.images.pixels.wholeness import examine
from flux_cli.request.dialect import refusal
from flux_cli.request.files import inputs
from flux_cli.request.size import NAMES as SHAPE
from flux_cli.request.styles.origins import mark_origin
from flux_cli.request.styles.prompts import with_missing_affixes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.core.model import Dialect, Json, Model
    from flux_cli.core.options import GenerateOptions, Input
    from flux_cli.core.request import Request, Value
    from flux_cli.images.metadata.read import Reading


IMAGES = ("image", "mask")  # in records: the images that an image was made from


class Reuse(NamedTuple):
    """Values from an image to add to a request, and notes on values that are not used.

    None means that the image does not have the value.
    """

    prompt: str | None
    model: str | None
    parameters: dict[str, Json]
    notes: tuple[Note, ...]
    images: tuple[str, ...] = ()  # the paths of the images that it was made from
    mask: str | None = None

    def add_images(self, given: Input) -> Input:
        """The images that were given, or those of the record."""
        if not self.images:
            return given
        return given._replace(image=list(self.images), mask=given.mask or self.mask)

    def supported(self, model: Model | None, dialect: Dialect | None) -> Reuse:
        """The values that the model and the provider support."""
        return drop_refused(self, model, dialect)


def read_reuse(options: GenerateOptions, given: Mapping[str, Value]) -> Reuse:
    """What `--like` adds to a command line. Raises UsageError, as `read_like` does."""
    # `--no-seed` overrides the seed of the image, as `--seed` does.
    covered: dict[str, object] = {**given, "seed": None} if options.input.no_seed else {**given}
    if options.input.image:
        covered["image"] = None
    reuse = read_like(options.input.like or "", covered)
    if reuse.prompt is None or not options.applied.name:
        return reuse
    return reuse._replace(prompt=with_missing_affixes(reuse.prompt, options.applied))


def read_like(path: str, given: Mapping[str, object]) -> Reuse:
    """The values of the image of `--like` that `given` does not override.

    The images that it was made from are looked for beside it and in the working folder, and known
    by their digests. Raises UsageError if it cannot be read, does not say how it was made, or if
    one of those images is not there.
    """
    try:
        data = inputs.read_image(path, sys.stdin.buffer if sys.stdin else None)
        reading = read_metadata(examine(data).sound)
    except ImageError as fault:
        message, hint = f"--like {path}: {fault.message}", f"name a {ALL_FORMATS} file"
        raise UsageError(message, hint=hint) from fault
    reuse = reuse_reading(reading, path, given)
    if reading.source == "flux":
        reuse = _with_images(reuse, reading.record.parameters, path, given)
    if not reading.source or not (reuse.prompt or reuse.parameters):
        message = f"--like {path}: the image does not say how it was made"
        if reading.source or reading.unread or reading.problems or reading.c2pa:
            message = f"--like {path}: flux cannot read from the image how it was made"
        raise UsageError(message, hint=f"see: flux show {quote(path)}")
    if reading.record.seed is not None or "seed" in given:
        return reuse
    reason = "it has no seed, so the result will be another image"
    note = Note("like", path, path, "default", reason, warning=True)
    return reuse._replace(notes=(*reuse.notes, note))


def reuse_reading(reading: Reading, source: str, given: Mapping[str, object]) -> Reuse:
    """The values of an image's record that `given` does not override.

    `source` names the image in the notes. From records of other programs, only prompt, seed and
    size are used, because other parameters may have another meaning. Files and URLs are never
    followed: a stranger's image must not decide what is read or downloaded.
    """
    record, is_ours = reading.record, reading.source == "flux"
    recorded: dict[str, Json] = {"size": record.size or None, "seed": record.seed}
    if is_ours:
        recorded |= record.parameters
    covered = _covered_by(given)
    kept: dict[str, Json] = {}
    notes = []
    for name, value in recorded.items():
        if value is None or name in covered:
            continue
        if name in IMAGES:
            continue
        if name == "image_prompt" or "://" in json.dumps(value):
            reason = f"a file or URL named in {source} is not followed; give it again"
            notes.append(Note(name, shorten(value), None, "ignored", reason, warning=True))
        else:
            kept[name] = QuotedText(value) if isinstance(value, str) else value  # "5" stays text
    model = record.model if is_ours else ""
    return Reuse(record.prompt or None, model or None, kept, tuple(notes))


def _with_images(
    reuse: Reuse, recorded: Mapping[str, Json], path: str, given: Mapping[str, object]
) -> Reuse:
    """The values with the images that an image was made from, unless `given` has others."""
    if "image" in given or "image" not in recorded:
        return reuse
    from flux_cli.request.references.finding import find_images  # few images have any

    images = find_images(recorded["image"], path)
    masks = find_images([recorded["mask"]], path) if "mask" in recorded else [None]
    return reuse._replace(images=tuple(images), mask=masks[0])


def drop_refused(reuse: Reuse, model: Model | None, dialect: Dialect | None) -> Reuse:
    """The values without those that the model or the provider does not support, which are noted."""
    kept = dict(reuse.parameters)
    notes = list(reuse.notes)
    for name, value in reuse.parameters.items():
        if reason := refusal(name, model, dialect, is_named=False):
            del kept[name]
            notes.append(Note(name, shorten(value), None, "ignored", reason, warning=True))
    return reuse._replace(parameters=kept, notes=tuple(notes))


def _covered_by(given: Mapping[str, object]) -> set[str]:
    """The parameters that `given` overrides.

    A size also overrides ratio and scale, and each of those overrides the size.
    """
    covered = set(given)
    if "size" in given:
        covered.update(SHAPE)
    elif covered.intersection(SHAPE):
        covered.add("size")
    return covered


def explain_reuse(
    reuse: Reuse, path: str, notes: tuple[Note, ...], request: Request, prompt: str | None
) -> tuple[Note, ...]:
    """The notes of a request made with `--like`, marking each value that came from the image."""
    taken: dict[str, Json] = dict(reuse.parameters)
    if prompt is None:
        taken["prompt"] = reuse.prompt
    if request.model == reuse.model:
        taken["model"] = reuse.model
    return (*reuse.notes, *mark_origin(notes, taken, f"as in {path}"))
