"""Reads the images of `--image` and `--mask`: each whole, checked, and stored as it is sent."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from hashlib import sha256
from pathlib import PurePath
from shlex import quote
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flux_cli.catalog.find import list_models
from flux_cli.config import folders
from flux_cli.core.errors import ImageError, UsageError
from flux_cli.core.request import ADDRESSES, Note, Reference
from flux_cli.core.values import shorten
from flux_cli.disk.scratch import Scratch
from flux_cli.http.datauri import decode_data_uri
from flux_cli.images.containers.registry import inspect, sniff
from flux_cli.images.details import describe, upright
from flux_cli.images.formats import FOREIGN, FORMATS
from flux_cli.images.pixels.wholeness import examine
from flux_cli.providers.rows import dialect_of
from flux_cli.request.files import inputs
from flux_cli.request.references.taken import check_count, check_limits, taken_by

if TYPE_CHECKING:
    from flux_cli.config.load import Settings
    from flux_cli.core.image import Inspection
    from flux_cli.core.model import Dialect, Model, ProviderRow, References
    from flux_cli.core.options import Input
    from flux_cli.core.request import Request

    Download = Callable[[str], bytes]

STDIN = "-"
MAX_MASK = 4 << 20  # bytes, as OpenAI takes them
LOSSLESS = "png"  # of an image in a format, or with frames or colors, that servers do not expect
UNUSUAL_COLORS = ("CMYK",)


def attach(
    request: Request,
    given: Input,
    settings: Settings,
    model: Model | None,
    dialect: Dialect | None,
    download: Download | None,
) -> Request:
    """The request with the images of `--image` and `--mask`.

    See `read_references` and `read_mask`. Raises UsageError for images that are not taken.
    """
    asked = given.image or []
    if not asked:
        raise UsageError("--mask is the mask of an image", hint="add --image FILE")
    taken, where = take(request, len(asked), settings, model, dialect, has_mask=bool(given.mask))
    references, notes = read_references(asked, taken, where, download)
    mask = None
    if given.mask:
        mask, mask_notes = read_mask(given.mask, references[0])
        notes += mask_notes
    return request._replace(references=references, mask=mask, taken=taken, notes=tuple(notes))


def take(
    request: Request,
    count: int,
    settings: Settings,
    model: Model | None,
    dialect: Dialect | None,
    *,
    has_mask: bool,
) -> tuple[References, str]:
    """How so many images are sent, and what messages call the model at the provider.

    Raises UsageError if they are not taken.
    """
    row = settings.provider
    where = f"{model.id if model else request.model} at {row.name}"
    taken = check_count(count, taken_by(model, dialect), where, partial(_others, row))
    if has_mask and not taken.mask:
        hint = "say in the prompt what to change, and what to keep"
        raise UsageError(f"{where} takes no mask", hint=hint)
    if not row.hosted:  # a sketch has the shape of the first image, and nothing else of it
        taken = taken._replace(spelling="", follows=False)
    if settings.image_field and taken.spelling == "files":
        taken = taken._replace(field=settings.image_field, spelling="repeated")
    return taken, where


def _others(row: ProviderRow) -> list[tuple[Model, References | None]]:
    """What the models of the catalog take at a provider, current ones first."""
    found = []
    for model in list_models(folders.model_folders()):
        with suppress(UsageError):  # the provider does not have it
            found.append((model, taken_by(model, dialect_of(row, model))))
    return sorted(found, key=lambda one: bool(one[0].legacy))


def read_references(
    asked: list[str], taken: References, where: str, download: Download | None
) -> tuple[tuple[Reference, ...], list[Note]]:
    """Read images in their order, and say what was changed about them.

    `download` fetches a URL where the provider takes files only; without it, nothing may be sent,
    and the URL stays. Raises UsageError for an image that cannot be read, is damaged, or is not
    within the limits of the model.
    """
    references, notes = [], []
    if asked.count(STDIN) > 1:
        raise UsageError("standard input is one image, not two", hint="save the others to files")
    for one in asked:
        reference, remark = _read(one, taken, download)
        if reference.width:
            check_limits(reference, taken, where)
        references.append(reference)
        notes.append(_note(reference, remark))
    return tuple(references), notes


def _note(reference: Reference, remark: str) -> Note:
    """What is sent of an image, and why."""
    asked = shorten(reference.asked)
    if reference.content is None:
        return Note("image", asked, asked, "passthrough", "the provider reads it there")
    sent = f"{reference.width}x{reference.height} {reference.format}"
    behavior = "converted" if remark else "passthrough"
    return Note("image", asked, sent, behavior, remark or "upright, and without its metadata")


def read_mask(path: str, first: Reference) -> tuple[Reference, list[Note]]:
    """Read the mask of the first reference: a PNG whose transparent parts are changed.

    Black and white become opaque and transparent, with a note. Raises UsageError for a mask that
    has another size, or marks nothing.
    """
    from flux_cli.images.pixels.mask import make_mask  # few requests have one

    if not first.width:
        message = f"the size of {first.asked} is not known, which the mask must have"
        raise UsageError(message, hint="download the image, and name the file")
    data = inputs.read_image(path, sys.stdin.buffer if sys.stdin else None)
    try:
        made = make_mask(data)
    except ImageError as fault:
        raise UsageError(f"mask {path!r}: {fault.message}", hint=fault.hint) from fault
    if (made.width, made.height) != (first.width, first.height):
        size = f"{first.width}x{first.height}"
        message = f"mask {path!r} is {made.width}x{made.height}, and {first.asked} is {size}"
        hint = f"make it as large: flux convert {quote(path)} -f png --size {size} --fit exact"
        raise UsageError(message, hint=hint)
    if len(made.data) > MAX_MASK:
        message = f"mask {path!r} has {len(made.data):,} bytes, more than {MAX_MASK >> 20} MiB"
        raise UsageError(message, hint="make it of fewer shades")
    mask = _stored(path, _name(path), sha256(data).hexdigest(), made.data)
    if made.is_inverted:
        reason = "its white parts are changed: they were made transparent"
        return mask, [Note("mask", path, mask.name, "converted", reason)]
    return mask, []


def _read(asked: str, taken: References, download: Download | None) -> tuple[Reference, str]:
    """One image, and what was changed about it."""
    if not asked.startswith(ADDRESSES):
        return _checked(asked, _name(asked), _bytes(asked))
    name = urlsplit(asked).path.rpartition("/")[2] or urlsplit(asked).netloc
    if taken.takes_urls or download is None:
        return Reference(asked, name), ""
    return _checked(asked, name, download(asked))


@cache
def _standard_input() -> bytes:
    """The image on standard input, which several requests of a run may share."""
    return inputs.read_image(STDIN, sys.stdin.buffer if sys.stdin else None)


def _bytes(asked: str) -> bytes:
    """The bytes of a file, of standard input, or of a data URI. Raises UsageError."""
    if asked == STDIN:
        return _standard_input()
    if not asked.startswith("data:"):
        return inputs.read_image(asked, None)
    try:
        return decode_data_uri(asked, inputs.MAX_IMAGE)
    except ImageError as fault:
        message = "--image: the data URI is not valid"
        raise UsageError(message, hint="give a file or a URL") from fault


def _name(asked: str) -> str:
    if asked == STDIN:
        return "standard input"
    return "data URI" if asked.startswith("data:") else PurePath(asked).name


def _checked(asked: str, name: str, data: bytes) -> tuple[Reference, str]:
    """The image as it is sent: upright, of one frame, and without metadata."""
    shown = name if asked.startswith("data:") else asked
    if sniff(data) is None:
        raise UsageError(f"image {shown!r} is not an image", hint=inputs.INPUT_HINT)
    try:
        image, sound, *_ = examine(data)
        if image.format in FOREIGN:
            raise UsageError(f"image {shown!r} is {image.format}", hint=inputs.INPUT_HINT)
        sent, remark = _sendable(image, sound)
        reference = _stored(asked, name, sha256(data).hexdigest(), sent)
    except ImageError as fault:
        raise UsageError(f"image {shown!r}: {fault.message}", hint=inputs.INPUT_HINT) from fault
    return reference, remark


def _sendable(image: Inspection, sound: bytes) -> tuple[bytes, str]:
    """The bytes to send, and what is different about them. Raises ImageError."""
    details = describe(image, sound)
    remark = ""
    if details.colors.frames != 1:
        remark = "only the first frame is sent, as PNG"
    elif not FORMATS[image.format].is_input:
        remark = f"sent as PNG, because providers do not take {image.format}"
    elif details.colors.model in UNUSUAL_COLORS:
        remark = f"sent as PNG in RGB, because providers do not expect {details.colors.model}"
    if not remark:
        return inputs.without_metadata(image, sound), ""
    from flux_cli.images.pixels.render import convert

    return convert(sound, LOSSLESS, None).data, remark


def _stored(asked: str, name: str, digest: str, sent: bytes) -> Reference:
    image = upright(inspect(sent), sent)
    size = image.width, image.height
    return Reference(asked, name, digest, *size, image.format, Scratch(sent))
