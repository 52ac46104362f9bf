"""Knows images by digests, so that those of a request are not taken for results. Pure."""

from __future__ import annotations

import base64
import binascii
from functools import lru_cache
from hashlib import sha256
from urllib.parse import unquote_to_bytes

from flux_cli.core.errors import ImageError
from flux_cli.core.uploads import Upload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.uploads import Body, Part

SHORTEST = 40  # characters of base64 that may be an image
REMEMBERED = 16  # attachments: all requests of a run send the same ones


class EchoError(ImageError):
    """What has arrived is an image that the request sent, not one that was made."""


def sent_digests(body: Body) -> frozenset[str]:
    """The digests of the images in a request, and of all texts that may be some or their URLs."""
    found: set[str] = set()
    left: list[Part] = [body]
    while left:
        value = left.pop()
        if isinstance(value, Upload):
            found.add(value.content.digest)
        elif isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
        elif isinstance(value, str) and _may_be_image(value):
            found.add(digest_of(value))
    return frozenset(found)


@lru_cache(REMEMBERED)
def digest_of(source: str) -> str:
    """The digest of the image that a data URI or base64 has, or of any other text itself."""
    head, comma, text = source.partition(",")
    if source[:5].lower() != "data:":
        head, comma, text = ";base64", ",", source
    packed = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        if comma and not head.lower().endswith(";base64"):
            return digest_of_bytes(unquote_to_bytes(text))
        padding = "=" * (-len(packed) % 4)
        return digest_of_bytes(base64.b64decode(packed + padding, validate=True))
    except (binascii.Error, ValueError):
        return digest_of_bytes(source.encode("utf-8", "surrogatepass"))


def digest_of_bytes(data: bytes) -> str:
    """The digest of an image."""
    return sha256(data).hexdigest()


def _may_be_image(text: str) -> bool:
    if text[:5].lower() == "data:" or "://" in text[:16]:
        return True
    return len(text) >= SHORTEST and " " not in text[:100]
