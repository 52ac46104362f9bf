"""Encodes pixels as files, within a size limit if there is one. The settings are in `formats`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PIL import Image

from flux_cli.core.errors import UsageError
from flux_cli.images.containers import png
from flux_cli.images.formats import FORMATS, encoder
from flux_cli.images.outputs import Output
from flux_cli.images.pixels.color import flatten, to_srgb
from flux_cli.images.pixels.palette import COLORS, choose_palette, exact_palette
from flux_cli.images.pixels.pillow import save

FLAT = 0.5  # bytes per pixel; a smaller PNG is a drawing, where zlib's default strategy is better


def encode_within(image: Image.Image, output: Output) -> tuple[bytes, int]:
    """The bytes of a file and their quality: the requested one, or the best that fits `max_bytes`.

    Takes at most eight encodings. Raises UsageError if the file does not fit at any quality.
    """
    make = partial(encode, image, output.format, effort=output.effort, lossless=output.lossless)
    data = make(output.quality)
    if output.max_bytes is None or len(data) <= output.max_bytes - output.added:
        return data, output.quality
    if output.lossless or "quality" not in encoder(output.format, output.quality):
        raise _too_large(output, data, "and has no quality to lower")
    best, low, high = None, 0, output.quality
    while high - low > 1:
        middle = (low + high) // 2
        data = make(middle)
        if len(data) <= output.max_bytes - output.added:
            best, low = (data, middle), middle
        else:
            high = middle
    if best is None:
        raise _too_large(output, data, "even at the lowest quality")
    return best


def encode(
    image: Image.Image,
    file_format: str,
    quality: int,
    effort: str = "balanced",
    *,
    lossless: bool = False,
) -> bytes:
    """Encode RGB or RGBA pixels; `quality` (0 to 100) looks the same in every lossy format.

    Raises UsageError if `lossless` is set and the format cannot be lossless.
    """
    settings = encoder(file_format, quality, effort, lossless=lossless)
    profile = image.info.get("icc_profile")
    if not FORMATS[file_format].has_profile:
        image = to_srgb(image, profile or b"")
    elif profile:
        settings["icc_profile"] = profile
    if file_format == "gif":
        return save(_gif(image), "gif", settings)
    if file_format == "png":
        return _png(image, settings, effort)
    pixels = image if FORMATS[file_format].alpha else flatten(image)
    return save(pixels, file_format, settings)


def _png(image: Image.Image, settings: Mapping[str, object], effort: str) -> bytes:
    """The smallest of several PNGs.

    `small` tries two strategies, and a palette if there are few colors.
    """
    few = exact_palette(image) if effort == "small" else None
    shown = few or image
    made = [save(shown, "png", settings)]
    is_drawing = len(made[0]) <= FLAT * image.width * image.height
    if effort == "small" or (effort == "balanced" and is_drawing):
        default = {name: value for name, value in settings.items() if name != "compress_type"}
        made.append(save(shown, "png", default))
        if few:
            made.append(_filtered(few, default))
    return min(made, key=len)


def _filtered(few: Image.Image, settings: Mapping[str, object]) -> bytes:
    """A PNG with a palette and filtered rows, which makes drawings a tenth smaller.

    Pillow does not filter rows of palette indexes, so the file is encoded as gray and its header is
    changed afterwards.
    """
    gray = save(Image.frombytes("L", few.size, few.tobytes()), "png", settings)
    pixels = next(part.start for part in png.walk(gray) if part.kind == b"IDAT")
    colors = png.chunk(b"PLTE", bytes(few.getpalette() or []))
    clear = png.chunk(b"tRNS", few.info["transparency"]) if "transparency" in few.info else b""
    header = png.chunk(b"IHDR", gray[16:25] + b"\3" + gray[26:29])
    return b"".join((gray[:8], header, gray[33:pixels], colors, clear, gray[pixels:]))


def _gif(image: Image.Image) -> Image.Image:
    """The image with a palette of 256 colors. Pixels become fully transparent or fully opaque."""
    if image.mode != "RGBA":
        return exact_palette(image) or choose_palette(image)
    clear, flat = COLORS - 1, image.convert("RGB")
    paletted = exact_palette(flat, clear) or choose_palette(flat, clear)
    paletted.paste(clear, mask=image.getchannel("A").point(lambda value: 255 * (value < 128)))
    paletted.info["transparency"] = clear
    return paletted


def _too_large(output: Output, data: bytes, why: str) -> UsageError:
    frame = f"{output.frame.width}x{output.frame.height} {output.format}"
    size = len(data) + output.added
    message = f"--max-bytes {output.max_bytes:,}: {frame} takes {size:,} bytes {why}"
    hint = "allow more bytes, or ask for fewer pixels or another format (avif is smallest)"
    return UsageError(message, hint=hint)
