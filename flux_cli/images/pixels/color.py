"""Converts any image to gray or RGB of 8 bits, with alpha if it has any, and its color profile.

Also finds out whether an image has transparent pixels.
"""

import io

from PIL import Image

from flux_cli.images.containers.container import HDR
from flux_cli.images.details import ImageDetails
from flux_cli.images.pixels.pillow import catch_faults, opened
from flux_cli.images.pixels.profile import profile_of

OPAQUE = 255


def normalize(image: Image.Image, details: ImageDetails) -> Image.Image:
    """The image as L, LA, RGB or RGBA, with its color profile as `icc_profile` in its info.

    An image in one of these modes is not copied: its info is replaced. Wide colors (Display P3)
    stay wide: a space that is named by numbers becomes a profile. CMYK, HDR, and gray with a
    profile become sRGB; their profile is dropped.
    """
    image.load()
    profile, is_hdr = _profile(details)
    channels = profile[16:20]
    if image.mode.startswith("I;16"):
        image = reduce_to_eight_bits(image)
    if image.mode == "CMYK":
        image, channels = to_srgb(image, profile if channels == b"CMYK" else b""), b""
    is_gray = details.colors.model == "gray" or _is_gray(image)
    mode = "L" if is_gray else "RGB"
    if image.has_transparency_data:
        mode += "A"
    if image.mode != mode:
        image = image.convert(mode)
    elif getattr(image, "is_animated", False):
        image = image.copy()  # only of this frame
    if is_gray and channels in (b"GRAY", b"RGB "):
        image, channels = _gray_to_srgb(image, profile), b""
    elif is_hdr:
        image, channels = to_srgb(image, profile), b""
    image.info = {"icc_profile": profile} if channels == b"RGB " else {}
    return image


def _is_gray(image: Image.Image) -> bool:
    """Whether all pixels are gray by the mode or the palette of an image."""
    if image.mode != "P":
        return image.mode in ("1", "L", "LA")
    levels = image.getpalette() or []
    return levels[::3] == levels[1::3] == levels[2::3]


def _profile(details: ImageDetails) -> tuple[bytes, bool]:
    """The profile of an image, and whether it is one of HDR that only serves to convert pixels."""
    colors = details.colors
    made = profile_of(colors) if colors.has_first_codes or not details.icc else b""
    is_hdr = bool(made and colors.codes and colors.codes[1] in HDR)
    return made or details.icc, is_hdr


def to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """The image in sRGB, converted by its profile, or by plain arithmetic if that is not usable.

    An RGB image without a profile is returned as it is.
    """
    bare = image.convert("RGB") if image.mode == "RGBA" else image
    shown = _by_profile(bare, profile)
    if shown is None:
        shown = bare if bare.mode == "RGB" else bare.convert("RGB")
    if image.mode == "RGBA":
        shown.putalpha(image.getchannel("A"))
    return shown


def from_srgb(levels: tuple[int, ...], profile: bytes) -> tuple[int, ...]:
    """Red, green and blue of sRGB in the colors of a profile; unchanged if it is not usable."""
    if not profile:
        return levels
    from PIL import ImageCms  # see `_by_profile`

    pixel = Image.new("RGB", (1, 1), levels)
    try:
        target = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        source = ImageCms.createProfile("sRGB")
        made = ImageCms.profileToProfile(pixel, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return levels
    return tuple(made.tobytes()) if made else levels


def is_transparent(data: bytes, file_format: str) -> bool:
    """Whether any pixel is not opaque. Raises ImageError if the image cannot be decoded."""
    with opened(data, file_format) as image, catch_faults("cannot be decoded"):
        if not image.has_transparency_data:
            return False
        counts = image.convert("RGBA").getchannel("A").histogram()
        return any(counts[:OPAQUE])


def flatten(image: Image.Image) -> Image.Image:
    """The image on a white background, for formats without transparency."""
    if image.mode not in ("LA", "RGBA"):
        return image
    paper = Image.new(image.mode.removesuffix("A"), image.size, "white")
    paper.paste(image.convert(paper.mode), mask=image.getchannel("A"))
    paper.info = image.info
    return paper


def _by_profile(image: Image.Image, profile: bytes) -> Image.Image | None:
    """The image in sRGB, converted by its profile; None if the profile is missing or broken."""
    if not profile:
        return None
    from PIL import ImageCms  # costs a tenth of a small conversion; most images have no profile

    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        return ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    except (ImageCms.PyCMSError, OSError):
        return None


def _gray_to_srgb(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert L or LA to sRGB by a profile. Without it, it would be too dark or too light."""
    ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
    if profile[16:20] != b"GRAY":
        ramp = ramp.convert("RGB")
    levels = list(to_srgb(ramp, profile).getchannel("G").tobytes())
    if image.mode == "L":
        return image.point(levels)
    return Image.merge("LA", (image.getchannel("L").point(levels), image.getchannel("A")))


def reduce_to_eight_bits(image: Image.Image) -> Image.Image:
    """Convert 16-bit gray to 8 bits. If one gray level is transparent, it stays so."""
    clear = image.info.get("transparency")
    gray = image.point(lambda value: value / 256).convert("L")
    if not isinstance(clear, int):
        return gray
    from PIL import ImageMath

    levels = image.convert("I")
    alpha = ImageMath.lambda_eval(lambda args: (args["gray"] != clear) * 255, gray=levels)
    return Image.merge("LA", (gray, alpha.convert("L")))
