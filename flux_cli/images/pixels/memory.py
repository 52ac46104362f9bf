"""Bounds the memory of images that are decoded and encoded at the same time, in all threads.

The bytes per pixel were measured with Pillow 12, and rounded up. A small file can hold 100 million
pixels, and an encoder can take ten times the memory of its pixels. A decoder of JPEG can make fewer
pixels than the file has, but if they come in several scans, it holds all coefficients meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from threading import Condition

from flux_cli.core.errors import ImageError
from flux_cli.core.image import Inspection
from flux_cli.images.containers import jpeg
from flux_cli.images.containers.jpeg_ends import FRAMES
from flux_cli.images.containers.parts import u16
from flux_cli.images.outputs import Frame, Output

LIMIT = 960_000_000  # bytes; with Python, its modules and the received bytes, 1 GiB
PIXEL = 4  # bytes per pixel of an image in memory
DECODING = {"webp": 17, "avif": 14}  # bytes per pixel, with the pixels themselves
DECODING_OTHERS = 9
COEFFICIENT = 2  # bytes, one per sample of a JPEG
JPEG_PARTS = (1, 2, 4, 8)  # a decoder of JPEG can make so many times shorter sides
STRIPS = 1  # byte per pixel, for copies of parts of the image
ENCODING = {"jpeg": 8, "png": 6, "gif": 20, "webp": 19, "avif": 35}  # bytes per pixel, beside them
ENCODING_SMALL_PNG, ENCODING_LOSSLESS_WEBP = 16, 30
SCALING_FROM, SCALING_TO = 13, 16  # bytes per pixel before and after


class Memory:
    """Bytes that several threads share."""

    def __init__(self, limit: int) -> None:
        self._free, self._changed = limit, Condition()

    @contextmanager
    def reserve(self, size: int) -> Iterator[None]:
        """Wait until `size` bytes are free, at most the limit, and hold them in the block."""
        with self._changed:
            self._changed.wait_for(lambda: size <= self._free)
            self._free -= size
        try:
            yield
        finally:
            with self._changed:
                self._free += size
                self._changed.notify_all()


MEMORY = Memory(LIMIT)


def estimate(
    file_format: str,
    size: tuple[int, int],
    planned: Sequence[Output],
    workers: int,
    coefficients: int = 0,
) -> int:
    """The most bytes that it takes to decode an image and make the planned files.

    `size` is that of the decoded image in pixels; `workers` threads share the work. For the
    `coefficients`, see the function of this name.
    """
    pixels = size[0] * size[1]
    copy = PIXEL if workers > 1 and len(planned) > 1 else 0  # threads cannot save the same image
    steps = [_encoding(output, copy) for output in planned]
    held = pixels
    for frame in {output.frame for output in planned}:
        if (frame.width, frame.height) != size:
            steps.append(_scaling(frame, pixels))
            held += frame.width * frame.height
    steps.sort(reverse=True)
    decoding = estimate_decoding(file_format, pixels, coefficients)
    return max(decoding, PIXEL * held + sum(steps[:workers]))


def choose_part(
    file_format: str, size: tuple[int, int], planned: Sequence[Output], coefficients: int = 0
) -> tuple[int, int] | None:
    """The bytes that it takes one worker to make the files, and at which part of its sides.

    The part is 1 for the whole image, or 2, 4 or 8 for a JPEG that is decoded at a half, a quarter
    or an eighth. None if no part fits into memory, or only one with fewer pixels than a file has.
    """
    largest = max(output.frame.scale for output in planned)
    for part in JPEG_PARTS if file_format == "jpeg" else (1,):
        shrunk = ceil(size[0] / part), ceil(size[1] / part)
        memory = estimate(file_format, shrunk, planned, 1, coefficients)
        if memory <= LIMIT and (part == 1 or largest * part <= 1):
            return memory, part
    return None


def is_too_large(image: Inspection, output: Output) -> bool:
    """Whether it takes more memory than flux uses to make a file, if no other is made with it."""
    size = image.width, image.height
    return not output.untouched and choose_part(image.format, size, [output]) is None


def too_large_error(size: tuple[int, int]) -> ImageError:
    """The error for an image that takes more memory than flux uses."""
    width, height = size
    return ImageError(
        f"the image has {width}x{height} pixels, and this takes more than 1 GiB of memory",
        hint="ask for a smaller image, as with --width 2000, or another format (png and jpeg take "
        "the least memory)",
    )


def estimate_small(file_format: str, pixels: int, coefficients: int = 0) -> int:
    """The most bytes that it takes to decode an image of so many pixels, and to scale it down."""
    return estimate_decoding(file_format, pixels, coefficients) + 2 * PIXEL * pixels


def estimate_decoding(file_format: str, pixels: int, coefficients: int = 0) -> int:
    """The most bytes that it takes to decode an image to so many pixels, as RGB and upright."""
    whole = DECODING.get(file_format, DECODING_OTHERS) * pixels
    return max(whole, PIXEL * pixels + coefficients)


def estimate_checking(file_format: str, pixels: int, coefficients: int) -> int:
    """The most bytes that it takes to decode an image of so many pixels, and look at strips."""
    if file_format == "jpeg":
        return (PIXEL + STRIPS) * pixels + coefficients
    return estimate_decoding(file_format, pixels)


def coefficients(data: bytes, file_format: str) -> int:
    """The bytes that a decoder of a JPEG with several scans holds until it has read all of them.

    They do not get fewer if the image is decoded at a smaller scale.
    """
    if file_format != "jpeg" or jpeg.count_scans(data) < 2:
        return 0
    frame = next(part for part in jpeg.walk(data) if part.kind[0] in FRAMES)
    height, width = u16(data, frame.body + 1), u16(data, frame.body + 3)
    factors = [(byte >> 4, byte & 15) for byte in data[frame.body + 7 : frame.stop : 3]]
    across, down = (max(1, *sides) for sides in zip(*factors, strict=True))
    samples = sum(wide * high for wide, high in factors) / (across * down)
    return int(COEFFICIENT * samples * width * height)


def _scaling(frame: Frame, pixels: int) -> int:
    return SCALING_FROM * pixels + SCALING_TO * frame.width * frame.height


def _encoding(output: Output, copy: int) -> int:
    per_pixel = ENCODING[output.format]
    if output.format == "png" and output.effort == "small":
        per_pixel = ENCODING_SMALL_PNG
    elif output.format == "webp" and output.lossless:
        per_pixel = ENCODING_LOSSLESS_WEBP
    return (per_pixel + copy) * output.frame.width * output.frame.height
