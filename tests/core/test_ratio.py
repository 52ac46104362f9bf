"""Shapes, tiers and nearest matches: pure arithmetic, at every edge."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.errors import FluxError, UsageError
from flux_cli.core.model import Size
from flux_cli.core.ratio import (
    MIN_SIDE,
    WORDS,
    nearest_ratio,
    nearest_size,
    nearest_tier,
    nominal,
    parse_ratio,
    parse_shape,
    parse_tier,
    read_word,
)

PORTRAIT = ("9:21", "9:16", "2:3", "3:4", "4:5")  # narrow to wide
LANDSCAPE = ("5:4", "4:3", "3:2", "16:9", "21:9")
ELEVEN = (*PORTRAIT, "1:1", *LANDSCAPE)
NO_SHAPES = (
    "banana", "0", "7", "16", "99", ".k", "...k", "0-9", "0 0", "123456 7", "1-2-3",
    "\u0661\u0666-\u0669",
)  # fmt: skip
NINE = ("9:21", "9:16", "2:3", "3:4", "1:1", "4:3", "3:2", "16:9", "21:9")
TIERS = ("0.5K", "1K", "2K", "4K")

HOSTILE = [
    "",
    " ",
    "x",
    ":",
    "5",
    "x5",
    "5x",
    "5:",
    ":5",
    "0x0",
    "0:1",
    "1:0",
    "0.0:1",
    "-1x5",
    "1x-5",
    "+1x5",
    "-16:9",
    "1e9x2",
    "1e2:1",
    "0x10x0x10",
    "16:9:3",
    "1x2x3",
    "16:9x3",
    "16\n:9",
    "1024x\n1024",
    "\uff11\uff16:\uff19",  # full-width digits
    "\u0661\u0666:\u0669",  # Arabic-Indic digits
    "\u00b2:1",  # a superscript two is a digit to str.isdigit
    "\u2460:1",
    "1_6:9",
    "1,6:9",
    "1024.5x768",  # half pixels
    "1..6:9",
    "1.6.1:9",
    ".:1",
    "NaN",
    "nan:nan",
    "NaNxNaN",
    "inf:1",
    "\u221e",
    "\u221e:1",
    "1:\u221e",
    "1234567890x1",  # ten digits
    "1" * 5000 + "x1",
    "0." + "0" * 400 + "1:1",
    "auto",
    "landscape",
    "\x00",
    "16:9\x00",
    "\ud800:1",
    "😀x😀",
]


@pytest.mark.parametrize(
    ("text", "width", "height", "is_pixels"),
    [
        ("1920x1080", 1920, 1080, True),
        ("1920X1080", 1920, 1080, True),
        ("1920×1080", 1920, 1080, True),
        (" 1920x1080\n", 1920, 1080, True),
        ("01024x1024", 1024, 1024, True),
        ("1x1", 1, 1, True),
        ("1183 × 887", 1183, 887, True),  # the way flux sizes prints it
        ("1920 x 1080", 1920, 1080, True),
        ("1920*1080", 1920, 1080, True),
        ("1920  *  1080", 1920, 1080, True),
        ("16 : 9", 16, 9, False),
        ("16/9", 16, 9, False),
        ("1.91 / 1", 1.91, 1, False),
        ("999999999x999999999", 999_999_999, 999_999_999, True),
        ("16:9", 16, 9, False),
        ("1.91:1", 1.91, 1, False),
        ("1:.5", 1, 0.5, False),
        ("0.0000001:1", 1e-7, 1, False),
    ],
)
def test_pixels_and_ratios_are_read_as_written(text, width, height, is_pixels):
    assert parse_shape(text) == (width, height, is_pixels)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_shape_is_refused_with_parameter_and_value(text):
    with pytest.raises(UsageError) as raised:
        parse_shape(text, "size")
    assert raised.value.message == f"invalid size {text!r}"
    assert raised.value.hint


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_ratio_is_refused(text):
    with pytest.raises(UsageError, match="aspect_ratio"):
        parse_ratio(text)


@pytest.mark.parametrize(
    ("text", "ratio"),
    [("16:9", 16 / 9), ("32:18", 16 / 9), ("1:1", 1), ("1.91:1", 1.91), ("9:21", 3 / 7)],
)
def test_a_ratio_is_width_over_height(text, ratio):
    assert parse_ratio(text) == pytest.approx(ratio, rel=1e-15)


@pytest.mark.parametrize(
    "text", ["1920x1080", "1920×1080", "1920X1080", "1920 × 1080", "1920*1080"]
)
def test_pixels_are_no_aspect_ratio_and_the_hint_names_the_right_option(text):
    with pytest.raises(UsageError, match="is a size in pixels") as raised:
        parse_ratio(text)
    assert "--size 1920x1080," in raised.value.hint


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("16x9", "16:9"),
        ("9X16", "9:16"),
        ("21 × 9", "21:9"),
        ("4*3", "4:3"),
        ("1x1", "1:1"),
        ("15x99", "15:99"),
    ],
)
@pytest.mark.parametrize("parse", [parse_ratio, lambda text: parse_shape(text, smallest=MIN_SIDE)])
def test_a_shape_that_was_written_with_an_x_is_no_tiny_image(parse, text, meant):
    with pytest.raises(UsageError, match=r"is an image of only \d+ by \d+ pixels") as raised:
        parse(text)
    assert raised.value.hint == f"did you mean {meant}?"


@pytest.mark.parametrize("text", ["15x1000", "100000x1", "1x100"])
def test_a_size_with_one_tiny_side_is_no_ratio_either(text):
    with pytest.raises(UsageError, match=r"is an image of only \d+ by \d+ pixels") as raised:
        parse_shape(text, smallest=MIN_SIDE)
    assert raised.value.hint == "write pixels such as 1920x1080 or a ratio such as 16:9"


@pytest.mark.parametrize(
    ("text", "parameter", "meant"),
    [
        ("square", "size", "1:1"),
        (" Square ", "aspect_ratio", "1:1"),
        ("1080p", "size", "1920x1080"),
        ("1080 P", "size", "1920x1080"),
        ("UHD", "size", "3840x2160"),
        ("16x9", "aspect_ratio", "16:9"),
        ("9 × 16", "aspect_ratio", "9:16"),
        ("4*3", "aspect_ratio", "4:3"),
    ],
)
def test_a_word_with_one_meaning_is_read(text, parameter, meant):
    assert read_word(text, parameter) == meant


@pytest.mark.parametrize(
    ("text", "parameter", "free"),
    [
        ("portrait", "size", "2:3"),
        ("landscape", "aspect_ratio", "3:2"),
        ("wide", "size", "16:9"),
        ("4K", "size", "3840x2160"),  # or a resolution
        ("hd", "size", "1280x720"),  # for many people, 1920x1080
        ("16x9", "size", "16:9"),
    ],
)
def test_a_guess_is_only_read_where_it_costs_nothing(text, parameter, free):
    assert read_word(text, parameter) == ""
    assert read_word(text, parameter, is_free=True) == free


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ("banana", "size"), ("", "size"), ("16:9", "size"), ("1920x1080", "size"), ("320x", "size"),
        ("1080p", "aspect_ratio"), ("4K", "aspect_ratio"), ("1920x1080", "aspect_ratio"),
        ("16x1000", "aspect_ratio"), ("1.5x1", "aspect_ratio"), ("0x9", "aspect_ratio"),
        ("16x9x3", "aspect_ratio"), ("auto", "size"), ("1K", "size"), ("7-20p", "size"),
    ],
)  # fmt: skip
def test_what_is_no_word_is_left_to_the_other_readers(text, parameter):
    assert read_word(text, parameter) == read_word(text, parameter, is_free=True) == ""


@pytest.mark.parametrize("text", [*WORDS, "16x9", "1x1", "15x99"])
@pytest.mark.parametrize("parameter", ["size", "aspect_ratio"])
def test_what_a_word_means_can_be_read_itself(text, parameter):
    parse = parse_ratio if parameter == "aspect_ratio" else parse_shape
    meant = read_word(text, parameter, is_free=True)
    assert not meant or parse(meant)


def test_the_smallest_icon_is_an_image():
    assert parse_shape(f"{MIN_SIDE}x{MIN_SIDE}", smallest=MIN_SIDE).is_pixels


@pytest.mark.parametrize("text", WORDS)
def test_what_words_stand_for_is_a_shape_itself(text):
    assert parse_shape(WORDS[text], smallest=MIN_SIDE)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("1080p", "1920x1080"),
        ("1080 P", "1920x1080"),
        ("Full-HD", "1920x1080"),
        ("1920 1080", "1920x1080"),
        ("1920,1080", "1920x1080"),
        ("1920 by 1080", "1920x1080"),
        ("1920px x 1080px", "1920x1080"),
        ("1920x1080px", "1920x1080"),
        ("1024", "1024x1024"),
        ("512px", "512x512"),
    ],
)
def test_the_hint_says_the_pixels_that_were_meant(text, meant):
    with pytest.raises(UsageError) as raised:
        parse_shape(text)
    assert raised.value.hint == f"did you mean {meant}?"
    with pytest.raises(UsageError) as raised:
        parse_ratio(text)
    assert raised.value.hint == f"did you mean --size {meant}?"


@pytest.mark.parametrize(("text", "pixels"), [("4K", "3840x2160"), ("8 k", "7680x4320")])
def test_the_hint_for_a_word_that_may_be_a_scale_names_both(text, pixels):
    with pytest.raises(UsageError) as raised:
        parse_shape(text)
    scale = text.replace(" ", "")
    assert raised.value.hint == f"did you mean {pixels}, or --resolution {scale}?"


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("square", "1:1"),
        ("Portrait", "2:3"),
        ("landscape", "3:2"),
        ("16-9", "16:9"),
        ("16 by 9", "16:9"),
        ("4,3", "4:3"),
    ],
)
@pytest.mark.parametrize("parse", [parse_ratio, parse_shape])
def test_the_hint_says_the_shape_that_was_meant(parse, text, meant):
    with pytest.raises(UsageError) as raised:
        parse(text)
    assert raised.value.hint == f"did you mean {meant}?"


@pytest.mark.parametrize("text", ["2mp", "0.5K", "2 K", "1M", " 0.25 MP "])
def test_a_scale_in_the_place_of_a_shape_is_sent_to_its_option(text):
    with pytest.raises(UsageError) as raised:
        parse_shape(text)
    assert f"--resolution {text.replace(' ', '')}" in raised.value.hint


@pytest.mark.parametrize("text", NO_SHAPES)
def test_where_nothing_is_plainly_meant_the_hint_says_how_to_write(text):
    with pytest.raises(UsageError) as raised:
        parse_shape(text)
    assert raised.value.hint == "write pixels such as 1920x1080 or a ratio such as 16:9"


@pytest.mark.parametrize(
    ("text", "area"),
    [
        ("1K", 1024**2),
        ("1k", 1024**2),
        (" 1K ", 1024**2),
        ("0.5K", 512**2),
        (".5k", 512**2),
        ("2K", 2048**2),
        ("4K", 4096**2),
        ("1.5K", 1536**2),
        ("1", 1024**2),
        ("0.25", 512**2),
        ("1MP", 1024**2),
        ("4 mp", 2048**2),
        ("1.0", 1024**2),
    ],
)
def test_tiers_and_megapixels_are_areas_counted_in_binary(text, area):
    assert parse_tier(text) == area


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "K",
        "MP",
        "0",
        "0K",
        "0.0",
        "-1K",
        "+1K",
        "-1",
        "1KK",
        "1M",
        "1G",
        "K1",
        "1 K",
        "1\nK",
        "1e9K",
        "1e3",
        "NaN",
        "nanK",
        "inf",
        "\u221e",
        "\u221eK",
        "\uff14K",
        "1,5K",
        "1_0",
        "1024x1024",
        "16:9",
        "HD",
        "high",
        "auto",
        "1234567890",
        "9" * 5000 + "K",
        "\x00",
        "\ud800",
    ],
)
def test_what_is_no_tier_is_refused_with_its_value(text):
    with pytest.raises(UsageError) as raised:
        parse_tier(text)
    assert raised.value.message == f"invalid resolution {text!r}"


@given(st.text(max_size=12) | st.text("0123456789.x:×kKmMpP -+e", max_size=12))
def test_any_text_is_a_finite_positive_shape_and_tier_or_a_usage_error(text):
    for parse in (
        lambda: parse_shape(text).ratio,
        lambda: parse_shape(text).area,
        lambda: parse_tier(text),
    ):
        try:
            value = parse()
        except UsageError:
            continue
        assert 0 < value < math.inf


def cuts(known, figures):
    """(known ratios, cut, the ratio below it, the ratio above it) for each published cut point."""
    return [(known, cut, *known[at : at + 2]) for at, cut in enumerate(figures)]


@pytest.mark.parametrize(
    ("known", "cut", "below", "above"),
    cuts(ELEVEN, (0.4910, 0.6124, 0.7071, 0.7746, 0.8944, 1.1180, 1.2910, 1.4142, 1.6330, 2.0367))
    + cuts(NINE, (0.4910, 0.6124, 0.7071, 0.8660, 1.1547, 1.4142, 1.6330, 2.0367)),
)
def test_the_nearest_ratio_changes_at_the_geometric_mean_of_its_neighbors(known, cut, below, above):
    exact = math.sqrt(parse_ratio(below) * parse_ratio(above))
    assert exact == pytest.approx(cut, abs=5e-5)
    assert nearest_ratio(exact * (1 - 1e-9), known) == below
    assert nearest_ratio(exact * (1 + 1e-9), known) == above
    assert nearest_ratio(cut - 1e-4, known) == below
    assert nearest_ratio(cut + 1e-4, known) == above


@pytest.mark.parametrize("ratio", ELEVEN)
def test_every_known_ratio_is_its_own_nearest(ratio):
    assert nearest_ratio(parse_ratio(ratio), ELEVEN) == ratio


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ("7:1", "21:9"),
        ("1:7", "9:21"),
        ("2:1", "16:9"),
        ("1:2", "9:16"),
        ("16:10", "3:2"),
        ("5:3", "16:9"),
        ("10:7", "3:2"),
        ("17:22", "3:4"),  # letter paper
        ("297:210", "3:2"),  # A4, where a linear distance would take 4:3
        ("210:297", "2:3"),
        ("9:10", "1:1"),  # a tie with 4:5 under a linear distance
        ("999999999:1", "21:9"),
        ("0.0000001:1", "9:21"),
    ],
)
def test_any_ratio_has_a_nearest_one(asked, nearest):
    assert nearest_ratio(parse_ratio(asked), ELEVEN) == nearest


def test_seven_to_one_between_four_and_eight_is_eight_to_one():
    """The example of the model's page."""
    assert nearest_ratio(7, ("4:1", "8:1")) == "8:1"
    assert nearest_ratio(7, ("8:1", "4:1")) == "8:1"


