"""Colors as people write them."""

import pytest
from PIL import ImageColor

from flux_cli.core.errors import UsageError
from flux_cli.images.pixels.border_color import channels, parse_color


def test_names_have_the_values_that_pillow_gives_them():
    for name in ImageColor.colormap:
        assert channels(parse_color(name.upper())) == (*ImageColor.getrgb(name), 255)


@pytest.mark.parametrize(
    ("text", "color"),
    [
        ("#fa0", "#ffaa00ff"),
        ("#FA08", "#ffaa0088"),
        ("ffaa00", "#ffaa00ff"),
        (" #ffaa0080 ", "#ffaa0080"),
        ("transparent", "#00000000"),
        ("Grey", "#808080ff"),
        ("rgb(255, 170, 0)", "#ffaa00ff"),
    ],
)
def test_colors_have_one_form(text, color):
    assert parse_color(text) == color


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#",
        "#12",
        "#12345",
        "#1234567",
        "#ggg",
        "rgb(1,2)",
        "rgb(999,0,0)",
        "rgb(1e9,0,0)",
        "٣٣٣",
    ],
)
def test_what_is_no_color_is_refused(text):
    with pytest.raises(UsageError, match="--pad-color: invalid color") as caught:
        parse_color(text)
    assert caught.value.hint


def test_a_slip_in_a_name_is_guessed():
    with pytest.raises(UsageError) as caught:
        parse_color("steelbleu")
    assert caught.value.hint == "did you mean steelblue?"
