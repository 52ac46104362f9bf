"""Base64 and data URIs, as servers write them: with and without prefix, padding and line breaks."""

import base64
import binascii
from urllib.parse import unquote_to_bytes

from flux_cli.core.errors import PictureError


def decode_base64(text: str, limit: int) -> bytes:
    """Bytes of base64 text, which may carry a data URI's prefix. Raises PictureError where it is none or too long."""
    if text.startswith("data:"):
        return decode_data_uri(text, limit)
    if len(text) > limit * 4 // 3 + 4:
        message = f"the picture in the answer is larger than {limit >> 20} MiB"
        raise PictureError(message, billed=True)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        packed = "".join(text.split())  # rare: line breaks, missing padding
    try:
        return base64.b64decode(packed.rstrip("=") + "=" * (-len(packed.rstrip("=")) % 4), validate=True)
    except (binascii.Error, ValueError) as fault:
        message = f"the picture in the answer is no base64: {fault}"
        raise PictureError(message, billed=True) from fault


def decode_data_uri(uri: str, limit: int) -> bytes:
    """Bytes of a `data:` URI. Raises PictureError where it is none or too long."""
    head, comma, body = uri.partition(",")
    if not comma or not head.startswith("data:"):
        message = "the picture's data URI has no data"
        raise PictureError(message, billed=True)
    if head.lower().endswith(";base64"):
        return decode_base64(body.removeprefix("data:"), limit)
    return unquote_to_bytes(body[: 3 * limit])


def data_uri(data: bytes, mime: str) -> str:
    """The bytes as a base64 data URI."""
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"
