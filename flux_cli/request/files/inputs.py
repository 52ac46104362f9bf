"""Reads prompts and images from files and standard input, whole and within a size limit."""

import os
import stat
import struct
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shlex import quote
from typing import BinaryIO, TextIO

from flux_cli.core.errors import ImageError, UsageError
from flux_cli.core.image import Inspection
from flux_cli.core.request import ADDRESSES, Attachment, Value
from flux_cli.core.text import decode_text
from flux_cli.core.values import parse_value
from flux_cli.http.datauri import data_uri
from flux_cli.images.containers.registry import sniff
from flux_cli.images.formats import FOREIGN, FORMATS, join_or, split_suffix
from flux_cli.images.pixels.wholeness import examine
from flux_cli.request.command_line import quoted

MAX_ATTACHMENT = 20 << 20  # bytes; upstreams refuse larger image inputs
MAX_IMAGE = 256 << 20  # bytes
MAX_PROMPT = 1 << 20  # bytes
MAX_PROMPTS = 64 << 20  # bytes of a file with several
TURNED_QUALITY = 95  # of an input image that is encoded anew
# Programs that make a PNG of formats that flux cannot read, where that is not ImageMagick.
TO_PNG = {
    "svg": "rsvg-convert {path} -o {png}",
    "heic": "heif-convert {path} {png}",
    "jxl": "djxl {path} {png}",
}
INPUT_HINT = "give a " + join_or(row.name for row in FORMATS.values() if row.is_input)


def read_image(path: str, stdin: BinaryIO | None) -> bytes:
    """The bytes of an image file, or of standard input for `-`.

    Raises UsageError if it cannot be read, is not an image, or is of a format in FOREIGN.
    """
    is_stdin = path == "-"
    if is_stdin and stdin is None:
        raise UsageError("standard input is closed", hint="name a file")
    stream = stdin if is_stdin else None
    data = _read(path, MAX_IMAGE, path, "name an image, or - for standard input", stream)
    if not data:
        name = "standard input" if is_stdin else path
        raise UsageError(f"{name} is empty", hint="name an image")
    found = sniff(data)
    if found is None:
        message = f"{path} is not an image that flux can read"
        raise UsageError(message, hint=f"it reads {', '.join(FORMATS)}")
    if found in FOREIGN:
        message = f"{path} is {found}, which flux cannot read"
        raise UsageError(message, hint=f"make a PNG of it: {_command_to_png(found, path)}")
    return data


def read_output(path: str) -> bytes:
    """The bytes of a file that a run would write anew. Raises UsageError if it cannot be read."""
    return _read(path, MAX_IMAGE, path, "name another file with -o")


def attach(value: Value, fetch: Callable[[str], bytes] | None = None) -> Value:
    """An image parameter: a URL or data URI as it is, a local file as a checked data URI.

    `fetch` downloads a URL where the provider takes only the image itself. Raises UsageError for
    files that are missing, too large, damaged or of another type.
    """
    if fetch and isinstance(value, str) and value.startswith(ADDRESSES):
        return attachment(value, fetch(value), is_public=True)
    if not isinstance(value, str) or value.startswith((*ADDRESSES, "data:")):
        return value
    data = _read(value, MAX_ATTACHMENT, f"image_prompt {value!r}", "give a file or a URL")
    return attachment(value, data)


def attachment(
    asked: str, data: bytes, name: str = "image_prompt", *, is_public: bool = False
) -> Attachment:
    """The checked bytes of an input image as a data URI. `name` is that of its parameter.

    Neither damage beside the pixels nor metadata is sent; the metadata of an image that `is_public`
    stays. Raises UsageError for damaged pixels and other types.
    """
    try:
        image, sound, *_ = examine(data)
        if image.format in FOREIGN or not FORMATS[image.format].is_input:
            raise UsageError(f"{name} {asked!r} is {image.format}", hint=INPUT_HINT)
        sent = sound if is_public else without_metadata(image, sound)
    except ImageError as fault:
        raise UsageError(f"{name} {asked!r}: {fault.message}", hint=INPUT_HINT) from fault
    if len(sent) > max(MAX_ATTACHMENT, len(data)):
        raise UsageError(f"{name} {asked!r} is larger than {MAX_ATTACHMENT >> 20} MiB once turned")
    uri = data_uri(sent, FORMATS[image.format].mime)
    if sent is sound:
        return Attachment(asked, uri)
    from hashlib import sha256  # takes 2 ms, and most commands name no image

    return Attachment(asked, uri, sha256(sound).hexdigest())


