"""Finishing real pixels: exact sizes, light, transparency, colors, crops, limits, odd inputs."""

import io
import itertools
import math
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageOps, ImageStat
from sample_images import image_bytes, opened

from flux_cli.core.errors import FluxError, ImageError, UsageError
from flux_cli.core.ratio import parse_shape, parse_side
from flux_cli.images.containers import png
from flux_cli.images.containers.registry import inspect
from flux_cli.images.finish import FOCUSES, Finish
from flux_cli.images.formats import EFFORTS, FORMATS
from flux_cli.images.outputs import outputs
from flux_cli.images.pixels.render import measure, render
from flux_cli.images.pixels.resize import add_borders

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def rendered(data, workers=1, *, only_widths=True, **wanted):
    size = wanted.pop("size", None)
    target = (parse_side(size) or parse_shape(size)) if size else None
    finish = Finish(target=target, only_widths=only_widths, **wanted)
    return list(render(data, outputs(finish, measure(data)), workers))


def one(data, **wanted):
    (only,) = rendered(data, **wanted)
    return opened(only.image.data)


def psnr(first, second):
    difference = ImageChops.difference(first.convert("RGB"), second.convert("RGB"))
    squares = ImageStat.Stat(difference).sum2
    mean = sum(squares) / (3 * first.width * first.height)
    return 99.0 if mean == 0 else 10 * math.log10(255**2 / mean)


def scene(width=600, height=400):
    """Soft light, a few hard edges, some texture."""
    radial = Image.radial_gradient("L").resize((width, height))
    linear = Image.linear_gradient("L").resize((width, height))
    image = Image.merge("RGB", (radial, linear, radial.transpose(1)))
    draw = ImageDraw.Draw(image)
    for at in range(0, width, 40):
        draw.line((at, 0, width - at, height), fill=(at % 256,) * 3, width=3)
    return image


SCENE = image_bytes(scene())
SMALL = image_bytes(scene(240, 160))
SIDES = st.integers(1, 300)

# --- exact pixels


@given(SIDES, SIDES, st.sampled_from(["cover", "exact"]), st.sampled_from(FOCUSES))
@example(wide=1, high=1, fit="cover", focus="attention")
@example(wide=1, high=300, fit="cover", focus="entropy")
@example(wide=300, high=1, fit="exact", focus="center")
def test_any_target_comes_out_to_the_pixel(wide, high, fit, focus):
    wanted = {"size": f"{wide}x{high}", "fit": fit, "upscale": True}
    if fit == "cover":
        wanted["focus"] = focus
    made = one(SMALL, **wanted, formats=("png",), effort="fast")
    assert made.size == (wide, high)


@pytest.mark.parametrize("target", FORMATS)
@pytest.mark.parametrize("size", ["1x1", "17x33", "600x1", "300x200"])
def test_every_format_has_the_pixels_asked_for(target, size):
    made = one(SCENE, size=size, fit="cover", formats=(target,))
    assert made.size == tuple(int(side) for side in size.split("x"))


def test_one_decode_serves_many_files_in_the_order_of_the_plan():
    wanted = {"formats": ("webp", "jpeg"), "widths": (300, 150), "size": "500x200", "fit": "cover"}
    made = rendered(SCENE, 2, only_widths=False, **wanted)
    sizes = [(500, 200), (300, 120), (150, 60)]
    expected = [(name, *size) for size in sizes for name in ("webp", "jpeg")]
    assert [(one.image.format, one.image.width, one.image.height) for one in made] == expected


def test_more_threads_change_nothing_in_the_bytes():
    wanted = {"formats": ("webp", "png", "avif"), "widths": (300, 150)}
    single, many = (rendered(SCENE, workers, **wanted) for workers in (1, 4))
    for first, second in zip(single, many, strict=True):
        assert first.image.data == second.image.data


def test_a_crop_without_scaling_keeps_every_pixel():
    made = one(SCENE, size="1:1", fit="cover", focus="left", formats=("png",))
    assert psnr(made, scene().crop((0, 0, 400, 400))) == 99


def test_what_is_asked_as_it_is_stays_byte_for_byte():
    (same,) = rendered(SCENE, size="600x400", fit="cover", formats=("png",))
    assert same.image.data is SCENE
    assert same.image.as_received


@pytest.mark.parametrize("target", ["png", "webp"])
@pytest.mark.parametrize("effort", EFFORTS)
def test_lossless_loses_nothing_not_even_under_transparency(target, effort):
    image = scene(90, 60)
    image.putalpha(Image.linear_gradient("L").resize((90, 60)))
    made = one(image_bytes(image), formats=(target,), lossless=True, effort=effort)
    assert made.convert("RGBA").tobytes() == image.tobytes()


