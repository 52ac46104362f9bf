"""Images in the curl commands of `flux resolve --curl`."""

from __future__ import annotations

import json
import os
from shlex import quote
from typing import TYPE_CHECKING

from flux_cli.core.errors import UsageError
from flux_cli.core.text import disarm_json
from flux_cli.core.uploads import Upload, whole_body

if TYPE_CHECKING:
    from flux_cli.core.request import Post
    from flux_cli.core.uploads import Part


def json_body(post: Post) -> str:
    """The body as JSON, with the images in it."""
    return disarm_json(json.dumps(whole_body(post.body), ensure_ascii=False))


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