@given(st.integers(1, 9999), st.integers(1, 9999))
def test_portrait_and_landscape_are_matched_alike(width, height):
    lying = nearest_ratio(width / height, ELEVEN)
    standing = nearest_ratio(height / width, ELEVEN)
    assert standing == ":".join(reversed(lying.split(":")))


def test_no_integer_ratio_up_to_64_ties_so_the_order_of_the_table_decides_nothing():
    for width in range(1, 65):
        for height in range(1, 65):
            ratio = width / height
            assert nearest_ratio(ratio, ELEVEN) == nearest_ratio(ratio, ELEVEN[::-1])


@pytest.mark.parametrize(
    ("asked", "nearest"),
    [
        ("0.5K", "0.5K"),
        ("1K", "1K"),
        ("2K", "2K"),
        ("4K", "4K"),
        ("0.25", "0.5K"),
        ("1", "1K"),
        ("4", "2K"),
        ("16MP", "4K"),
        ("0.1K", "0.5K"),
        ("0.70K", "0.5K"),  # the cut between 0.5K and 1K is at the square root of a half
        ("0.71K", "1K"),
        ("1.41K", "1K"),
        ("1.42K", "2K"),
        ("3K", "4K"),
        ("8K", "4K"),
        ("999999999K", "4K"),
    ],
)
def test_any_tier_has_a_nearest_one_by_area(asked, nearest):
    assert nearest_tier(parse_tier(asked), TIERS) == nearest


