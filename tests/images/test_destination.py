"""Destinations: lists of formats, contradictions, and the names of several files of one image."""

import pytest

from flux_cli.core.errors import OutputError, UsageError
from flux_cli.core.image import Inspection
from flux_cli.images.destination import Destination, read_destination
from flux_cli.images.finish import Finish
from flux_cli.images.names import Name, path_of, refuse_doubles
from flux_cli.images.outputs import outputs


@pytest.mark.parametrize(
    ("output", "template", "suffixes"),
    [
        ("hero.{avif,webp,jpg}", "hero.{ext}", ("avif", "webp", "jpg")),
        ("out/{slug}-{seed}.{png,webp}", "out/{slug}-{seed}.{ext}", ("png", "webp")),
        ("hero.{ jpeg , AVIF ,}", "hero.{ext}", ("jpeg", "AVIF")),
        ("hero.{ext}", "hero.{ext}", ()),
        ("{slug}", "{slug}", ()),
        ("hero.webp", "hero.{ext}", ("webp",)),
        ("out.d/hero", "out.d/hero", ()),
        (None, None, ()),
    ],
)
def test_a_comma_tells_a_list_of_formats_from_a_field(output, template, suffixes):
    destination = read_destination(output, ())
    assert (destination.template, tuple(destination.suffixes.values())) == (template, suffixes)


@pytest.mark.parametrize(
    "output", ["{avif,webp}/hero.jpg", "hero{avif,webp}", "hero.{avif,webp}.bak"]
)
def test_a_list_elsewhere_than_at_the_end_is_refused(output):
    with pytest.raises(OutputError, match="at the end"):
        read_destination(output, ())


def test_an_unknown_format_in_a_list_is_refused_with_the_nearest():
    with pytest.raises(UsageError, match="wepb") as caught:
        read_destination("hero.{avif,wepb}", ())
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
    assert read_destination(output, formats).formats == expected


@pytest.mark.parametrize(
    ("output", "formats"),
    [
        ("hero.webp", ("avif",)),
        ("hero.webp", ("avif", "webp")),
        ("hero.{avif,webp}", ("avif",)),
        ("fox.jpg", ("png",)),
        ("fox.png", ("jpeg",)),
        ("fox.gif", ("avif",)),
    ],
)
def test_name_and_option_must_not_contradict(output, formats):
    with pytest.raises(OutputError, match="contradicts the file name") as caught:
        read_destination(output, formats)
    assert caught.value.hint.startswith("leave out the format (-f, -p output_format), or write -o")


def test_standard_output_and_folders_have_no_suffix_to_read():
    assert read_destination("-", ("gif",)) == Destination("-", formats=("gif",))
    assert read_destination("-", ()).is_stdout
    assert read_destination("out.webp", (), is_folder=True) == Destination(
        "out.webp", is_folder=True
    )


def paths(output, finish, fields=None):
    target = read_destination(output, ())
    name = Name(target.template, fields or {})
    planned = outputs(finish._replace(formats=target.formats), Inspection("png", 2000, 1000, 9))
    return [path_of(name, one, target.suffixes) for one in planned]


def test_derivatives_are_named_by_their_width():
    assert paths("hero.{avif,jpeg}", Finish(widths=(640, 320))) == [
        "hero.avif", "hero.jpeg",
        "hero-640.avif", "hero-640.jpeg", "hero-320.avif", "hero-320.jpeg",
    ]  # fmt: skip


def test_a_width_in_the_template_takes_the_place_of_the_tail():
    assert paths("{width}/hero_{height}.{webp,png}", Finish(widths=(640,))) == [
        "2000/hero_1000.webp",
        "2000/hero_1000.png",
        "640/hero_320.webp",
        "640/hero_320.png",
    ]


def test_the_original_stands_apart_in_its_own_format():
    assert paths("hero.webp", Finish(keep_original=True)) == ["hero-original.png", "hero.webp"]


def test_two_images_cannot_become_one_file():
    with pytest.raises(OutputError, match="made from"):
        refuse_doubles([("out/a.webp", "x/a.png"), ("out/A.webp", "y/a.png")])
