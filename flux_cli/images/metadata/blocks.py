"""What lies in an image beside its pixels: XMP, EXIF, IPTC, texts, comments, color profiles, signed credentials."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Literal

from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers import items, parts
from flux_cli.images.containers.whole import sniff, u16, u32
from flux_cli.images.metadata import xmp

Kind = Literal["xmp", "exif", "iptc", "text", "comment", "icc", "c2pa"]
XMP_TEXT = b"XML:com.adobe.xmp"
XMP_HEAD, EXIF_HEAD, ICC_HEAD = b"http://ns.adobe.com/xap/1.0/\0", b"Exif\0\0", b"ICC_PROFILE\0"
XMP_GIF, ICC_GIF, C2PA_GIF = b"XMP DataXMP", b"ICCRGBG1012", b"C2PA_GIF"
C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
MAX_UNPACKED = 16 << 20  # bytes that all packed texts of one image may become


class Block(NamedTuple):
    """One piece of metadata, unpacked; `key` is the keyword of a text."""

    kind: Kind
    data: bytes
    key: str = ""


def blocks(data: bytes) -> Iterator[Block]:
    """Every piece of metadata of an image. Raises ValueError or IndexError where its parts do not add up."""
    name = sniff(data)
    if name is not None:
        yield from _READERS[name](data)


def carries_c2pa(data: bytes) -> bool:
    """Whether the image holds content credentials, or names the place where they are. A broken one holds none.

    Such an image must stay as it is: its signature covers every byte.
    """
    try:
        return any(block.kind == "c2pa" or (block.kind == "xmp" and _elsewhere(block.data)) for block in blocks(data))
    except (ValueError, IndexError):
        return False


def _elsewhere(packet: bytes) -> bool:
    """Whether an XMP packet names the place where the image's credentials are."""
    if b"provenance" not in packet:
        return False
    try:
        return xmp.REMOTE in xmp.properties(packet)
    except xmp.XmpError:
        return False


def _png(data: bytes) -> Iterator[Block]:
    left = MAX_UNPACKED
    for part in parts.png(data):
        if part.kind in (b"tEXt", b"zTXt", b"iTXt"):
            block = text_of(part.kind, data[part.body : part.stop], left)
            left -= len(block.data)
            yield block
        elif part.kind == b"eXIf":
            yield Block("exif", data[part.body : part.stop])
        elif part.kind == b"caBX":
            yield Block("c2pa", data[part.body : part.stop])
        elif part.kind == b"iCCP":
            _, _, packed = data[part.body : part.stop].partition(b"\0")
            yield Block("icc", _unpacked(packed[1:], left))


def text_of(kind: bytes, body: bytes, limit: int = MAX_UNPACKED) -> Block:
    """A text chunk of a PNG; the text comes as UTF-8 whatever it was. XMP is a text with a reserved keyword."""
    key, _, rest = body.partition(b"\0")
    packed = kind == b"zTXt" or (kind == b"iTXt" and rest[:1] == b"\1")
    if kind == b"iTXt":
        rest = rest[2:].split(b"\0", 2)[-1]
    elif kind == b"zTXt":
        rest = rest[1:]
    text = _unpacked(rest, limit) if packed else rest
    if kind != b"iTXt":
        text = text.decode("latin-1").encode()
    return Block("xmp" if key == XMP_TEXT else "text", text, key.decode("latin-1"))


def _unpacked(packed: bytes, limit: int) -> bytes:
    """Unpacked bytes, cut at the limit; what is no zlib stream counts as empty."""
    try:
        return zlib.decompressobj().decompress(packed, max(limit, 1))
    except zlib.error:
        return b""


def _jpeg(data: bytes) -> Iterator[Block]:
    profile = []
    for part in parts.jpeg(data):
        body = data[part.body : part.stop]
        if part.kind == b"\xe1" and body.startswith(XMP_HEAD):
            yield Block("xmp", body[len(XMP_HEAD) :])
        elif part.kind == b"\xe1" and body.startswith(EXIF_HEAD):
            yield Block("exif", body[len(EXIF_HEAD) :])
        elif part.kind == b"\xe2" and body.startswith(ICC_HEAD):
            profile.append(body[len(ICC_HEAD) + 2 :])
        elif part.kind == b"\xeb" and body[:2] == b"JP" and body[12:16] == b"jumb" and b"c2pa" in body[:128]:
            yield Block("c2pa", body)
        elif part.kind == b"\xed" and body.startswith(b"Photoshop 3.0\0"):
            yield Block("iptc", _photoshop(body[14:]))
        elif part.kind == b"\xfe":
            yield Block("comment", body)
    if profile:
        yield Block("icc", b"".join(profile))


def _photoshop(data: bytes) -> bytes:
    """The IPTC resource among Photoshop's."""
    at = 0
    while data[at : at + 4] == b"8BIM":
        body = at + 6 + (1 + data[at + 6] + 1) // 2 * 2
        length = u32(data, body)
        if u16(data, at + 4) == 0x0404:
            return data[body + 4 : body + 4 + length]
        at = body + 4 + length + length % 2
    return b""


def _webp(data: bytes) -> Iterator[Block]:
    kinds: dict[bytes, Kind] = {b"XMP ": "xmp", b"EXIF": "exif", b"ICCP": "icc", b"C2PA": "c2pa"}
    for part in parts.webp(data):
        if kind := kinds.get(part.kind):
            yield Block(kind, data[part.body : part.stop].removeprefix(EXIF_HEAD))


def _gif(data: bytes) -> Iterator[Block]:
    for part in parts.gif(data):
        if part.kind == b"!\xfe":
            yield Block("comment", parts.sub_blocks(data, part.body))
        elif part.kind == b"!\xff":
            name = data[part.body + 1 : part.body + 12]
            if name == XMP_GIF:  # bare bytes, and a ramp that leads readers of sub-blocks to the end
                yield Block("xmp", data[part.body + 12 : max(part.body + 12, part.stop - 258)])
            elif name.startswith(C2PA_GIF):
                yield Block("c2pa", b"")
            elif name == ICC_GIF:
                yield Block("icc", parts.sub_blocks(data, part.body + 12))


def _avif(data: bytes) -> Iterator[Block]:
    meta = None
    for part in parts.avif(data):
        if part.kind == b"uuid" and data[part.body : part.body + 16] == C2PA_BOX:
            yield Block("c2pa", b"")
        elif part.kind == b"meta" and meta is None:
            meta = items.read_meta(data, part)
    for part in _profiles(data, meta) if meta else ():
        yield Block("icc", data[part.body + 4 : part.stop])
    if meta and (xmp := meta.item(b"mime", items.XMP_TYPE)):
        yield Block("xmp", items.content_of(data, meta, xmp))
    if meta and (exif := meta.item(b"Exif")):
        content = items.content_of(data, meta, exif)
        yield Block("exif", content[4 + u32(content, 0) :].removeprefix(EXIF_HEAD))


def _profiles(data: bytes, meta: items.Meta) -> Iterator[parts.Part]:
    """The ICC profiles among the properties of the items."""
    properties = meta.child(b"iprp")
    for box in parts.inside(data, properties.body, properties.stop) if properties else ():
        for part in parts.inside(data, box.body, box.stop) if box.kind == b"ipco" else ():
            if part.kind == b"colr" and data[part.body : part.body + 4] in (b"prof", b"rICC"):
                yield part


_READERS: dict[str, Callable[[bytes], Iterator[Block]]] = {
    "png": _png,
    "jpeg": _jpeg,
    "webp": _webp,
    "gif": _gif,
    "avif": _avif,
}