def test_a_model_of_one_tier_gets_that_tier():
    for asked in ("0.25", "0.5K", "1K", "2K", "4K", "100K"):
        assert nearest_tier(parse_tier(asked), ("1K",)) == "1K"


@pytest.mark.parametrize(
    ("ratio", "area", "name"),
    [
        ("7:1", "1K", "2896x362"),
        ("7:1", "2K", "5793x724"),
        ("5:1", "4K", "4096x1024"),  # shape decides before scale: 8:1 at 2K would be nearer in area
        ("1:5", "0.5K", "2048x512"),
    ],
)
def test_a_size_is_matched_by_shape_first_and_scale_among_those(ratio, area, name):
    sizes = tuple(
        Size(*pixels, shape, tier, None)
        for pixels, shape, tier in (
            ((2048, 512), "4:1", "1K"),
            ((4096, 1024), "4:1", "2K"),
            ((2896, 362), "8:1", "1K"),
            ((5793, 724), "8:1", "2K"),
        )
    )
    assert nearest_size(sizes, parse_ratio(ratio), parse_tier(area)).name == name


@pytest.mark.parametrize(
    ("ratio", "pixels"),
    [("4:3", (1183, 887)), ("3:4", (887, 1182)), ("21:9", (1563, 670)), ("9:21", (670, 1564))],
)
def test_nominal_sizes_round_halves_up_height_first(ratio, pixels):
    assert nominal(ratio) == pixels


def test_every_refusal_is_a_flux_error_of_exit_code_2():
    with pytest.raises(FluxError) as raised:
        parse_shape("nonsense")
    assert raised.value.exit_code == 2
