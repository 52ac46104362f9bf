"""Images of every kind, of which we know how people should see them.

A case is a format, an orientation, a color space, a depth, alpha, frames and metadata. `seen` draws
what a case shows, upright and in sRGB; `data_of` stores that as the case says, with a writer of
other people or, for kinds of PNG that Pillow does not write, with one of our own.
"""

import itertools
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageCms
from sample_images import image_bytes

from flux_cli.images.containers.container import Colors
from flux_cli.images.containers.png import chunk
from flux_cli.images.pixels.profile import profile_of

PATCH = 16  # pixels of a side: whole blocks of every encoder, and of colors at half the resolution
SIZE = (3 * PATCH, 2 * PATCH)
COLORS = (
    (200, 60, 50),
    (60, 160, 80),
    (50, 80, 190),
    (220, 200, 90),
    (120, 120, 120),
    (40, 30, 60),
)
GRAYS = (200, 60, 110, 160, 30, 240)
BITS = (255, 0, 0, 0, 255, 0)
CLEAR = 4  # the patch that is transparent where there is alpha

# What each format can be. Every combination is a case, except those that `is_valid` rules out.
TURNS = tuple(range(1, 9))
METADATA = ("none", "exif", "xmp", "large icc")
AXES = {
    "png": {
        "orientation": TURNS,
        "space": ("srgb", "srgb icc", "p3 icc", "p3 numbers", "gamma", "gray", "gray icc"),
        "depth": (1, 8, 16),
        "alpha": (False, True),
        "frames": (1, 3),
        "metadata": METADATA,
    },
    "jpeg": {
        "orientation": TURNS,
        "space": ("srgb", "srgb icc", "p3 icc", "gray", "gray icc", "cmyk"),
        "depth": (8,),
        "alpha": (False,),
        "frames": (1,),
        "metadata": METADATA,
    },
    "gif": {
        "orientation": (1,),
        "space": ("srgb", "gray"),
        "depth": (8,),
        "alpha": (False, True),
        "frames": (1, 3),
        "metadata": ("none", "comment"),
    },
    "webp": {
        "orientation": TURNS,
        "space": ("srgb", "srgb icc", "p3 icc"),
        "depth": (8,),
        "alpha": (False, True),
        "frames": (1, 3),
        "metadata": METADATA,
    },
    "avif": {
        "orientation": TURNS,
        "space": ("srgb", "srgb icc", "p3 icc", "p3 numbers", "gray"),
        "depth": (8, 10, 12),
        "alpha": (False, True),
        "frames": (1, 3),
        "metadata": METADATA,
    },
}


class Case(NamedTuple):
    """One kind of image."""

    format: str
    orientation: int
    space: str
    depth: int
    alpha: bool
    frames: int
    metadata: str

    def __str__(self):
        alpha = "alpha" if self.alpha else "opaque"
        frames, turn = f"{self.frames} frames", f"turn {self.orientation}"
        depth = f"{self.depth} bits"
        kind = f"{self.format}, {turn}, {self.space}, {depth}"
        return f"{kind}, {alpha}, {frames}, {self.metadata}"


def all_cases(file_format):
    axes = AXES[file_format]
    for values in itertools.product(*axes.values()):
        case = Case(file_format, *values)
        if is_valid(case):
            yield case


def is_valid(case):
    """Whether there is such a thing, and somebody writes it."""
    if case.metadata == "large icc" and "icc" not in case.space:
        return False
    if case.depth == 1:
        return case.space in ("gray", "gray icc") and not case.alpha and case.frames == 1
    if case.frames > 1 and case.format == "png":  # Pillow writes animations, but not all chunks
        return case.depth == 8 and case.space not in ("p3 numbers", "gamma", "gray icc")
    return True


# --- what people see


def seen(case):
    """The image upright, as RGBA in sRGB."""
    values = COLORS
    if case.space.startswith("gray"):
        levels = BITS if case.depth == 1 else GRAYS
        values = [(level,) * 3 for level in levels]
    image = _patches(values)
    if case.alpha:
        image.putalpha(_patches([(255 * (at != CLEAR),) * 3 for at in range(6)]).getchannel(0))
    return image.convert("RGBA")


