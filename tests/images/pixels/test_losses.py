"""What a conversion keeps of color, depth, turns and frames, and what it says of the rest."""

import io
import struct
import zlib

import pytest
from PIL import Image, ImageCms

from flux_cli.core.errors import UsageError
from flux_cli.images.containers import png
from flux_cli.images.details import read_details
from flux_cli.images.finish import Finish
from flux_cli.images.metadata.strip import for_decoder
from flux_cli.images.names import fixed
from flux_cli.images.outputs import outputs
from flux_cli.images.pixels import thumbnails
from flux_cli.images.pixels.render import measure
from flux_cli.runs.saving.finish import PlannedFile, make_files
from flux_cli.runs.saving.provenance import Provenance

SOURCE, AS_SRGB = (200, 90, 70), (216, 81, 62)  # a color of Display P3


def saved(image: Image.Image, file_format: str, **settings: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, file_format, **settings)
    return stream.getvalue()


def flat() -> Image.Image:
    return Image.new("RGB", (16, 8), SOURCE)


def with_chunks(image: Image.Image, *chunks: bytes) -> bytes:
    data = saved(image, "png")
    return data[:33] + b"".join(chunks) + data[33:]


def avif_with_codes(primaries: int, transfer: int) -> bytes:
    data = saved(flat(), "avif", quality=100, subsampling="4:4:4")
    at = data.index(b"nclx") + 4
    return data[:at] + struct.pack(">HH", primaries, transfer) + data[at + 4 :]


def made(data: bytes, file_format: str, **finish: object) -> tuple[bytes, tuple[str, ...]]:
    """The one file that a conversion makes, and what is said about it."""
    plan = outputs(Finish(formats=(file_format,), **finish), measure(data))
    files = [PlannedFile(fixed("x"), output) for output in plan]
    (file,) = make_files(data, files, Provenance())
    return file.image.data, file.remarks


def shown(data: bytes) -> tuple[int, ...]:
    """The first pixel as an sRGB screen shows it, converted by LittleCMS."""
    image = Image.open(io.BytesIO(data))
    profile = image.info.get("icc_profile")
    image = image.convert("RGB")
    if profile:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.createProfile("sRGB")
        image = ImageCms.profileToProfile(image, source, target, outputMode="RGB")
    return image.getpixel((2, 2))


CHROMA = (31_270, 32_900, 68_000, 32_000, 26_500, 69_000, 15_000, 6_000)
P3 = {
    "nclx": avif_with_codes(12, 13),
    "cICP": with_chunks(flat(), png.chunk(b"cICP", bytes((12, 13, 0, 1)))),
    "cHRM": with_chunks(flat(), png.chunk(b"cHRM", struct.pack(">8I", *CHROMA))),
}


@pytest.mark.parametrize("target", ["png", "jpeg", "webp", "avif", "gif"])
@pytest.mark.parametrize("named_by", P3)
def test_display_p3_keeps_its_colors(named_by, target):
    quality = {} if target in ("png", "gif") else {"quality": 100}
    data, remarks = made(P3[named_by], target, effort="small", **quality)
    assert shown(data) == pytest.approx(AS_SRGB, abs=4)
    assert remarks == ()


@pytest.mark.parametrize("named_by", P3)
def test_previews_show_display_p3_in_its_colors(named_by):
    assert thumbnails.small(P3[named_by], (9, 9)).getpixel((2, 2)) == pytest.approx(AS_SRGB, abs=4)


def test_gamma_of_a_png_is_obeyed():
    data = with_chunks(flat(), png.chunk(b"gAMA", struct.pack(">I", 100_000)))
    linear = tuple(round(255 * (1.055 * (v / 255) ** (1 / 2.4) - 0.055)) for v in SOURCE)
    assert shown(made(data, "webp", quality=100)[0]) == pytest.approx(linear, abs=4)


@pytest.mark.parametrize("gamma", [0, 45_455, 1, 2**31])
def test_srgb_and_nonsense_get_no_profile(gamma):
    data = with_chunks(flat(), png.chunk(b"gAMA", struct.pack(">I", gamma)))
    assert "icc_profile" not in Image.open(io.BytesIO(made(data, "webp")[0])).info


