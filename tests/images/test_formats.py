"""The formats: names, suffixes, and what a file name chooses."""

import pytest

from flux_cli.core.errors import UsageError
from flux_cli.images.formats import (
    BY_SUFFIX,
    EFFORTS,
    FORMATS,
    IMAGE_SUFFIXES,
    QUALITY,
    check_lossless,
    encoder,
    format_named,
    format_of_suffix,
    split_suffix,
)


def test_the_five_formats_of_the_page_are_there():
    assert {"png", "jpeg", "gif", "webp", "avif"} <= set(FORMATS)


@pytest.mark.parametrize(
    ("name", "suffix", "mime", "alpha", "lossy"),
    [
        ("png", "png", "image/png", True, False),
        ("jpeg", "jpg", "image/jpeg", False, True),
        ("gif", "gif", "image/gif", True, False),
        ("webp", "webp", "image/webp", True, True),
        ("avif", "avif", "image/avif", True, True),
    ],
)
def test_each_format_has_its_suffix_mime_and_abilities(name, suffix, mime, alpha, lossy):
    row = FORMATS[name]
    assert (row.name, row.suffix, row.mime, row.alpha) == (name, suffix, mime, alpha)
    # As the page of the model says: output_compression is for JPEG, WebP and AVIF.
    assert (row.quality is not None) == lossy


@pytest.mark.parametrize("row", FORMATS.values(), ids=lambda row: row.name)
def test_a_format_that_cannot_be_lossless_says_why(row):
    assert bool(row.why_lossy) == (row.lossless is None)
    if row.lossless:
        check_lossless(row.name)


def test_no_two_formats_have_the_same_rank_on_the_web():
    ranks = [row.web_rank for row in FORMATS.values() if row.web_rank]
    assert len(ranks) == len(set(ranks))


def test_no_suffix_belongs_to_two_formats():
    assert len(BY_SUFFIX) == sum(len(row.suffixes) for row in FORMATS.values())


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("png", "png"),
        ("PNG", "png"),
        ("jpg", "jpeg"),
        ("jpeg", "jpeg"),
        ("JPE", "jpeg"),
        ("jfif", "jpeg"),
        (".webp", "webp"),
        ("image/avif", "avif"),
        ("Image/GIF", "gif"),
        (" gif\n", "gif"),
    ],
)
def test_a_format_has_several_names(text, name):
    assert format_named(text) == name


NO_FORMATS = (
    "", " ", ".", "image/", "xyz", "p ng", "png,jpeg", "..png", "\x00", "pn\u0261", "\ud800",
)  # fmt: skip


@pytest.mark.parametrize("text", NO_FORMATS)
def test_any_other_name_is_refused_with_all_that_are_written(text):
    with pytest.raises(UsageError) as raised:
        format_named(text)
    assert raised.value.message == f"output_format {text!r} is not one of {', '.join(FORMATS)}"


def test_a_mistyped_format_is_recognized():
    with pytest.raises(UsageError) as raised:
        format_named("wepb")
    assert raised.value.hint == "did you mean webp?"


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("fox.png", "png"),
        ("fox.JPG", "jpeg"),
        ("fox.jpe", "jpeg"),
        ("a/b.c/fox.avif", "avif"),
        ("fox.v2.webp", "webp"),
        ("fox", None),
        ("fox.", None),
        (".png", None),
        ("a.png/fox", None),
        ("a.tiff/fox", None),
        ("fox.v2", None),
        ("fox.txt", None),
        ("{slug}.{ext}", None),
        ("", None),
        ("a/", None),
    ],
)
def test_the_last_suffix_of_the_last_part_chooses_the_format(path, name):
    assert format_of_suffix(path) == name


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES - set(BY_SUFFIX)))
def test_an_image_suffix_flux_cannot_write_is_refused(suffix):
    for name in (f"fox.{suffix}", f"fox.{suffix.upper()}"):
        with pytest.raises(UsageError, match="cannot write") as raised:
            format_of_suffix(name)
        assert ", ".join(FORMATS) in raised.value.hint


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("fox.png", ("fox", "png")),
        ("a.b/fox", ("a.b/fox", "")),
        ("a.b/fox.tar.gz", ("a.b/fox.tar", "gz")),
        (".hidden", (".hidden", "")),
        ("a/.hidden", ("a/.hidden", "")),
        ("a/.hidden.png", ("a/.hidden", "png")),
        ("", ("", "")),
    ],
)
def test_stem_and_suffix_of_the_last_part(path, parts):
    assert split_suffix(path) == parts


# --- encoders

LOSSY = ("jpeg", "webp", "avif")


@pytest.mark.parametrize("name", LOSSY)
@pytest.mark.parametrize("effort", EFFORTS)
def test_a_higher_quality_is_never_a_lower_one_of_the_encoder(name, effort):
    own = [encoder(name, quality, effort)["quality"] for quality in range(101)]
    assert own == sorted(own)
    assert (own[0], own[100]) == (0, 100)


def test_the_same_quality_is_another_number_in_every_encoder():
    """As measured: JPEG's 80 looks like WebP's 80 and AVIF's 62."""
    assert [encoder(name, QUALITY)["quality"] for name in LOSSY] == [80, 80, 62]
    assert [encoder(name, 85)["quality"] for name in LOSSY] == [85, 85, 68]


@pytest.mark.parametrize("name", ["png", "gif"])
def test_quality_means_nothing_where_nothing_is_lost(name):
    assert encoder(name, 10) == encoder(name, 90)


@pytest.mark.parametrize("name", ["jpeg", "gif", "avif"])
def test_what_cannot_be_lossless_says_so_and_names_what_can(name):
    with pytest.raises(UsageError, match=f"{name} cannot be lossless") as caught:
        check_lossless(name)
    lossless = [row.name for row in FORMATS.values() if row.lossless]
    assert {"png", "webp"} <= set(lossless)
    assert all(other in caught.value.hint for other in lossless)
