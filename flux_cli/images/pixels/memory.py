"""Bounds the memory of images that are decoded and encoded at the same time, in all threads.

The bytes per pixel were measured with Pillow 12, and rounded up. A small file can hold 100 million
pixels, and an encoder can take ten times the memory of its pixels.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Condition

from flux_cli.core.errors import ImageError
from flux_cli.images.outputs import Frame, Output

LIMIT = 960_000_000  # bytes; with Python, its modules and the received bytes, 1 GiB
PIXEL = 4  # bytes per pixel of an image in memory
DECODING = {"webp": 17, "avif": 14}  # bytes per pixel, with the pixels themselves
DECODING_OTHERS = 9
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
    file_format: str, size: tuple[int, int], planned: Sequence[Output], workers: int
) -> int:
    """The most bytes that it takes to decode an image and make the planned files.

    `size` is that of the decoded image in pixels; `workers` threads share the work.
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
    return max(_decoding(file_format) * pixels, PIXEL * held + sum(steps[:workers]))


def too_large_error(size: tuple[int, int]) -> ImageError:
    """The error for an image that takes more memory than flux uses."""
    width, height = size
    return ImageError(
        f"the image has {width}x{height} pixels, and this takes more than 1 GiB of memory",
        hint="ask for a smaller image, or another format (png and jpeg take the least memory)",
    )


def estimate_small(file_format: str, pixels: int) -> int:
    """The most bytes that it takes to decode an image of so many pixels, and to scale it down."""
    return (_decoding(file_format) + 2 * PIXEL) * pixels


def estimate_decoding(file_format: str, pixels: int) -> int:
    """The most bytes that it takes to decode an image of so many pixels."""
    return _decoding(file_format) * pixels


def _decoding(file_format: str) -> int:
    return DECODING.get(file_format, DECODING_OTHERS)


def _scaling(frame: Frame, pixels: int) -> int:
    return SCALING_FROM * pixels + SCALING_TO * frame.width * frame.height


def _encoding(output: Output, copy: int) -> int:
    per_pixel = ENCODING[output.format]
    if output.format == "png" and output.effort == "small":
        per_pixel = ENCODING_SMALL_PNG
    elif output.format == "webp" and output.lossless:
        per_pixel = ENCODING_LOSSLESS_WEBP
    return (per_pixel + copy) * output.frame.width * output.frame.height