def without_metadata(image: Inspection, sound: bytes) -> bytes:
    """An image as people see it, without what else its file says: where it was taken, for instance.

    It is encoded anew only if it is not upright. Raises ImageError if it cannot be decoded.
    """
    from flux_cli.images.details import describe  # most commands name no image
    from flux_cli.images.metadata import strip

    if describe(image, sound).orientation == 1:
        with suppress(ValueError, IndexError, struct.error):
            return strip.without_metadata(sound, image.format)
    from flux_cli.images.pixels.render import convert  # most images are upright

    return convert(sound, image.format, TURNED_QUALITY).data


def _command_to_png(file_format: str, path: str) -> str:
    """The command that makes a PNG of a file in a format that flux cannot read."""
    name = "image" if path == "-" else path
    stem = split_suffix(name)[0]
    png = f"{stem}.png" if name != f"{stem}.png" else f"{stem}-2.png"
    command = TO_PNG.get(file_format, "magick {path} {png}")
    return command.format(path=quote(name), png=quote(png))


def read_prompt(word: str, stdin: TextIO | None) -> str:
    """The prompt that an argument stands for: `-` reads standard input, `@file` reads a file.

    Any other text is the prompt itself. Raises UsageError if it cannot be read, is longer than
    MAX_PROMPT bytes, or is neither UTF-8 nor has a byte order mark.
    """
    if word == "-":
        if stdin is None:
            raise UsageError("standard input is closed", hint="give the prompt as the argument")
        from flux_cli.request.files.piped import explained_wait  # few prompts come from there

        with explained_wait(stdin):
            data = stdin.buffer.read(MAX_PROMPT + 1)
    elif word.startswith("@") and len(word) > 1:
        path = word[1:]
        hint = f"for a prompt that begins with @, double it: {quoted('@' + word)}"
        data = _read(path, MAX_PROMPT, f"prompt file {path!r}", hint)
    else:
        return word
    if len(data) > MAX_PROMPT:
        raise UsageError(f"the prompt is longer than {MAX_PROMPT:,} bytes")
    try:
        return decode_text(data).strip()
    except UnicodeDecodeError as fault:
        raise UsageError("the prompt is not valid UTF-8", hint="convert it with iconv") from fault


def read_prompts(path: str, stdin: TextIO | None) -> str:
    """The text of a file of prompts, or of standard input for `-`, with line feeds alone.

    Raises UsageError if it cannot be read, or is not UTF-8.
    """
    named, stream = path, None
    if path == "-":
        if stdin is None:
            raise UsageError("standard input is closed", hint="name a file of prompts")
        named, stream = "standard input", stdin.buffer
    data = _read(path, MAX_PROMPTS, named, "name a file with one prompt per line", stream)
    try:
        text = decode_text(data)
    except UnicodeDecodeError as fault:
        line = fault.object[: fault.start].count(b"\n") + 1
        message = f"{named}, line {line}: not valid UTF-8"
        raise UsageError(message, hint="convert it with iconv") from fault
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_value(name: str, path: str, stdin: TextIO | None) -> Value:
    """The value of a parameter from a file, or from standard input for `-`.

    An image becomes an Attachment. JSON has its value, and any other text stays text. Raises
    UsageError if the file cannot be read, or is neither an image nor text.
    """
    hint = f"for text that begins with @, write -p {quote(f'{name}=@@{path}')}"
    stream = stdin.buffer if path == "-" and stdin else None
    data = _read(path, MAX_ATTACHMENT, f"the file {path!r} of {name}", hint, stream)
    if sniff(data):
        return attachment(f"@{path}", data, name)
    try:
        return parse_value(decode_text(data).strip())
    except UnicodeDecodeError as fault:
        message = f"the file {path!r} of {name} is neither an image nor text"
        raise UsageError(message, hint=INPUT_HINT) from fault


def _is_readable(kind: int) -> bool:
    """Whether opening the file returns at once. Folders count: opening one is a clear error."""
    return stat.S_ISREG(kind) or stat.S_ISDIR(kind)


def _read(path: str, limit: int, named: str, hint: str, stream: BinaryIO | None = None) -> bytes:
    """The bytes of a stream, else of a file. `named` is its name in error messages.

    Named pipes are not opened: they could wait for a writer forever. Raises UsageError if it cannot
    be read or has more than `limit` bytes.
    """
    try:
        if stream:
            data = stream.read(limit + 1)
        elif not _is_readable(os.stat(path).st_mode):  # noqa: PTH116 - the type of whatever a link leads to
            raise UsageError(f"{named} is not a file", hint=hint)
        else:
            with Path(path).open("rb") as file:
                data = file.read(limit + 1)
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else fault
        raise UsageError(f"{named} cannot be read: {reason}", hint=hint) from fault
    if len(data) > limit:
        raise UsageError(f"{named} is larger than {limit >> 20} MiB")
    return data
