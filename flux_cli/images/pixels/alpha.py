"""Finds out whether an image has transparent pixels."""

from __future__ import annotations

from flux_cli.images.pixels.pillow import catch_faults, opened

OPAQUE = 255


def is_transparent(data: bytes, file_format: str) -> bool:
    """Whether any pixel is not opaque. Raises ImageError if the image cannot be decoded."""
    with opened(data, file_format) as image, catch_faults("cannot be decoded"):
        if not image.has_transparency_data:
            return False
        counts = image.convert("RGBA").getchannel("A").histogram()
        return any(counts[:OPAQUE])
