"""Small real images of every kind that the five containers hold."""

import io

from PIL import Image

WIDE, HIGH = 67, 43  # odd, and no multiples of a block


def drawn(mode="RGB", size=(WIDE, HIGH)):
    """An image with soft gradients and hard edges, in any mode."""
    round_, straight = (
        Image.radial_gradient("L").resize(size),
        Image.linear_gradient("L").resize(size),
    )
    return Image.merge("RGB", (round_, straight, round_.point(lambda value: value & 0xC0))).convert(
        mode
    )


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
