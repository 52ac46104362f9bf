"""Base64 and data URIs, as servers write them: with and without prefix, padding and line breaks."""

import base64
import binascii
from urllib.parse import unquote_to_bytes

from flux_cli.core.errors import ImageError

PIECE = 1 << 16  # characters of percent-encoded text that are decoded at once


def decode_data_uri(uri: str, limit: int) -> bytes:
    """Bytes of a `data:` URI. Raises ImageError where it is none or too long."""
    head, comma, body = uri.partition(",")
    if not comma or not head.startswith("data:"):
        message = "the image's data URI has no data"
        raise ImageError(message, billed=True)
    if head.lower().endswith(";base64"):
        return _checked(_bytes(body, limit), limit)
    if not body.isascii():
        raise ImageError("the image's data URI holds characters that no address has", billed=True)
    return _unquoted(body, limit)


def _unquoted(text: str, limit: int) -> bytes:
    """Bytes of percent-encoded text, a piece at a time: all at once they would cost a hundred times their size."""
    data, at = bytearray(), 0
    while at < len(text):
        end = at + PIECE
        if "%" in text[end - 2 : end]:  # no escape is torn apart
            end += text[end - 2 : end].rindex("%") + 1
        data += unquote_to_bytes(text[at:end])
        at = end
        if len(data) > limit:
            raise too_large(limit)
    return bytes(data)


def _bytes(text: str, limit: int) -> bytes:
    if len(text) > limit * 3 // 2:  # line breaks add a little; checked before anything is copied
        raise too_large(limit)
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        # rare: line breaks, missing padding, the alphabet for addresses
        packed = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError) as fault:
        message = f"the image in the answer is no base64: {fault}"
        raise ImageError(message, billed=True) from fault


def _checked(data: bytes, limit: int) -> bytes:
    if len(data) > limit:
        raise too_large(limit)
    return data


def too_large(limit: int) -> ImageError:
    """The error for an answer with more in it than any image needs (`limit` in bytes)."""
    return ImageError(f"the image in the answer is larger than {limit >> 20} MiB", billed=True)


def data_uri(data: bytes, mime: str) -> str:
    """The bytes as a base64 data URI."""
    return f"data:{mime};base64,{base64.b64encode(data).decode('ascii')}"