def deep_png() -> bytes:
    rows = b"".join(b"\0" + bytes(range(48)) for _ in range(8))
    header = struct.pack(">IIBBBBB", 8, 8, 16, 2, 0, 0, 0)
    body = png.chunk(b"IHDR", header) + png.chunk(b"IDAT", zlib.compress(rows))
    return png.MAGIC + body + png.chunk(b"IEND", b"")


INEXACT = {
    "16 bits": deep_png(),
    "HDR colors (PQ)": avif_with_codes(9, 16),
    "HDR colors (HLG)": avif_with_codes(9, 18),
    "gain map": saved(flat(), "jpeg", xmp=b'<x hdrgm:Version="1.0"/>'),
}


@pytest.mark.parametrize("name", INEXACT)
def test_what_cannot_be_kept_is_named_once_and_refused_if_lossless(name):
    _, remarks = made(INEXACT[name], "png", effort="small")
    assert len(remarks) == 1
    assert name in remarks[0]
    with pytest.raises(UsageError, match="--lossless") as caught:
        made(INEXACT[name], "png", effort="small", lossless=True)
    assert name in caught.value.message


def test_a_copy_keeps_16_bits_and_says_nothing():
    data = deep_png()
    assert made(data, "png") == (data, ())


def test_hdr_is_shown_in_the_range_of_sdr():
    """Diffuse white of PQ (203 cd/m²) is at 58 % of its values, and becomes white."""
    data = avif_with_codes(9, 16)
    white = with_chunks(
        Image.new("RGB", (8, 8), (149, 149, 149)), png.chunk(b"cICP", bytes((9, 16, 0, 1)))
    )
    assert shown(made(white, "webp", quality=100)[0]) == pytest.approx((255,) * 3, abs=4)
    assert shown(made(data, "png")[0]) != SOURCE


@pytest.mark.parametrize("file_format", ["gif", "webp", "avif", "png"])
def test_a_lost_animation_is_named(file_format):
    frames = [Image.new("RGB", (16, 16), color) for color in ("red", "lime", "blue")]
    data = saved(frames[0], file_format, save_all=True, append_images=frames[1:], duration=100)
    _, remarks = made(data, "jpeg")
    assert len(remarks) == 1
    assert "animation" in remarks[0]


def test_metadata_never_stops_pixels():
    profile = zlib.compress(bytes(1_400_000))
    chunks = [
        png.chunk(b"iCCP", b"icc\0\0" + profile),
        png.chunk(b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(b"x" * 2_000_000)),
        png.chunk(b"iTXt", b"a\0\1\0\0\0" + profile),
        png.chunk(b"acTL", bytes(8)),
        png.chunk(b"eXIf", b"no EXIF"),
        png.chunk(b"tIME", b""),
    ]
    data = with_chunks(flat(), *chunks)
    assert shown(made(data, "png", effort="small")[0]) == SOURCE


def test_what_a_decoder_does_not_need_is_not_copied():
    data = saved(flat(), "webp")
    assert for_decoder(data, "webp") is data


def test_a_rotated_avif_is_turned_once_whatever_exif_says():
    exif = Image.Exif()
    exif[0x0112] = 6
    data = saved(Image.new("RGB", (16, 8)), "avif", exif=exif.tobytes())
    details = read_details(data)
    assert (details.orientation, details.seen) == (6, (8, 16))
    assert (measure(data).width, measure(data).height) == (8, 16)


def test_previews_turn_an_image_as_conversions_do():
    """EXIF does not turn an AVIF without a turn of its own."""
    exif = Image.Exif()
    exif[0x0112] = 6
    for file_format in ("avif", "jpeg", "png", "webp"):
        data = saved(Image.new("RGB", (16, 8)), file_format, exif=exif.tobytes())
        shape = thumbnails.measure(data)
        assert shape == read_details(data).seen == thumbnails.small(data, (99, 99)).size
