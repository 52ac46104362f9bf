"""Names of several files of one image: lists of formats, derivatives, contradictions."""

import pytest

from flux_cli.core.errors import OutputError, UsageError
from flux_cli.images.destination import path_of, read_target, refuse_doubles, split_formats
from flux_cli.images.names import Name
from flux_cli.images.outputs import Finish, Received, outputs


@pytest.mark.parametrize(
    ("output", "template", "suffixes"),
    [
        ("hero.{avif,webp,jpg}", "hero.{ext}", ("avif", "webp", "jpg")),
        ("out/{slug}-{seed}.{png,webp}", "out/{slug}-{seed}.{ext}", ("png", "webp")),
        ("hero.{ jpeg , AVIF ,}", "hero.{ext}", ("jpeg", "AVIF")),
        ("hero.{ext}", "hero.{ext}", ()),
        ("{slug}", "{slug}", ()),
        ("hero.webp", "hero.webp", ()),
        (None, None, ()),
    ],
)
def test_a_comma_tells_a_list_of_formats_from_a_field(output, template, suffixes):
    assert split_formats(output) == (template, suffixes)


@pytest.mark.parametrize("output", ["{avif,webp}/hero.jpg", "hero{avif,webp}", "hero.{avif,webp}.bak"])
def test_a_list_elsewhere_than_at_the_end_is_refused(output):
    with pytest.raises(OutputError, match="at the end"):
        split_formats(output)


def test_an_unknown_format_in_a_list_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="wepb") as caught:
        split_formats("hero.{avif,wepb}")
    assert caught.value.hint == "did you mean webp?"


@pytest.mark.parametrize(
    ("output", "formats", "expected"),
    [
        ("hero.{avif,jpeg}", (), ("avif", "jpeg")),
        ("hero.webp", (), ("webp",)),
        ("hero", ("avif", "webp,jpg", "avif"), ("avif", "webp", "jpeg")),
        ("hero.webp", ("webp",), ("webp",)),
        (None, (), ()),
        ("-", ("gif",), ("gif",)),
    ],
)
def test_formats_come_from_the_name_or_from_the_option(output, formats, expected):
    assert read_target(output, formats).formats == expected


@pytest.mark.parametrize(
    ("output", "formats"),
    [("hero.webp", ("avif",)), ("hero.webp", ("avif", "webp")), ("hero.{avif,webp}", ("avif",))],
)
def test_name_and_option_must_not_contradict(output, formats):
    with pytest.raises(OutputError) as caught:
        read_target(output, formats)
    assert caught.value.hint


def paths(output, finish, fields=None):
    target = read_target(output, ())
    name = Name(target.output, fields or {})
    planned = outputs(finish._replace(formats=target.formats), Received("png", 2000, 1000, 9))
    return [path_of(name, one, target.suffixes) for one in planned]


def test_derivatives_are_named_by_their_width():
    assert paths("hero.{avif,jpeg}", Finish(widths=(640, 320))) == [
        "hero-640.avif", "hero-640.jpeg", "hero-320.avif", "hero-320.jpeg",
    ]  # fmt: skip


def test_a_width_in_the_template_takes_the_place_of_the_tail():
    assert paths("{width}/hero_{height}.{webp,png}", Finish(widths=(640,))) == ["640/hero_320.webp", "640/hero_320.png"]


def test_the_original_stands_apart_in_its_own_format():
    assert paths("hero.webp", Finish(keep_original=True)) == ["hero-original.png", "hero.webp"]


def test_two_images_cannot_become_one_file():
    with pytest.raises(OutputError, match="made of"):
        refuse_doubles([("out/a.webp", "x/a.png"), ("out/A.webp", "y/a.png")])
