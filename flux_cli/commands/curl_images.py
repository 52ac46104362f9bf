"""Images in the curl commands of `flux resolve --curl`."""

from __future__ import annotations

import json
import os
from secrets import token_hex
from shlex import quote
from typing import TYPE_CHECKING

from flux_cli.core.errors import UsageError
from flux_cli.core.text import disarm_json
from flux_cli.core.uploads import UPLOADED, Upload, replace_images, text_of, uploaded_images
from flux_cli.providers.uploading import Uploader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flux_cli.core.request import Post
    from flux_cli.core.uploads import Part
    from flux_cli.providers.rows import Provider


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
        for one in value if isinstance(value, list) else [value]:
            words += _field(name, one)
    return words


def _field(name: str, value: Part) -> list[str]:
    if isinstance(value, Upload):
        if not os.path.lexists(value.path):
            message = f"curl needs a file for the image {value.name!r}"
            raise UsageError(message, hint="save it to a file, and name that")
        return ["-F", quote(f"{name}=@{value.path};type={value.mime}")]
    if isinstance(value, str) and value.startswith("<the image at "):
        hint = "download it, and name the file"
        raise UsageError("this provider takes files, not addresses", hint=hint)
    text = value if isinstance(value, str) else json.dumps(value)
    return ["--form-string", quote(f"{name}={text}")]