def _patches(values):
    image = Image.new("RGB", (3, 2))
    for at, value in enumerate(values):
        image.putpixel((at % 3, at // 3), tuple(value))
    return image.resize(SIZE, Image.Resampling.NEAREST)


# --- how it is stored

FLIP, MIRROR = Image.Transpose.FLIP_TOP_BOTTOM, Image.Transpose.FLIP_LEFT_RIGHT
STORED = {  # the inverse of what EXIF tells viewers to do
    2: MIRROR,
    3: Image.Transpose.ROTATE_180,
    4: FLIP,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}
# Of AVIF: quarters against the clock, then a mirror from top to bottom (0) or left to right (1).
TURNED = {
    2: ("--imir", "1"),
    3: ("--irot", "2"),
    4: ("--imir", "0"),
    5: ("--irot", "1", "--imir", "0"),
    6: ("--irot", "3"),
    7: ("--irot", "3", "--imir", "0"),
    8: ("--irot", "1"),
}
TO_P3 = ((0.822462, 0.177538, 0.0), (0.033194, 0.966806, 0.0), (0.017083, 0.072397, 0.910520))
P3 = profile_of(Colors(codes=(12, 13)))
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
GAMMA = 1.8
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/">'
    b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="a"/>'
    b"</rdf:RDF></x:xmpmeta>"
)


def data_of(case):
    """The bytes of a file."""
    levels = seen(case).tobytes()
    pixels = [_stored(levels[at : at + 4], case) for at in range(0, len(levels), 4)]
    rows = [pixels[at : at + SIZE[0]] for at in range(0, len(pixels), SIZE[0])]
    if case.format == "png" and case.frames == 1:
        return _png(case, rows)
    channels = len(pixels[0])
    mode = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}[channels]
    stored = bytes(round(255 * share) for pixel in pixels for share in pixel)
    image = _turned(Image.frombytes(mode, SIZE, stored), case)
    if case.format == "avif":
        return _avif(case, image)
    return _by_pillow(case, image)


def _stored(pixel, case):
    """The channels of an sRGB pixel as the case stores it, each 0 to 1."""
    *color, alpha = (level / 255 for level in pixel)
    if case.space.startswith("p3"):
        light = [_light(share) for share in color]
        color = [_value(sum(map(float.__mul__, row, light))) for row in TO_P3]
    elif case.space in ("gamma", "gray icc"):
        color = [_light(share) ** (1 / GAMMA) for share in color]
    if case.space.startswith("gray"):
        color = color[:1]
    return (*color, alpha) if case.alpha else tuple(color)


def _light(share):
    return share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4


def _value(light):
    light = min(1.0, max(0.0, light))
    return light * 12.92 if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055


def _turned(image, case):
    stored = STORED.get(case.orientation)
    return image if stored is None else image.transpose(stored)


def _icc(case):
    """The profile of a case; a large one ends with a million of bytes that no tag names."""
    profile = {"srgb icc": SRGB, "p3 icc": P3, "gray icc": _gray_profile()}.get(case.space, b"")
    if case.metadata == "large icc":
        profile += bytes(1_200_000)
        profile = struct.pack(">I", len(profile)) + profile[4:]
    return profile


def _gray_profile():
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"gray\0" + bytes(78)
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(GAMMA * 256)) + bytes(2)
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    tags = {b"desc": text + bytes(-len(text) % 4), b"wtpt": white, b"kTRC": curve}
    table, body, start = struct.pack(">I", len(tags)), b"", 132 + 12 * len(tags)
    for name, content in tags.items():
        table += name + struct.pack(">II", start + len(body), len(content))
        body += content
    size = 128 + len(table) + len(body)
    head = struct.pack(">I4xI4s4s4s", size, 0x02100000, b"mntr", b"GRAY", b"XYZ ")
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp").ljust(44, b"\0")
    return head + struct.pack(">3i", 63190, 65536, 54061) + bytes(48) + table + body


def _exif(case):
    """EXIF with the orientation, if the case has one or the other."""
    if case.orientation == 1 and case.metadata != "exif":
        return b""
    exif = Image.Exif()
    exif[0x0112] = case.orientation
    if case.metadata == "exif":
        exif[0x010E] = "Patches of color"
    return exif.tobytes()