# --- one side, borders, points

RED, BLUE, CLEAR = (255, 0, 0, 255), (0, 0, 255, 255), (0, 0, 0, 0)
WHITE = (255, 255, 255, 255)
HALVES = Image.new("RGB", (60, 40), RED[:3])
HALVES.paste(BLUE[:3], (30, 0, 60, 40))  # red is left, blue is right
TURNED = 0x0112  # the EXIF tag of the orientation


def turned(orientation):
    """HALVES as a camera would store it: the pixels lie on their side, and EXIF turns them."""
    exif = Image.Exif()
    exif[TURNED] = orientation
    return image_bytes(HALVES.transpose(Image.Transpose.ROTATE_90), exif=exif)


@pytest.mark.parametrize(
    ("size", "pixels"), [("30x", (30, 20)), ("x10", (15, 10)), ("90x", (90, 60))]
)
@pytest.mark.parametrize("data", [image_bytes(HALVES), turned(6)], ids=["upright", "turned"])
def test_one_side_is_that_of_the_image_as_it_is_seen(data, size, pixels):
    made = one(data, size=size, upscale=True, formats=("png",)).convert("RGB")
    assert made.size == pixels
    assert made.getpixel((0, pixels[1] // 2)) == RED[:3]
    assert made.getpixel((pixels[0] - 1, pixels[1] // 2)) == BLUE[:3]


PADDED = {
    "transparent": ("png", None, CLEAR),
    "white in jpeg": ("jpeg", None, WHITE),
    "a color": ("png", "#00ff00ff", (0, 255, 0, 255)),
    "half transparent": ("webp", "#00ff0080", (0, 255, 0, 128)),
    "a color in a palette": ("gif", "#00ff00ff", (0, 255, 0, 255)),
}


@pytest.mark.parametrize(("target", "color", "border"), PADDED.values(), ids=PADDED)
@pytest.mark.parametrize("data", [image_bytes(HALVES), turned(6)], ids=["upright", "turned"])
def test_pad_shows_all_of_the_image_between_borders_of_the_color(data, target, color, border):
    wanted = {"lossless": target == "webp", "quality": 100 if target == "jpeg" else None}
    made = one(data, size="80x80", fit="pad", pad_color=color, formats=(target,), **wanted)
    shown = made.convert("RGBA")
    assert shown.size == (80, 80)
    for place, expected in {
        (0, 0): border, (79, 79): border, (40, 10): border, (5, 40): border,
        (12, 22): RED, (12, 57): RED, (67, 22): BLUE, (67, 57): BLUE,
    }.items():  # fmt: skip
        near = zip(shown.getpixel(place), expected, strict=True)
        assert max(abs(is_ - wanted_) for is_, wanted_ in near) <= 3, place


def test_pad_to_a_square_keeps_every_pixel():
    made = one(SCENE, size="1:1", fit="pad", formats=("png",))
    assert made.size == (600, 600)
    assert made.crop((0, 100, 600, 500)).convert("RGB").tobytes() == scene().tobytes()
    assert {*made.crop((0, 0, 600, 100)).get_flattened_data()} == {CLEAR}


def test_transparent_parts_stay_transparent_between_opaque_borders():
    ghost = image_bytes(Image.new("RGBA", (20, 10), (9, 9, 9, 0)))
    made = one(ghost, size="20x20", fit="pad", pad_color="#ffffffff", formats=("png",))
    assert (made.getpixel((0, 0)), made.getpixel((10, 10))[3]) == (WHITE, 0)


POINTS = {"0,0.5": (0, 20), "0.25,0.5": (5, 25), "0.5,0.5": (20, 40), "0.9,0.1": (40, 60)}


@pytest.mark.parametrize(("focus", "columns"), POINTS.items(), ids=POINTS)
@pytest.mark.parametrize("data", [image_bytes(HALVES), turned(6)], ids=["upright", "turned"])
def test_a_point_is_in_the_middle_of_the_crop(data, focus, columns):
    made = one(data, size="20x40", fit="cover", focus=focus, formats=("png",))
    assert made.convert("RGB").tobytes() == HALVES.crop((columns[0], 0, columns[1], 40)).tobytes()


# --- light, transparency, color


def test_light_is_averaged_as_light():
    """Half of the light of white is 188 in sRGB; averaging the numbers would give 128."""
    rows = bytes([0, 255] * 64), bytes([255, 0] * 64)
    board = Image.frombytes("L", (128, 128), b"".join(rows * 64))
    made = one(image_bytes(board.convert("RGB")), size="16x16", fit="cover", formats=("png",))
    assert set(itertools.chain(*made.getextrema())) <= {187, 188, 189}


@pytest.mark.parametrize("level", [0, 1, 7, 64, 128, 200, 254, 255])
def test_a_flat_color_stays_the_very_same(level):
    flat = Image.new("RGB", (300, 200), (level, 0, 255 - level))
    made = one(image_bytes(flat), widths=(77,), formats=("png",))
    made = made.convert("RGB")
    assert made.getextrema() == ((level, level), (0, 0), (255 - level, 255 - level))


@pytest.mark.parametrize("size", ["40x40", "400x400"])
def test_transparent_pixels_lend_no_color_to_their_neighbors(size):
    """Green under nothing, beside red: a fringe would be neither."""
    image = Image.new("RGBA", (200, 200), (0, 255, 0, 0))
    image.paste((255, 0, 0, 255), (0, 0, 101, 200))
    made = one(image_bytes(image), size=size, fit="exact", upscale=True, formats=("png",))
    _, green, _, alpha = (band.tobytes() for band in made.convert("RGBA").split())
    assert max(green for green, alpha in zip(green, alpha, strict=True) if alpha > 16) <= 8


def profile_named(name):
    """An ICC profile of other primaries: sRGB's with red and green changed."""
    wide = bytearray(SRGB)
    at = wide.index(b"rXYZ")
    offset = int.from_bytes(wide[at + 4 : at + 8], "big")
    wide[offset + 8 : offset + 12] = int(0.515 * 65536).to_bytes(4, "big")  # Display P3's red
    return bytes(wide).replace(b"s\0R\0G\0B", name.encode("utf-16-be")[: len("s\0R\0G\0B")])


P3 = profile_named("P3xx")


def test_borders_have_their_color_also_among_wide_colors():
    wanted = {"size": "2:1", "fit": "pad", "pad_color": "#cc3311ff"}
    data = image_bytes(scene(60, 60), icc_profile=P3)
    shown = one(data, formats=("png",), **wanted)
    assert shown.info["icc_profile"] == P3
    as_srgb = ImageCms.profileToProfile(
        shown, ImageCms.ImageCmsProfile(io.BytesIO(P3)), ImageCms.createProfile("sRGB")
    )
    assert as_srgb.getpixel((0, 0)) == pytest.approx((0xCC, 0x33, 0x11), abs=2)
    assert shown.getpixel((0, 0)) != pytest.approx((0xCC, 0x33, 0x11), abs=10)


@pytest.mark.parametrize("target", ["png", "jpeg", "webp", "avif"])
def test_wide_colors_stay_wide_through_scaling(target):
    made = one(image_bytes(scene(), icc_profile=P3), widths=(300,), formats=(target,))
    assert made.info["icc_profile"] == P3


def test_a_gif_which_has_no_place_for_a_profile_gets_the_colors_themselves():
    source = Image.new("RGB", (60, 40), (200, 40, 40))
    profile = ImageCms.ImageCmsProfile(io.BytesIO(P3))
    seen = ImageCms.profileToProfile(source, profile, ImageCms.createProfile("sRGB"))
    made = one(image_bytes(source, icc_profile=P3), formats=("gif",)).convert("RGB")
    assert seen.getpixel((5, 5)) != (200, 40, 40)
    assert made.getpixel((5, 5)) == pytest.approx(seen.getpixel((5, 5)), abs=2)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("file_format", ["jpeg", "png", "webp", "avif"])
def test_a_crop_counts_from_the_image_as_it_is_seen(orientation, file_format):
    exif = Image.Exif()
    exif[0x0112] = orientation
    data = image_bytes(scene(240, 160), file_format, exif=exif)
    upright = ImageOps.exif_transpose(opened(data))
    assert measure(data)[1:3] == upright.size
    made = one(data, size="120x30", fit="cover", focus="top", formats=("png",))
    top = (0, 0, upright.width, upright.width * 30 / 120)
    expected = upright.resize((120, 30), Image.Resampling.LANCZOS, box=top)
    assert psnr(made, expected) > 28


@pytest.mark.parametrize("file_format", ["gif", "webp"])
def test_an_animation_counts_by_its_first_image(file_format):
    other = Image.new("RGB", (600, 400))
    data = image_bytes(scene(), file_format, save_all=True, append_images=[other], duration=100)
    made = one(data, widths=(300,), formats=("png",))
    assert psnr(made, scene().resize((300, 200))) > 20


# --- crops


@pytest.mark.parametrize("focus", ["entropy", "attention"])
@pytest.mark.parametrize("place", [0.15, 0.5, 0.85])
def test_a_crop_finds_the_one_thing_in_an_empty_image(focus, place):
    image = Image.new("RGB", (900, 300), (90, 130, 180))
    subject = scene(120, 120)
    left = int(900 * place) - 60
    image.paste(subject, (left, 90))
    made = one(image_bytes(image), size="1:1", fit="cover", focus=focus, formats=("png",))
    whole = ImageChops.difference(made, Image.new("RGB", made.size, (90, 130, 180))).getbbox()
    assert whole[2] - whole[0] >= 118


@pytest.mark.parametrize(
    ("focus", "left"), [("left", 0), ("center", 250), ("right", 500), ("top", 250)]
)
def test_a_named_place_is_where_it_says(focus, left):
    ramp = Image.linear_gradient("L").rotate(90).resize((600, 100)).convert("RGB")
    made = one(image_bytes(ramp), size="1:1", fit="cover", focus=focus, formats=("png",))
    assert psnr(made, ramp.crop((left, 0, left + 100, 100))) == 99


# --- fewer bytes


@pytest.mark.parametrize("target", ["jpeg", "webp", "avif"])
@pytest.mark.parametrize("limit", [2_200, 3_000])
def test_a_limit_is_kept_with_the_best_quality_that_keeps_it(target, limit):
    (made,) = rendered(SMALL, formats=(target,), max_bytes=limit, quality=90)
    assert len(made.image.data) <= limit
    assert made.quality < 90
    (better,) = rendered(SMALL, formats=(target,), quality=made.quality + 1)
    assert len(better.image.data) > limit


def test_a_limit_never_raises_the_quality_asked():
    (made,) = rendered(SCENE, formats=("jpeg",), max_bytes=10_000_000, quality=40)
    assert made.quality == 40


@pytest.mark.parametrize(
    ("target", "more"), [("jpeg", {}), ("png", {}), ("gif", {}), ("webp", {"lossless": True})]
)
def test_a_limit_that_cannot_be_kept_is_an_error_that_says_what_it_takes(target, more):
    with pytest.raises(UsageError, match=f"600x400 {target} takes") as caught:
        rendered(SCENE, formats=(target,), max_bytes=300, **more)
    assert "fewer pixels" in caught.value.hint


@pytest.mark.parametrize("target", ["jpeg", "webp", "avif"])
def test_more_effort_makes_no_larger_files(target):
    files = [rendered(SMALL, formats=(target,), effort=effort)[0] for effort in EFFORTS]
    fast, normal, small = (len(file.image.data) for file in files)
    assert small <= (normal if target == "jpeg" else normal * 1.01)
    assert normal <= fast * 1.01


def test_a_drawing_of_few_colors_keeps_them_all_in_a_smaller_file():
    drawing = Image.new("RGB", (300, 200), "white")
    ImageDraw.Draw(drawing).ellipse((20, 20, 200, 180), fill=(10, 90, 200))
    (fast,) = rendered(image_bytes(drawing), formats=("png",), effort="fast")
    (small,) = rendered(image_bytes(drawing), formats=("png",), effort="small")
    assert opened(small.image.data).mode == "P"
    assert psnr(opened(small.image.data), drawing) == 99
    assert len(small.image.data) < len(fast.image.data)


@pytest.mark.parametrize(
    ("target", "least"), [("png", 99), ("jpeg", 33), ("webp", 33), ("avif", 33), ("gif", 27)]
)
@pytest.mark.parametrize("effort", EFFORTS)
def test_every_effort_looks_like_the_source(target, least, effort):
    """In brightness: half of the color of thin lines is lost where four pixels share one."""
    made = one(SMALL, formats=(target,), effort=effort)
    assert psnr(made.convert("L"), scene(240, 160).convert("L")) >= least


# --- orientation: planned and done by the same reader

SIDEWAYS_XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><r:RDF xmlns:r="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><r:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/>'
    b"</r:RDF></x:xmpmeta>"
)
SIDEWAYS_EXIF = b"MM\0*\0\0\0\x08\0\1\x01\x12\0\3\0\0\0\1\0\6\0\0\0\0\0\0"
RAW_EXIF = b"\nexif\n%8d\n" % len(SIDEWAYS_EXIF) + SIDEWAYS_EXIF.hex().encode()
HINTS = {
    "XMP": png.chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + SIDEWAYS_XMP),
    "a text of ImageMagick": png.chunk(
        b"zTXt", b"Raw profile type exif\0\0" + zlib.compress(RAW_EXIF)
    ),
    "a broken text": png.chunk(b"tEXt", b"Raw profile type exif\0\nexif\n 20\nzz no hex"),
    "EXIF that is none": png.chunk(b"eXIf", b"odd"),
}


@pytest.mark.parametrize("place", ["before the pixels", "behind them"])
@pytest.mark.parametrize("hint", HINTS.values(), ids=HINTS)
@pytest.mark.parametrize("wanted", [{}, {"widths": (40,)}, {"size": "20x20", "fit": "cover"}])
def test_what_browsers_do_not_obey_turns_no_png(hint, place, wanted):
    """Pillow reads some of it, and only once the pixels are loaded: a plan would not know it."""
    data = image_bytes(scene(80, 40))
    at = 33 if place == "before the pixels" else len(data) - 12
    odd = data[:at] + hint + data[at:]
    made = rendered(odd, formats=("jpeg",), **wanted)
    assert [one_.image.data for one_ in made] == [
        one_.image.data for one_ in rendered(data, formats=("jpeg",), **wanted)
    ]


@pytest.mark.parametrize("place", [33, -12])
def test_exif_turns_a_png_wherever_it_is(place):
    data = image_bytes(scene(80, 40))
    turned = data[:place] + png.chunk(b"eXIf", SIDEWAYS_EXIF) + data[place:]
    made = one(turned, formats=("webp",), lossless=True)
    assert psnr(made, scene(80, 40).transpose(Image.Transpose.ROTATE_270)) == 99


# --- what is damaged or odd

WHOLE = {name: image_bytes(scene(64, 48), name) for name in FORMATS}


@pytest.mark.parametrize("source", WHOLE)
def test_a_cut_at_every_64th_byte_is_an_image_error(source):
    data = WHOLE[source]
    for end in range(0, len(data) - 20, 64):  # the last bytes of a PNG hold no pixels
        with pytest.raises(ImageError):
            rendered(data[:end], formats=("png",), effort="fast", widths=(10,))


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1)])
@pytest.mark.parametrize("target", ["png", "jpeg", "gif", "avif"])
def test_extreme_shapes_are_right_or_refused(size, target):
    data = image_bytes(Image.new("RGB", size, (200, 100, 50)))
    made = one(data, formats=(target,))
    assert made.size == size
    assert one(data, size="1x1", fit="cover", focus="attention", formats=(target,)).size == (1, 1)


