"""What an image is, as far as its container tells without decoding: colors, depth, transparency, frames, profile."""

from __future__ import annotations

from collections.abc import Callable

from flux_cli.core.errors import ImageError
from flux_cli.core.lite import NamedTuple
from flux_cli.images.containers import parts
from flux_cli.images.containers.parts import Part
from flux_cli.images.containers.whole import inspect, u16, u32
from flux_cli.images.metadata import exif
from flux_cli.images.metadata.blocks import blocks

PRIMARIES = {1: "BT.709", 5: "BT.601", 6: "BT.601", 9: "BT.2020", 11: "DCI-P3", 12: "Display P3"}  # ITU-T H.273
TRANSFERS = {16: "PQ", 18: "HLG"}
SRGB = (1, 13)  # primaries and transfer
PNG_COLORS = {0: "gray", 2: "RGB", 3: "palette", 4: "gray", 6: "RGB"}
JPEG_COLORS = {1: "gray", 3: "YCbCr", 4: "CMYK"}
MAX_NAME = 100  # characters of a profile's name


class Colors(NamedTuple):
    """How the pixels are stored. `frames` is 0 where there are several and the container does not count them."""

    model: str  # "RGB", "gray", "palette", "YCbCr", "CMYK", "YUV 4:2:0"
    depth: int  # bits a channel, or of a palette's index
    alpha: bool = False
    frames: int = 1
    space: str = ""  # said by the container itself


class Anatomy(NamedTuple):
    """One image. `profile` is the name of its ICC profile; `turn` its EXIF orientation, 1 where it stands upright."""

    format: str
    width: int
    height: int
    size: int  # bytes
    colors: Colors
    profile: str
    turn: int

    @property
    def space(self) -> str:
        """The color space, by the strongest word on it ("": nothing said, which means sRGB)."""
        return self.profile or self.colors.space


def look_at(data: bytes) -> Anatomy:
    """Inspection at a whole image. Raises ImageError for what is none."""
    look = inspect(data)
    profile, turn = "", 1
    try:
        for block in blocks(data):
            if block.kind == "icc":
                profile = profile_name(block.data) or "unnamed ICC profile"
            elif block.kind == "exif":
                turn = exif.number(block.data, exif.ORIENTATION) or 1
        colors = _READERS[look.format](data)
    except (ValueError, IndexError) as fault:
        raise ImageError(f"the {look.format} image does not add up: {fault}") from fault
    return Anatomy(look.format, look.width, look.height, len(data), colors, profile, turn)


def profile_name(icc: bytes) -> str:
    """The description in an ICC profile, of version 2 (ASCII) or 4 (UTF-16); "" where there is none."""
    for at in range(132, 132 + 12 * min(int.from_bytes(icc[128:132], "big"), 100), 12):
        if icc[at : at + 4] != b"desc":
            continue
        start = int.from_bytes(icc[at + 4 : at + 8], "big")
        tag = icc[start : start + int.from_bytes(icc[at + 8 : at + 12], "big")]
        if tag[:4] == b"mluc":
            length, offset = int.from_bytes(tag[20:24], "big"), int.from_bytes(tag[24:28], "big")
            text = tag[offset : offset + length].decode("utf-16-be", "replace")
        elif tag[:4] == b"desc":
            text = tag[12 : 12 + int.from_bytes(tag[8:12], "big")].decode("latin-1")
        else:
            return ""
        return text.strip("\0 ")[:MAX_NAME]
    return ""


def _code_points(primaries: int, transfer: int) -> str:
    """The name of a color space said in numbers of ITU-T H.273."""
    if (primaries, transfer) == SRGB:
        return "sRGB"
    return " ".join(filter(None, (PRIMARIES.get(primaries, ""), TRANSFERS.get(transfer, ""))))


def _png(data: bytes) -> Colors:
    kinds: dict[bytes, Part] = {}
    for part in parts.png(data):
        kinds.setdefault(part.kind, part)
    kind = data[25]
    frames = u32(data, kinds[b"acTL"].body) if b"acTL" in kinds else 1
    space = "sRGB" if b"sRGB" in kinds else ""
    if code := kinds.get(b"cICP"):
        space = _code_points(data[code.body], data[code.body + 1])
    return Colors(PNG_COLORS.get(kind, "?"), data[24], kind in (4, 6) or b"tRNS" in kinds, frames, space)


def _jpeg(data: bytes) -> Colors:
    model, depth, adobe = "?", 8, None
    for part in parts.jpeg(data):
        marker = part.kind[0]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            depth, model = data[part.body], JPEG_COLORS.get(data[part.body + 5], "?")
        elif marker == 0xEE and data[part.body : part.body + 5] == b"Adobe":
            adobe = data[part.body + 11]
    return Colors("RGB" if model == "YCbCr" and adobe == 0 else model, depth)


def _gif(data: bytes) -> Colors:
    frames, clear = 0, False
    for part in parts.gif(data):
        frames += part.kind == b","
        clear = clear or (part.kind == b"!\xf9" and data[part.body + 1] & 1 == 1)
    return Colors("palette", (data[10] & 7) + 1, clear, frames)


def _webp(data: bytes) -> Colors:
    kinds: dict[bytes, Part] = {}
    frames = 0
    for part in parts.webp(data):
        kinds.setdefault(part.kind, part)
        frames += part.kind == b"ANMF"
    extended, lossless = kinds.get(b"VP8X"), kinds.get(b"VP8L")
    flag = extended.body if extended else lossless.body + 4 if lossless else None
    alpha = flag is not None and data[flag] & 0x10 != 0  # the same bit in both heads
    return Colors("RGB" if lossless else "YUV 4:2:0", 8, alpha, max(1, frames))


def _avif(data: bytes) -> Colors:
    meta = next(part for part in parts.avif(data) if part.kind == b"meta")
    properties: dict[bytes, list[bytes]] = {}
    for table in parts.inside(data, meta.body + 4, meta.stop):
        for box in parts.inside(data, table.body, table.stop) if table.kind == b"iprp" else ():
            for part in parts.inside(data, box.body, box.stop) if box.kind == b"ipco" else ():
                properties.setdefault(part.kind, []).append(data[part.body : part.stop])
    flags = properties.get(b"av1C", [b"\0\0\0\0"])[0][2]
    depth = (12 if flags & 0x20 else 10) if flags & 0x40 else 8
    chroma = {0x00: "4:4:4", 0x08: "4:2:2", 0x0C: "4:2:0"}.get(flags & 0x0C, "?")
    alpha = any(b"auxid:1" in box or b":alpha" in box for box in properties.get(b"auxC", ()))
    spaces = [_code_points(u16(box, 4), u16(box, 6)) for box in properties.get(b"colr", ()) if box[:4] == b"nclx"]
    frames = 0 if b"avis" in (data[8:12], *(data[at : at + 4] for at in range(16, min(u32(data, 0), 256), 4))) else 1
    return Colors("gray" if flags & 0x10 else f"YUV {chroma}", depth, alpha, frames, next(iter(spaces), ""))


_READERS: dict[str, Callable[[bytes], Colors]] = {
    "png": _png,
    "jpeg": _jpeg,
    "gif": _gif,
    "webp": _webp,
    "avif": _avif,
}
