"""Converts any image to 8 bits per channel, with alpha if it has any, and its color profile."""

import io

from PIL import Image

from flux_cli.images.containers.container import HDR
from flux_cli.images.details import ImageDetails
from flux_cli.images.pixels.profile import profile_of


def normalize(image: Image.Image, details: ImageDetails) -> Image.Image:
    """The image as RGB or RGBA, with its color profile as `icc_profile` in its info.

    An image that is RGB or RGBA already is not copied: its info is replaced. Wide colors (Display
    P3) stay wide: a space that is named by numbers becomes a profile. CMYK, HDR, and gray with a
    profile become sRGB; their profile is dropped.
    """
    image.load()
    profile, is_hdr = _profile(details)
    channels = profile[16:20]
    if image.mode.startswith("I;16"):
        image = reduce_to_eight_bits(image)
    if image.mode == "CMYK":
        image, channels = to_srgb(image, profile if channels == b"CMYK" else b""), b""
    elif channels == b"GRAY" and image.mode in ("1", "L", "LA"):
        image, channels = _from_gray(image, profile), b""
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    elif getattr(image, "is_animated", False):
        image = image.copy()  # only of this frame
    if is_hdr:
        image, channels = to_srgb(image, profile), b""
    image.info = {"icc_profile": profile} if channels == b"RGB " else {}
    return image


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


def flatten(image: Image.Image) -> Image.Image:
    """The image on a white background, for formats without transparency."""
    if image.mode != "RGBA":
        return image
    paper = Image.new("RGB", image.size, (255, 255, 255))
    paper.paste(image, mask=image.getchannel("A"))
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


def _from_gray(image: Image.Image, profile: bytes) -> Image.Image:
    """Convert gray to sRGB by its profile. Without it, the image would be too dark or too light."""
    seen = image.convert("LA" if image.has_transparency_data else "L")
    shown = to_srgb(seen.getchannel("L") if seen.mode == "LA" else seen, profile)
    if seen.mode == "LA":
        shown.putalpha(seen.getchannel("A"))
    return shown


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
