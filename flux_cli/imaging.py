"""Conversion of pictures: decode what came, encode what was asked. The owner of Pillow, beside the offline painter."""

import io
import struct
import warnings

from PIL import Image, ImageCms, ImageMath, ImageOps, UnidentifiedImageError

from flux_cli.core.containers import inspect
from flux_cli.core.errors import PictureError
from flux_cli.core.formats import FORMATS
from flux_cli.core.request import Picture

MAX_PIXELS = 100_000_000  # what a decoded picture may have; the model's own have 4 million
GIF_SAMPLE = 16_000  # pixels a palette is chosen from: ten times faster than all of them, and no worse
PAPER = (255, 255, 255)
# What Pillow's readers raise for damaged bytes, by format: RuntimeError is AVIF's, SyntaxError PNG's.
_FAULTS = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    OSError,
    ValueError,
    SyntaxError,
    RuntimeError,
    EOFError,
    OverflowError,
    struct.error,
)
COLOURS = {"CMYK": b"CMYK"}  # how an ICC profile names the channels it is for; RGB where nothing else is said


def convert(data: bytes, file_format: str, quality: int | None) -> Picture:
    """Decode whole picture bytes and encode them as `file_format`, at `quality` (0 to 100) where it is lossy.

    Alpha is flattened onto white for JPEG, orientation is applied, the colour profile is kept where it still fits.
    Raises PictureError for bytes that Pillow cannot decode or that hold more pixels than any picture should.
    """
    row = FORMATS[file_format]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns about oddities of other people's files
            with Image.open(io.BytesIO(data), formats=[name.upper() for name in FORMATS]) as source:
                if source.width * source.height > MAX_PIXELS:
                    raise PictureError(f"the picture has {source.width}x{source.height} pixels: more than any should")
                image = _prepared(ImageOps.exif_transpose(source), alpha=row.alpha)
            encoded = _encoded(image, file_format, row.quality if quality is None else quality)
    except _FAULTS as fault:
        raise PictureError(f"the picture cannot be converted to {file_format}: {fault}") from fault
    look = inspect(encoded)
    return Picture(encoded, look.format, look.width, look.height, as_received=False)


def _prepared(image: Image.Image, *, alpha: bool) -> Image.Image:
    """The picture as 8-bit RGB, or RGBA where it has transparency and the format can keep it."""
    profile = image.info.get("icc_profile")
    if profile and profile[16:20] != COLOURS.get(image.mode, b"RGB "):
        profile = None  # it describes other channels than the picture will have
    if image.mode == "CMYK":
        image, profile = _from_cmyk(image, profile), None
    elif image.mode.startswith("I;16"):
        image = _from_sixteen_bits(image)
    has_alpha = image.has_transparency_data
    image = image.convert("RGBA" if has_alpha else "RGB")
    if has_alpha and not alpha:
        paper = Image.new("RGB", image.size, PAPER)
        paper.paste(image, mask=image.getchannel("A"))
        image = paper
    image.info = {"icc_profile": profile} if profile else {}
    return image


def _from_sixteen_bits(image: Image.Image) -> Image.Image:
    """Grey of 16 bits -> 8, with the one transparent grey it may name."""
    clear = image.info.get("transparency")
    grey = image.point(lambda value: value / 256).convert("L")
    if not isinstance(clear, int):
        return grey
    shown = ImageMath.lambda_eval(lambda args: (args["grey"] != clear) * 255, grey=image.convert("I"))
    return Image.merge("LA", (grey, shown.convert("L")))


def _from_cmyk(image: Image.Image, profile: bytes | None) -> Image.Image:
    """CMYK -> sRGB through its own profile where it has one: plain inversion gives garish colours."""
    if profile:
        try:
            converted = ImageCms.profileToProfile(
                image, ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB"), outputMode="RGB"
            )
        except (ImageCms.PyCMSError, OSError):
            converted = None
        if converted is not None:
            return converted
    return image.convert("RGB")


def _encoded(image: Image.Image, file_format: str, quality: int | None) -> bytes:
    settings: dict[str, object] = dict(FORMATS[file_format].encoder)
    if quality is not None:
        settings["quality"] = quality
    if file_format == "jpeg":
        settings["subsampling"] = "4:4:4" if (quality or 0) >= 90 else "4:2:0"
    if file_format == "gif":
        image = _paletted(image)
    stream = io.BytesIO()
    if "icc_profile" in image.info and file_format != "gif":
        settings["icc_profile"] = image.info["icc_profile"]
    image.save(stream, file_format, **settings)
    return stream.getvalue()


def _paletted(image: Image.Image) -> Image.Image:
    """256 colours chosen from a sample of the picture, then dithered; transparency becomes on or off."""
    flat = image.convert("RGB")
    step = max(1, int((flat.width * flat.height / GIF_SAMPLE) ** 0.5))
    sample = flat.resize((max(1, flat.width // step), max(1, flat.height // step)), Image.Resampling.NEAREST)
    if image.mode != "RGBA":
        palette = sample.quantize(256, Image.Quantize.MEDIANCUT, kmeans=1)
        return flat.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    palette = sample.quantize(255, Image.Quantize.MEDIANCUT, kmeans=1)
    paletted = flat.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)
    paletted.paste(255, mask=image.getchannel("A").point(lambda value: 255 * (value < 128)))
    paletted.info["transparency"] = 255
    return paletted
