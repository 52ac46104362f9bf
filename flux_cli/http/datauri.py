"""Data URIs: writes them, and reads them with or without padding and line breaks."""

import base64
import binascii
from urllib.parse import unquote_to_bytes

from flux_cli.core.errors import ImageError

PIECE = 1 << 16  # characters of percent-encoded text decoded at once


def decode_data_uri(uri: str, limit: int) -> bytes:
    """Decode a `data:` URI. Raises ImageError if it is invalid or has more than `limit` bytes."""
    head, comma, body = uri.partition(",")
    if not comma or not head.startswith("data:"):
        raise ImageError("the image's data URI has no data", billed=True)
    if head.lower().endswith(";base64"):
        data = _decode_base64(body, limit)
        if len(data) > limit:
            raise too_large_error(limit)
        return data
    if not body.isascii():
        message = "the image's data URI has characters that a URI cannot contain"
        raise ImageError(message, billed=True)
    return _decode_percent(body, limit)


def _decode_percent(text: str, limit: int) -> bytes:
    """Decode percent-encoded text in pieces: all at once would take 100 times the memory."""
    data, at = bytearray(), 0
    while at < len(text):
        end = at + PIECE
        if "%" in text[end - 2 : end]:  # do not cut an escape in two
            end += text[end - 2 : end].rindex("%") + 1
        data += unquote_to_bytes(text[at:end])
        at = end
        if len(data) > limit:
            raise too_large_error(limit)
    return bytes(data)


def _decode_base64(text: str, limit: int) -> bytes:
    if len(text) > limit * 3 // 2:  # before anything is copied; line breaks add a little
        raise too_large_error(limit)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        # rare: line breaks, missing padding, the URL-safe alphabet
        packed = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError) as fault:
        message = f"the image in the answer is not valid base64: {fault}"
        raise ImageError(message, billed=True) from fault


def too_large_error(limit: int) -> ImageError:
    """The error for an answer larger than any image can be (`limit` in bytes)."""
    return ImageError(f"the image in the answer is larger than {limit >> 20} MiB", billed=True)


def data_uri(data: bytes, mime: str) -> str:
    """Encode bytes as a base64 data URI."""
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"
