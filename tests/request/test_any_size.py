"""Free sizes: pixels are kept where they fit, and ratios become pixels of their resolution."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.catalog.find import find_model
from flux_cli.core.model import AnySize, Price
from flux_cli.core.ratio import fit_sides, floor_side, parse_ratio, parse_tier, sides_of
from flux_cli.core.request import Request
from flux_cli.request.digest import resolved_facts
from flux_cli.request.plan import plan
from flux_cli.request.resolve import resolve

ULTRA = find_model("flux1.1-pro-ultra")
BFL = AnySize(16, 64, None, 4_194_304)
FAL = AnySize(16, 512, 2048, 4_194_304)
CUSTOM = AnySize(32, 256, 1440, 1440**2)
FREE = ULTRA._replace(any_size=BFL, auto_size=True)
LIMITS = st.builds(
    lambda step, least, more, area: AnySize(step, least, more and least + step + more, area),
    st.sampled_from([1, 8, 16, 32, 64]),
    st.integers(1, 600),
    st.none() | st.integers(1, 3000),
    st.integers(700**2, 2**24),
)
SIDES = st.integers(16, 9999)


def dialect_of(free, spelling="sides", **fields):
    own = ULTRA.dialects["bfl"]
    shape = own.fields["size"]._replace(name="shape", spelling=spelling)
    changed = {**own.fields, "size": shape, "aspect_ratio": shape, **fields}
    return own._replace(any_ratio=None, any_size=free, price=Price(None, 1.0, 1.0), fields=changed)


def asked(free=BFL, spelling="sides", model=FREE, **said):
    dialect = dialect_of(free, spelling)
    return resolve(Request(model.id, said, "a fox"), model, dialect)


def note_on(parameter, resolved):
    (note,) = [note for note in resolved.notes if note.parameter == parameter]
    return note


@given(SIDES, SIDES, LIMITS)
def test_every_size_becomes_one_that_fits_and_is_no_larger_than_it_must_be(width, height, limits):
    wide, high = fit_sides(width, height, limits)
    least = math.ceil(limits.min_side / limits.step) * limits.step
    assert wide % limits.step == high % limits.step == 0
    assert min(wide, high) >= least
    assert wide * high <= limits.max_pixels
    assert limits.max_side is None or max(wide, high) <= limits.max_side
    assert (wide >= high) == (width >= height) or wide == high
    assert wide <= width or min(width, height) < least
    assert high <= height or min(width, height) < least


@given(SIDES, SIDES, st.sampled_from([BFL, FAL, CUSTOM]))
def test_the_shape_is_kept_up_to_one_step_unless_no_scale_has_it(width, height, limits):
    wide, high = fit_sides(width, height, limits)
    ratio = max(width, height) / min(width, height)
    long, short = max(wide, high), min(wide, high)
    if ratio < 2:  # every one of these limits has a scale for it
        assert long / (short + limits.step) < ratio < (long + limits.step) / short
    assert fit_sides(wide, high, limits) == (wide, high)


@given(st.integers(4, 256), st.integers(4, 256))
def test_a_size_that_fits_is_kept(width, height):
    pixels = width * 16, height * 16
    if pixels[0] * pixels[1] <= BFL.max_pixels:
        assert fit_sides(*pixels, BFL) == pixels


@pytest.mark.parametrize(
    ("ratio", "one", "two", "four"),
    [
        ("1:1", "1024x1024", "1440x1440", "2048x2048"),
        ("5:4", "1136x912", "1616x1280", "2288x1824"),
        ("4:3", "1168x880", "1664x1248", "2352x1760"),
        ("3:2", "1248x832", "1760x1168", "2496x1664"),
        ("16:9", "1360x768", "1920x1072", "2720x1536"),
        ("21:9", "1552x656", "2208x944", "3120x1328"),
    ],
)
def test_a_ratio_becomes_the_pixels_of_its_resolution(ratio, one, two, four):
    turned = ":".join(reversed(ratio.split(":")))
    for tier, size in ((None, one), ("1K", one), ("2MP", two), ("2K", four), ("4MP", four)):
        scale = {"resolution": tier} if tier else {}
        assert asked(aspect_ratio=ratio, **scale).size.name == size
        portrait = asked(size=turned, **scale)
        assert portrait.size.name == "x".join(reversed(size.split("x")))
        assert not [note for note in portrait.notes if note.warning]
        sides = [floor_side(s, 16) for s in sides_of(parse_ratio(ratio), parse_tier(tier or "1K"))]
        assert "x".join(map(str, sides)) == size


@pytest.mark.parametrize(
    ("free", "said", "used", "reason"),
    [
        (BFL, "1920x1088", "1920x1088", "any size in steps of 16 pixels"),
        (BFL, "1920x1080", "1920x1072", "sides are multiples of 16 here; using 1920x1072, the"),
        (BFL, "4096x4096", "2048x2048", "images have at most 4 megapixels here; using 2048x2048"),
        (FAL, "2560x1080", "2048x864", "sides have at most 2048 pixels here; using 2048x864"),
        (FAL, "320x320", "512x512", "sides have at least 512 pixels here; using 512x512"),
        (FAL, "9:1", "2048x512", "sides have at most 2048 pixels here; using 2048x512"),
        (CUSTOM, "16:9", "1344x768", "16:9 at 1K, in steps of 32 pixels"),
        (BFL, "32:18", "1360x768", "16:9 at 1K, in steps of 16 pixels"),
        (BFL, "1.9:1", "1408x736", "19:10 at 1K, in steps of 16 pixels"),
    ],
)
def test_a_note_says_what_is_used_and_why(free, said, used, reason):
    note = note_on("size", asked(free, size=said))
    assert (note.asked, note.used) == (said, used)
    assert note.reason.startswith(reason)
    assert note.warning == ("using" in reason)


def test_a_resolution_beyond_the_limits_is_lowered_with_a_note():
    resolved = asked(CUSTOM, aspect_ratio="16:9", resolution="4K")
    assert resolved.size.name == "1440x800"
    note = note_on("resolution", resolved)
    assert (note.used, note.warning) == ("1.1MP", True)


def test_without_a_shape_the_default_is_sent_in_pixels():
    resolved = asked()
    assert resolved.size.name == "1024x1024"
    assert note_on("size", resolved).behavior == "default"


@pytest.mark.parametrize(
    ("spelling", "sent"),
    [
        ("sides", {"width": 1920, "height": 1072}),
        ("image_size", {"shape": {"width": 1920, "height": 1072}}),
        ("custom_sides", {"shape": "custom", "width": 1920, "height": 1072}),
        ("size", {"shape": "1920x1072"}),
    ],
)
def test_each_spelling_of_a_size(spelling, sent):
    body = plan(asked(spelling=spelling, size="1920x1080")).calls[0].body
    assert body == {"prompt": "a fox", **sent}


def test_a_provider_with_ratios_and_tiers_gets_both():
    own = ULTRA.dialects["bfl"]
    tier = own.fields["size"]._replace(name="megapixels", spelling="", values={"1K": "1"})
    dialect = own._replace(fields={**own.fields, "resolution": tier})
    resolved = resolve(Request(ULTRA.id, {"size": "16:9"}, "a fox"), ULTRA, dialect)
    assert plan(resolved).calls[0].body == {
        "prompt": "a fox", "aspect_ratio": "16:9", "megapixels": "1",
    }  # fmt: skip


def test_the_size_that_is_sent_is_priced():
    resolved = asked(size="1920x1080")
    assert resolved.dialect.price.usd(resolved.size) == 2


# --- auto


@pytest.mark.parametrize("name", ["size", "aspect_ratio", "resolution"])
@pytest.mark.parametrize("dialect", [None, dialect_of(BFL)])
def test_auto_needs_a_reference_image_and_else_a_shape_is_sent(name, dialect):
    resolved = resolve(Request(FREE.id, {name: "Auto"}, "a fox"), FREE, dialect)
    assert resolved.size.name == "1024x1024"
    note = next(note for note in resolved.notes if note.parameter == name)
    assert (note.behavior, note.warning) == ("ignored", True)


# --- what a request means, whoever makes the image


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ({}, None),
        ({"size": "16:9"}, "1360x768"),
        ({"aspect_ratio": "16:9", "resolution": "1K"}, "1360x768"),
        ({"size": "1365x768"}, "1360x768"),
        ({"size": "1920x1080"}, "1920x1072"),
        ({"size": "auto"}, "1024x1024"),
    ],
)
def test_two_free_sizes_are_two_requests_also_where_the_gateway_has_one(said, meant):
    for dialect in (None, dialect_of(BFL), dialect_of(FAL)):
        resolved = resolve(Request(FREE.id, said, "a fox"), FREE, dialect)
        assert resolved_facts(resolved)["size"] == meant
