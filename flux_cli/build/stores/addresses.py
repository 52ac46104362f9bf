"""Checks the addresses of stores: what they may be, and that they contain no secret."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from flux_cli.core.errors import UsageError
from flux_cli.core.text import plain

# az and abfs are Azure, gs is Google Cloud, file is a folder of this machine, memory is for tests.
SCHEMES = ("s3", "gs", "az", "abfs", "abfss", "file", "memory")
EXAMPLE = "s3://BUCKET/PREFIX, gs://…, az://…, or file:///FOLDER"


def split_output(output: str) -> tuple[str, str]:
    """The address of a store in `-o s3://BUCKET/img/{name}.webp`, and the template below it.

    The address is the bucket alone; of a folder, all that no field changes. Slashes that follow
    one another count as one, as in all output paths. Raises UsageError.
    """
    scheme, _, rest = output.partition("://")
    scheme, rest = scheme.lower(), re.sub("/+", "/", rest)
    if scheme == "memory":
        raise UsageError("-o memory:// keeps nothing", hint=f"write {EXAMPLE}")
    fixed = rest.partition("{")[0]
    end = fixed.rfind("/") if scheme == "file" else fixed.find("/")
    if end < 0 or not rest[end + 1 :]:
        message = f"-o {plain(output)} names no files in a bucket"
        raise UsageError(message, hint="write s3://BUCKET/img/{name}.webp")
    return check_address(f"{scheme}://{rest[:end]}", "-o"), rest[end + 1 :]


def is_address(text: str) -> bool:
    """Whether a text is the address of a store, and no path."""
    return text.partition("://")[0].lower() in SCHEMES and "://" in text


def check_address(text: str, source: str) -> str:
    """The address without a slash at its end. Raises UsageError, which never shows a secret."""
    try:
        parts = urlsplit(text)
        host, is_secret = parts.hostname, "@" in parts.netloc or bool(parts.query or parts.fragment)
    except ValueError:
        raise UsageError(f"{source} is not an address", hint=f"write {EXAMPLE}") from None
    if is_secret:
        hint = "set them in the environment, such as AWS_ACCESS_KEY_ID"
        raise UsageError(f"{source} must not contain credentials or a query", hint=hint)
    if parts.scheme not in SCHEMES:
        message = f"{source} is not the address of a store: {plain(text)}"
        raise UsageError(message, hint=f"write {EXAMPLE}")
    is_local = parts.scheme == "file"
    if is_local and (host or len(parts.path) < 2):
        raise UsageError(f"{source} needs a whole path: {plain(text)}", hint="write file:///FOLDER")
    if not (is_local or host or parts.scheme == "memory"):
        raise UsageError(f"{source} names no bucket: {plain(text)}", hint=f"write {EXAMPLE}")
    return text.rstrip("/")
