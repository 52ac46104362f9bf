"""Faults inside a well-formed response: JSON of every kind, base64, and invalid images."""

import base64
import functools
import json
import os
import struct
import zlib

from fakes.images import pixels_as
from fakes.messages import message, reply
from fakes.server import Answer, Exchange
from fakes.steps import repeated

from faults.row import JPEG, PNG, Row, fine, found

JSON = "application/json"
B64 = base64.b64encode(PNG).decode()
FOLDED = "\n".join(B64[at : at + 76] for at in range(0, len(B64), 76))
URL_SAFE = base64.urlsafe_b64encode(PNG).decode()
GOOD = '"data": [{"url": "{origin}/p"}]'
DIGITS = "9" * 1_000_000
MIB = 1 << 20
SIDE = 2600  # pixels of an image of 20 MB


def said(body: object, **headers: str) -> tuple[Answer, ...]:
    return ((reply(body, **headers),),)


def inline(text: str) -> tuple[Answer, ...]:
    return said({"data": [{"b64_json": text}]})


def long(before: bytes, part: bytes, times: int, after: bytes) -> tuple[Answer, ...]:
    """A response that is never completely in memory here, and must not be in flux either."""
    length = len(before) + times * len(part) + len(after)
    head = message(b"", content_length=str(length))
    return ((head + before, repeated(part, times), after),)


def deep(levels: int) -> str:
    return "[" * levels + "]" * levels