def _by_pillow(case, image):
    settings = {"quality": 100} if case.format in ("jpeg", "webp") else {}
    settings |= {"subsampling": "4:4:4"} if case.format == "jpeg" else {}
    settings |= {"lossless": True} if case.format == "webp" else {}
    settings |= {"icc_profile": _icc(case)} if _icc(case) else {}
    settings |= {"exif": _exif(case)} if _exif(case) else {}
    settings |= {"comment": b"Patches of color"} if case.metadata == "comment" else {}
    if case.metadata == "xmp":
        settings["xmp"] = XMP
    if case.space == "cmyk":
        image = image.convert("CMYK")
    if case.format == "gif" and image.mode == "LA":
        image = image.convert("RGBA")  # Pillow would drop the alpha
    if case.frames > 1:
        settings |= {"save_all": True, "append_images": _others(image), "duration": 100}
    return image_bytes(image, case.format, **settings)


def _others(image):
    """The frames behind the first."""
    return [image.transpose(FLIP), image.transpose(MIRROR)]


def _png(case, rows):
    """A PNG of any depth, with chunks as the case says."""
    highest = (1 << case.depth) - 1
    channels = len(rows[0][0])
    planes = [[pixel[channel] for row in rows for pixel in row] for channel in range(channels)]
    turned = []
    for plane in planes:
        floats = Image.frombytes("F", SIZE, struct.pack(f"{len(plane)}f", *plane))
        turned.append(_turned(floats, case))
    width, height = turned[0].size
    shares = [struct.unpack(f"{width * height}f", plane.tobytes()) for plane in turned]
    values = [[round(share * highest) for share in plane] for plane in shares]
    pixels = [level for pixel in zip(*values, strict=True) for level in pixel]
    body, across = b"", width * channels
    for top in range(0, len(pixels), across):
        body += b"\0" + _packed(pixels[top : top + across], case.depth)
    color = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    header = struct.pack(">IIBBBBB", width, height, case.depth, color, 0, 0, 0)
    parts = [b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), *_chunks(case)]
    parts += [chunk(b"IDAT", zlib.compress(body)), chunk(b"IEND", b"")]
    return b"".join(parts)


def _packed(levels, depth):
    if depth == 1:
        bits = "".join(map(str, levels))  # as many as fill bytes
        return int(bits, 2).to_bytes(len(bits) // 8, "big")
    return struct.pack(f">{len(levels)}{'H' if depth == 16 else 'B'}", *levels)


def _chunks(case):
    if case.space == "p3 numbers":
        yield chunk(b"cICP", bytes((12, 13, 0, 1)))
    if case.space == "gamma":
        yield chunk(b"gAMA", struct.pack(">I", round(100_000 / GAMMA)))
    if _icc(case):
        yield chunk(b"iCCP", b"icc\0\0" + zlib.compress(_icc(case)))
    if _exif(case):
        yield chunk(b"eXIf", _exif(case).removeprefix(b"Exif\0\0"))
    if case.metadata == "xmp":
        yield chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP)


def _avif(case, image):
    with tempfile.TemporaryDirectory() as folder:
        at = Path(folder)
        frames = [image, *_others(image)][: case.frames]
        for number, frame in enumerate(frames):
            frame.save(at / f"{number}.png")
        words = ["avifenc", "-s", "10", "-d", str(case.depth), "--min", "0", "--max", "0"]
        words += ["-y", "400" if image.mode in ("L", "LA") else "444"]
        words += ["--minalpha", "0", "--maxalpha", "0"]
        words += ["--cicp", "12/13/6" if case.space == "p3 numbers" else "1/13/6"]
        words += TURNED.get(case.orientation, ())
        payloads = {"xmp": XMP if case.metadata == "xmp" else b"", "icc": _icc(case)}
        payloads["exif"] = _exif(case) if case.metadata == "exif" else b""
        for kind, payload in payloads.items():
            if payload:
                (at / kind).write_bytes(payload.removeprefix(b"Exif\0\0"))
                words += [f"--{kind}", str(at / kind)]
        words += [str(at / f"{number}.png") for number in range(len(frames))]
        words.append(str(at / "out.avif"))
        subprocess.run(words, check=True, capture_output=True)
        return (at / "out.avif").read_bytes()
