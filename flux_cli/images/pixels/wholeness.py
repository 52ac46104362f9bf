"""Decides whether an image that is not sound is whole: decoders are the arbiters.

Only images with faults are decoded, so most runs never load Pillow for this.
"""

from __future__ import annotations

from collections.abc import Sequence

from flux_cli.core.errors import ImageError
from flux_cli.images.containers.registry import Look, broken_error, look

STRIP = 64  # rows that are hashed at a time
MAX_DECODED = 400_000_000  # pixels of all frames, scans and versions, to check one image twice


def examine(data: bytes) -> Look:
    """Look at an image, and decode it if it is not sound, to know whether all pixels are there.

    Raises ImageError for anything but an image, and if pixels are missing or damaged.
    """
    found = look(data)
    if found.image.fault:
        _check_pixels(found)
    return found


def _check_pixels(found: Look) -> None:
    """Raise ImageError unless a decoder finds all pixels, and the same ones in every version.

    Versions differ in what fills the end. If that can be seen, pixels are missing. If nobody sees
    that the last byte is missing, either, it is no pixels, and nobody knows where they were cut.
    """
    from flux_cli.images.pixels.memory import (
        LIMIT,
        MEMORY,
        coefficients,
        estimate_checking,
        too_large_error,
    )
    from flux_cli.images.pixels.pillow import check_pixels

    image = found.image
    check_pixels(image.format, image.width, image.height)
    held = coefficients(found.sound, image.format)
    memory = estimate_checking(image.format, image.width * image.height, held)
    if memory > LIMIT:
        raise too_large_error((image.width, image.height))
    most = MAX_DECODED // (1 + len(found.others))
    try:
        with MEMORY.reserve(memory):
            pixels = _hash_pixels(found.sound, image.format, most)

            def looks_the_same(pieces: Sequence[memoryview | bytes]) -> bool:
                return _hash_pixels(b"".join(pieces), image.format, most) == pixels

            is_whole = all(map(looks_the_same, found.others))
            if is_whole and found.shorter:
                is_whole = not all(map(looks_the_same, found.shorter))
    except ImageError as fault:
        raise broken_error(image.format, image.size, image.fault) from fault
    if not is_whole:
        raise broken_error(image.format, image.size, image.fault)


def _hash_pixels(data: bytes, file_format: str, most: int) -> bytes:
    """A hash of the pixels of all frames.

    Raises ImageError if one is damaged, or if a decoder goes through more than `most` pixels.
    """
    from hashlib import blake2b

    from flux_cli.images.containers import jpeg
    from flux_cli.images.pixels.pillow import catch_faults, opened

    total = blake2b(digest_size=16)
    with catch_faults("cannot be decoded"), opened(data, file_format) as image:
        rounds = getattr(image, "n_frames", 1)
        if file_format == "jpeg":
            rounds = jpeg.count_scans(data)
            image.draft("YCbCr", None)  # as stored: rounded colors could hide a difference
        if rounds * image.width * image.height > most:
            raise ImageError("it takes too long to decode")
        frames = 1 if file_format == "jpeg" else rounds
        for frame in range(frames):
            image.seek(frame)
            for top in range(0, image.height, STRIP):  # a copy of all pixels takes much memory
                strip = image.crop((0, top, image.width, min(top + STRIP, image.height)))
                total.update(strip.tobytes())
    return total.digest()