def image(data: bytes, kind: str = "image/png") -> dict[str, tuple[Answer, ...]]:
    return {"/p": ((message(data, content_type=kind),),)}


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, pixels: bytes) -> bytes:
    """A PNG of 8-bit RGB with correct checksums around any pixel data."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def black(side: int) -> bytes:
    """A black square that is a thousandth of its decoded size. Last rows and checksum are missing."""
    packer, many = zlib.compressobj(9), 500
    head = packer.flush(zlib.Z_FULL_FLUSH)
    rows = packer.compress(bytes(many * (1 + 3 * side))) + packer.flush(zlib.Z_FULL_FLUSH)
    return png(side, side, head + side // many * rows)


@functools.cache
def noise(side: int) -> bytes:
    """A square of noise that cannot be compressed."""
    rows = b"".join(b"\0" + os.urandom(3 * side) for _ in range(side))
    return png(side, side, zlib.compress(rows, 0))


@functools.cache
def large(kind: str) -> bytes:
    """A response with an image of 20 MB: the image itself, or JSON that contains it."""
    if kind == "image":
        return message(noise(SIDE), content_type="image/png")
    return message(b'{"data": [{"b64_json": "' + base64.b64encode(noise(SIDE)) + b'"}]}')


def large_image(_exchange: object) -> bytes:
    return large("image")


def large_reply(_exchange: object) -> bytes:
    return large("reply")


def utf_16(exchange: Exchange) -> bytes:
    return message(exchange.server.fill(b"{" + GOOD.encode() + b"}").decode().encode("utf-16"))


BODIES = (
    Row("an empty body", "status 200 without a body", post=said(b""), says=("empty",)),
    Row("HTML", "status 200 with a web page", post=said("<html>welcome</html>", content_type="text/html"), says=("web page",)),
    Row("plain text", "status 200 with a word", post=said("ok"), says=("JSON",)),
    *(Row(f"JSON {name}", f"the body is {name}", post=said(name)) for name in ("null", "3", '"image"', "[]", "{}")),
    Row("truncated JSON", "the body ends too early", post=said('{"data": [{"url": "{orig')),
    Row("two documents", "JSON, then more JSON", post=said("{" + GOOD + "} {}")),
    Row("invalid bytes", "0x80 to 0xff", post=said(bytes(range(128, 256)))),
    fine("invalid UTF-8 beside the image", "a broken character in a text", post=said(b'{"note": "caf\xe9", ' + GOOD.encode() + b"}")),
    fine("a byte order mark", "EF BB BF before the JSON", post=said(b"\xef\xbb\xbf{" + GOOD.encode() + b"}")),
    fine("UTF-16", "JSON as Windows writes it", post=((utf_16,),)),
    fine("lone surrogates", "half of a surrogate pair, escaped", post=said('{"note": "\\ud800", ' + GOOD.replace("}]", ', "revised_prompt": "\\udfff"}]') + "}"), line=("--json",)),
    Row("100,000 levels of lists", "lists in lists", post=said(deep(100_000))),
    Row("100,000 levels of objects", "objects in objects", post=said('{"a":' * 100_000 + "1" + "}" * 100_000)),
    Row("a body of brackets", "2 million open, none is closed", post=said("[" * 2_000_000)),
    fine("an integer of a million digits", "beside a good image", post=said('{"created": ' + DIGITS + ", " + GOOD + "}")),
    fine("a cost of a million digits", "beside a good image", post=said('{"metadata": {"cost": ' + DIGITS + "}, " + GOOD + "}"), line=("--json",)),
    fine("a cost of 400 digits", "more than a float holds", post=said('{"metadata": {"cost": ' + "9" * 400 + "}, " + GOOD + "}"), line=("--json",)),
    *(fine(f"cost {cost}", "beside a good image", post=said('{"metadata": {"cost": ' + cost + "}, " + GOOD + "}"), line=("--json",)) for cost in ("NaN", "1e999", '"free"')),
    fine("a seed of a million digits", "beside a good image", post=said('{"seed": ' + DIGITS + ", " + GOOD + "}"), line=("--json",)),
    fine("duplicate keys, the good one last", "the last one counts", post=said('{"data": [], ' + GOOD + "}")),
    Row("duplicate keys, the good one first", "the last one counts", post=said("{" + GOOD + ', "data": []}')),
    *(Row(f"data is {json.dumps(data)}", "no image in it", post=said({"data": data})) for data in ("x", 5, None, {}, [], [None], [[]], [{}], [{"url": 5}], [{"url": "", "b64_json": ""}])),
    fine("200,000 empty items", "before one image", post=((reply('{"data": [' + "{}," * 200_000 + '{"url": "{origin}/p"}]}'),),)),
    fine("7 MB of escapes beside the image", "a revised prompt in which a key could be anywhere", post=((reply('{"data": [{"url": "{origin}/p", "revised_prompt": "' + "%41&#6" * 1_200_000 + '"}]}'),),), line=("--timeout", "5")),
    Row("an error with status 200", "status 200, but the body is an error", post=said({"error": {"message": "the model fell over"}}), says=("fell over",)),
    Row("an error of a megabyte", "the message is longer than any screen", post=((reply({"error": {"message": "long " * 200_000}}, 400),),), billed=False, says=("long",)),
    Row("an error with control characters", "escape sequences and line breaks", post=((reply({"error": {"message": "\x1b[2J\x1b]0;owned\x07\r\nflux: saved all"}}, 400),),), billed=False, says=("owned",)),
)  # fmt: skip

BASE64 = (
    Row("invalid base64", "b64_json is garbage", post=inline("!!!! no base64 !!!!"), says=("base64",)),
    Row("base64 of text", "decodes to text instead of an image", post=inline(base64.b64encode(b"no image").decode()), says=("not an image",)),
    Row("truncated base64", "half the image", post=inline(B64[: len(B64) // 2 // 4 * 4]), says=("not whole",)),
    fine("base64 in lines", "line breaks every 76 characters", post=inline(FOLDED)),
    fine("base64 without padding", "no = at the end", post=inline(B64.rstrip("="))),
    fine("base64 for URLs", "- and _ instead of + and /", post=inline(URL_SAFE)),
    fine("base64 for URLs, unpadded, in lines", "all of it at once", post=inline(URL_SAFE.rstrip("=").replace("A", "A\r\n", 3))),
    fine("base64 as a data URI", "data:image/png;base64,…", post=inline(f"data:image/png;base64,{B64}")),
    Row("base64 of gigabytes", "3 GB are promised and sent", post=long(b'{"data": [{"b64_json": "', b"A" * MIB, 3000, b'"}]}')),
    Row("base64 of 150 MB", "more than any image", post=long(b'{"data": [{"b64_json": "', b"A" * MIB, 200, b'"}]}')),
    Row("150 MB of blanks", "instead of base64", post=long(b'{"data": [{"b64_json": "', b" " * MIB, 150, b'"}]}')),
    Row("a data URI of a gigabyte", "as the URL of the image", post=long(b'{"data": [{"url": "data:image/png;base64,', b"A" * MIB, 1000, b'"}]}')),
    Row("an empty data URI", "data:,", post=said(found("data:,"))),
    Row("a data URI without data", "data:image/png", post=said(found("data:image/png"))),
    Row("a data URI of percent signs", "12 MB of %00", post=long(b'{"data": [{"url": "data:image/png,', b"%00" * MIB, 4, b'"}]}')),
    fine("a large image in the response", "20 MB as base64", post=((large_reply,),)),
)  # fmt: skip

SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'
WRONG_TEXT = PNG[:33] + chunk(b"tEXt", b"Comment\0hello")[:-1] + b"?" + PNG[33:]
IMAGES = (
    *(Row(f"truncated {kind.upper()}", "half of the image, with a matching length", get=image(pixels_as(kind, 64, 36)[: len(pixels_as(kind, 64, 36)) // 2]), says=("not whole",)) for kind in ("png", "jpeg", "gif", "webp", "avif")),
    fine("PNG without its last bytes", "eight bytes are missing, and no pixels", get=image(PNG[:-8]), says=("saved as received",)),
    fine("JPEG without its last bytes", "two bytes are missing, and no pixels", get=image(JPEG[:-2]), says=("saved as received",)),
    Row("JPEG without a byte of its scan", "three bytes are missing", get=image(JPEG[:-3]), says=("not whole",)),
    fine("PNG with a damaged text", "a wrong checksum beside the pixels", get=image(WRONG_TEXT), says=("saved as received",)),
    fine("PNG with a damaged text, to WebP", "a wrong checksum beside the pixels", get=image(WRONG_TEXT), line=("-f", "webp"), says=("damaged beside its pixels",)),
    fine("JPEG with bytes between its segments", "readers skip them", get=image(JPEG[:20] + b"\0\0junk" + JPEG[20:]), says=("saved as received",)),
    Row("JPEG that ends after half of the pixels", "half of its scan, then its end mark is missing, too", get=image(JPEG[:-300]), says=("not whole",)),
    Row("PNG with a wrong checksum", "one bit is flipped", get=image(PNG[:60] + bytes([PNG[60] ^ 1]) + PNG[61:]), says=("not whole",)),
    fine("JPEG labeled as PNG", "image/png and /p.png", post=((reply(found("{origin}/p.png")),),), get={"/p.png": ((message(JPEG, content_type="image/png"),),)}),
    fine("WebP labeled as text", "text/plain", get=image(pixels_as("webp", 64, 36), "text/plain")),
    fine("a file name in the headers", "Content-Disposition: ../../../evil.sh", get={"/p": ((message(JPEG, content_disposition='attachment; filename="../../../evil.sh"'),),)}),
    fine("SVG", "an image with a script in it", get=image(SVG, "image/svg+xml"), says=("saved as received",)),
    Row("SVG instead of WebP", "a format that flux cannot convert", get=image(SVG, "image/svg+xml"), line=("-f", "webp"), code=3, files=1, says=("cannot convert to webp", "saved as received"), billed=False),
    Row("truncated SVG", "the end tag is missing", get=image(SVG[:-3], "image/svg+xml"), says=("not whole",)),
    Row("a page with an SVG in it", "HTML", get=image(b"<!DOCTYPE html><html><body>" + SVG + b"</body></html>", "image/svg+xml"), says=("not an image",)),
    fine("a Windows bitmap", "BMP", get=image(pixels_as("bmp", 64, 36)), says=("saved as received",)),
    Row("a truncated Windows bitmap", "half of it", get=image(pixels_as("bmp", 64, 36)[:3000]), says=("not whole",)),
    Row("HTML instead of an image", "a login page with status 200", get=image(b"<html>log in", "text/html"), says=("not an image",)),
    Row("an empty image", "status 200 without a body", get=image(b""), says=("not an image",)),
    Row("an image without pixels", "0x0", get=image(png(0, 0, zlib.compress(b""))), says=("0x0",)),
    fine("an image of one pixel", "1x1", get=image(png(1, 1, zlib.compress(bytes(4))))),
    Row("100000x100000 pixels", "claimed in a few bytes", get=image(png(100_000, 100_000, zlib.compress(bytes(100)))), says=("100000x100000",)),
    Row("4294967295 pixels wide", "claimed in a few bytes", get=image(png(0xFFFFFFFF, 0xFFFFFFFF, zlib.compress(bytes(100))))),
    Row("a bomb to convert", "400 million pixels in 1 MB, to be converted to WebP", get=image(black(20_000)), line=("-f", "webp"), says=("20000x20000",)),
    Row("a smaller bomb to convert", "144 million pixels in 400 kB, to be converted to WebP", get=image(black(12_000)), line=("-f", "webp"), code=(1, 3), files=1, says=("12000x12000", "saved as received"), billed=None),
    Row("JPEG of 65535x65535", "claimed in its header, to be converted to PNG", get=image(JPEG.replace(struct.pack(">HH", 36, 64), b"\xff" * 4), "image/jpeg"), line=("-f", "png"), says=("65535x65535",)),
    Row("a chunk of 4 GB", "PNG chunk length ffffffff", get=image(PNG[:33] + b"\xff" * 4 + PNG[37:]), says=("not whole",)),
    Row("an image of a gigabyte", "bytes without end", get={"/p": ((message(PNG[:-12], content_length="", content_type="image/png"), repeated(bytes(MIB), 1000)),)}, says=("larger",)),
    Row("a promise of a terabyte", "Content-Length of 1 TB, then silence", get={"/p": ((message(PNG, content_length=str(1 << 40)),),)}),
    fine("a large image", "20 MB", get={"/p": ((large_image,),)}),
)  # fmt: skip
