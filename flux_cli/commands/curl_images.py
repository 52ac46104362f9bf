"""Images in the curl commands of `flux resolve --curl`."""

from __future__ import annotations

import json
from pathlib import Path
from secrets import token_hex
from shlex import quote
from typing import TYPE_CHECKING

from flux_cli.core.errors import UsageError
from flux_cli.core.request import FORM
from flux_cli.core.text import disarm_json
from flux_cli.core.uploads import UPLOADED, Upload, replace_images, text_of, uploaded_images
from flux_cli.providers.uploading import Uploader
from flux_cli.terminal.messages import err

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flux_cli.core.request import Post, Reference
    from flux_cli.core.uploads import Part
    from flux_cli.providers.rows import Provider
    from flux_cli.request.prepare import Prepared

PREPARED = "flux turns images upright, drops metadata, and converts what providers do not take"
FILE_MARKS = ';,"'  # where -F ends the path of a file


def uploads_of(sent: Iterable[Post], provider: Provider) -> dict[str, Post]:
    """The uploads that requests need, each once, by the shell variables for their URLs."""
    if not isinstance(provider, Uploader):
        return {}
    images = [image for post in sent for image in uploaded_images(post.body)]
    return {_variable(image): provider.upload(image) for image in images}


def upload_line(name: str, command: str) -> str:
    """A line that uploads an image and keeps the only URL of the answer in a variable."""
    return f"{name}=$({command} | grep -o 'https*://[^\"]*')"


def json_words(post: Post) -> list[str]:
    """The body as JSON, with the images in it, or the variables that have their URLs."""
    mark = token_hex(16)

    def write(image: Upload) -> str:
        return f"{mark}{_variable(image)}:?}}" if image.encoding == UPLOADED else text_of(image)

    body = replace_images(post.body, write)
    text = disarm_json(json.dumps(body, ensure_ascii=False))
    if mark not in text:
        return ["-d @-", f"<<'JSON'\n{text}\nJSON"]
    for special in ("\\", "$", "`"):
        text = text.replace(special, f"\\{special}")
    # The shell stops at a variable that is empty, because its upload has failed.
    return ["-d @-", "<<JSON\n{}\nJSON".format(text.replace(mark, "${"))]


def _variable(image: Upload) -> str:
    return f"image_{image.content.digest[:12]}"


def form_words(post: Post) -> list[str]:
    """The fields of the form. curl reads the files as they are.

    Raises UsageError for an image that is no file.
    """
    words = []
    for name, value in post.body.items():
        for one in _listed(value):
            words += _field(name, one)
    return words


def note_changes(prepared: Iterable[Prepared], posts: Iterable[Post]) -> None:
    """Say on stderr which files of forms curl sends otherwise than flux, which prepares them."""
    given: list[Reference] = []
    for one in prepared:
        request = one.resolved.request
        given += request.references
        given += [request.mask] if request.mask else []
    changed = {one.asked for one in given if one.content and one.content.digest != one.digest}
    forms = (post for post in posts if post.uploads == FORM)
    sent = [image.path for post in forms for image in _images(post)]
    if names := [path for path in dict.fromkeys(sent) if path in changed]:
        err(f"flux: note: curl sends these files as they are: {', '.join(names)}; {PREPARED}")


def _images(post: Post) -> list[Upload]:
    values = [one for value in post.body.values() for one in _listed(value)]
    return [one for one in values if isinstance(one, Upload)]


def _listed(value: Part) -> list[Part]:
    return [*value] if isinstance(value, list) else [value]


def _file_word(path: str) -> str:
    """A path as -F takes it: in quotes if curl would read only a part of it."""
    if path == path.strip() and not set(path) & set(FILE_MARKS):
        return path
    escaped = path.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _field(name: str, value: Part) -> list[str]:
    if isinstance(value, Upload):
        if not Path(value.path).is_file():
            message = f"curl needs a file for the image {value.name!r}"
            raise UsageError(message, hint="save it to a file, and name that")
        return ["-F", quote(f"{name}=@{_file_word(value.path)};type={value.mime}")]
    if isinstance(value, str) and value.startswith("<the image at "):
        hint = "download it, and name the file"
        raise UsageError("this provider takes files, not addresses", hint=hint)
    text = value if isinstance(value, str) else json.dumps(value)
    return ["--form-string", quote(f"{name}={text}")]