def test_a_side_webp_cannot_have_is_an_image_error():
    with pytest.raises(ImageError, match="cannot be converted to webp"):
        rendered(image_bytes(Image.new("RGB", (1, 20_000))), formats=("webp",))


def test_a_palette_with_transparency_is_scaled_in_full_color():
    image = scene(90, 60)
    gradient = Image.linear_gradient("L").resize((90, 60))
    image.putalpha(gradient.point(lambda level: 255 * (level < 128)))
    made = one(image_bytes(image.quantize(64)), widths=(45,), formats=("png",))
    assert made.mode == "RGBA"
    assert (made.getpixel((20, 2))[3], made.getpixel((20, 28))[3]) == (255, 0)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_image_or_a_flux_error(data):
    for head in (b"", *(whole[:60] for whole in WHOLE.values())):
        with pytest.raises(FluxError):
            rendered(head + data, formats=("png",))


def test_what_is_made_is_whole_by_its_own_structure():
    for name in FORMATS:
        data = rendered(SCENE, formats=(name,), widths=(123,))[0].image.data
        assert inspect(data)[:3] == (name, 123, 82)


GRAY_BORDERS = {
    ("L", "#808080ff"): ("L", 128),
    ("L", "#00000000"): ("LA", (0, 0)),
    ("L", "#ff0000ff"): ("RGB", (255, 0, 0)),
    ("LA", "#808080ff"): ("LA", (128, 255)),
    ("RGBA", "#80808080"): ("RGBA", (128, 128, 128, 128)),
}


@pytest.mark.parametrize(("given", "made"), GRAY_BORDERS.items(), ids=map(str, GRAY_BORDERS))
def test_gray_stays_gray_between_gray_borders(given, made):
    (mode, color), (padded_mode, pixel) = given, made
    padded = add_borders(Image.new(mode, (2, 2), 7), (4, 2), color)
    assert (padded.mode, padded.size, padded.getpixel((0, 0))) == (padded_mode, (4, 2), pixel)
