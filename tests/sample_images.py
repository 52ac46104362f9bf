"""Small real images of every kind that the five containers hold."""

import io
import random
import struct

from PIL import Image

from flux_cli.images.containers import png
from flux_cli.images.containers.avif import C2PA_BOX

WIDE, HIGH = 67, 43  # odd, and no multiples of a block


def drawn(mode="RGB", size=(WIDE, HIGH)):
    """An image with soft gradients and hard edges, in any mode."""
    radial = Image.radial_gradient("L").resize(size)
    linear = Image.linear_gradient("L").resize(size)
    steps = radial.point(lambda value: value & 0xC0)
    return Image.merge("RGB", (radial, linear, steps)).convert(mode)


def encoded(file_format, mode="RGB", size=(WIDE, HIGH), **settings_):
    stream = io.BytesIO()
    drawn(mode, size).save(stream, file_format, **settings_)
    return stream.getvalue()


def animated(file_format, **settings_):
    frames = [Image.new("RGB", (WIDE, HIGH), color) for color in ("red", "green", "blue")]
    return encoded(file_format, save_all=True, append_images=frames, duration=50, **settings_)


IMAGES = {
    "png": encoded("png"),
    "png palette": encoded("png", "P"),
    "png gray": encoded("png", "L"),
    "png gray and alpha": encoded("png", "LA"),
    "png alpha": encoded("png", "RGBA"),
    "png one bit": encoded("png", "1"),
    "png stored": encoded("png", compress_level=0),
    "png of one pixel": encoded("png", size=(1, 1)),
    "png animated": animated("png"),
    "jpeg": encoded("jpeg", quality=80),
    "jpeg progressive": encoded("jpeg", progressive=True, quality=95),
    "jpeg gray": encoded("jpeg", "L"),
    "jpeg cmyk": encoded("jpeg", "CMYK"),
    "jpeg of full color": encoded("jpeg", subsampling=0, quality=100),
    "jpeg with restarts": encoded("jpeg", restart_marker_blocks=2),
    "jpeg with a comment": encoded("jpeg", comment=b"\xff\xd9 is no end in here"),
    "jpeg with exif": encoded("jpeg", exif=b"Exif\0\0" + b"\xff\xd8\xff\xd9" * 20),
    "jpeg of one pixel": encoded("jpeg", size=(1, 1)),
    "gif": encoded("gif"),
    "gif gray": encoded("gif", "L"),
    "gif alpha": encoded("gif", "RGBA"),
    "gif interlaced": encoded("gif", interlace=True),
    "gif animated": animated("gif"),
    "gif with a comment": encoded("gif", comment=b"\x3b ends nothing in here"),
    "webp lossy": encoded("webp", quality=80),
    "webp lossless": encoded("webp", lossless=True),
    "webp lossy alpha": encoded("webp", "RGBA", quality=60),
    "webp lossless alpha": encoded("webp", "RGBA", lossless=True),
    "webp with exif": encoded("webp", exif=b"Exif\0\0odd"),
    "webp animated": animated("webp"),
    "avif": encoded("avif", speed=10),
    "avif alpha": encoded("avif", "RGBA", speed=10),
    "avif gray": encoded("avif", "L", speed=10),
    "avif animated": animated("avif", speed=10),
}


def damaged_copies(data, count=40, near=400):
    """Copies of a file with up to five bytes changed, most of them among the first `near`.

    The same ones in every run. Hypothesis would take twenty times as long for as many.
    """
    chance = random.Random(len(data))
    for _ in range(count):
        copy = bytearray(data)
        for _ in range(chance.randint(1, 5)):
            end = chance.choice((min(near, len(data)), len(data)))
            odd = chance.choice((0, 1, 0x7F, 0x80, 0xD9, 0xFF))
            copy[chance.randrange(end)] = chance.choice((odd, chance.randrange(256)))
        yield bytes(copy)


def image_bytes(image, file_format="png", **options):
    """The bytes of a file with this image."""
    stream = io.BytesIO()
    image.save(stream, file_format, **options)
    return stream.getvalue()


def opened(data):
    """The image in a file's bytes, read to its end."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def signed(name: str, data: bytes) -> bytes:
    """An image with the mark of content credentials where each format has it."""
    if name == "png":
        return data[:33] + png.chunk(b"caBX", b"\0\0\0\x20jumb") + data[33:]
    if name == "jpeg":
        body = b"JP\0\1\0\0\0\1\0\0\0\x40jumb\0\0\0\x1ejumdc2pa" + bytes(16)
        return data[:2] + b"\xff\xeb" + struct.pack(">H", 2 + len(body)) + body + data[2:]
    if name == "gif":
        return data[:-1] + b"!\xff\x0bC2PA_GIF\1\0\0\4abcd\0" + data[-1:]
    if name == "avif":
        return data + struct.pack(">I4s", 28, b"uuid") + C2PA_BOX + b"1234"
    whole = data + b"C2PA" + struct.pack("<I", 4) + b"abcd"
    return whole[:4] + struct.pack("<I", len(whole) - 8) + whole[8:]
