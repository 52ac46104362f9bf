"""Real images for servers to send, and a look at what was saved."""

import functools
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from PIL import Image

LARGEST_TYPED = 1000  # tests type smaller seeds; those that flux draws are larger


def image_for(body: Mapping[str, Any]) -> bytes:
    """A real image in the size and format of a request; JPEG by default, as upstreams do it.

    Without a seed, and with one that was drawn, it is that of seed 0, so that tests know it.
    """
    pixels = re.fullmatch(r"(\d+)x(\d+)", str(body.get("size", "")))
    width, height = (int(pixels[1]), int(pixels[2])) if pixels else (1024, 1024)
    seed = body.get("seed")
    is_typed = isinstance(seed, int) and seed < LARGEST_TYPED
    return pixels_as(body.get("output_format", "jpeg"), width, height, seed if is_typed else 0)


@functools.cache
def pixels_as(file_format: str, width: int = 1024, height: int = 1024, seed: int = 0) -> bytes:
    """A gradient whose color depends on the seed, encoded by Pillow."""
    gray = Image.radial_gradient("L").resize((width, height))
    image = Image.merge(
        "RGB", (gray, gray.point(lambda value: (value + 40 * seed) % 256), gray.transpose(1))
    )
    stream = io.BytesIO()
    image.save(stream, file_format)
    return stream.getvalue()


def noise(side: int) -> bytes:
    """A JPEG that is hard to encode as anything else."""
    stream = io.BytesIO()
    Image.effect_noise((side, side), 80).convert("RGB").save(stream, "jpeg")
    return stream.getvalue()


def encode(data: bytes, file_format: str) -> bytes:
    """The image in another format, the way flux encodes it or slower."""
    stream = io.BytesIO()
    with Image.open(io.BytesIO(data)) as image:
        image.save(stream, file_format, speed=9)
    return stream.getvalue()


def look(source: Path | str | bytes) -> tuple[str, tuple[int, int]]:
    """Format and pixels of an image, decoded to the last byte."""
    with Image.open(io.BytesIO(source) if isinstance(source, bytes) else source) as image:
        image.load()
        return image.format.lower(), image.size
