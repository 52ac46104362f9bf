"""Escape sequences are read back the way a terminal reads them, and show what went in."""

import base64
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from screens import blocks_read, kitty_read, sixel_read

from flux_cli.terminal import graphics

ESC = "\x1b"


@given(st.binary(min_size=1, max_size=20_000))
def test_kitty_gets_every_byte_in_pieces_it_accepts(data):
    settings, read = kitty_read(graphics.kitty(data, 40))
    assert read == data
    assert settings | {"m": ""} == {"a": "T", "f": "100", "q": "2", "c": "40", "m": ""}


@given(st.binary(min_size=1, max_size=5000))
def test_iterm_gets_every_byte_and_the_cells_it_may_fill(data):
    sequence = re.compile(r"\x1b\]1337;File=([^:]*):([A-Za-z0-9+/=]*)\x07")
    head, text = sequence.fullmatch(graphics.iterm(data, 40, 12)).groups()
    assert base64.b64decode(text, validate=True) == data
    settings = dict(pair.split("=") for pair in head.split(";"))
    size = str(len(data))
    assert settings.pop("preserveAspectRatio") == "1"
    assert settings == {"inline": "1", "size": size, "width": "40", "height": "12"}


@st.composite
def indexed(draw):
    width = draw(st.integers(1, 40))
    height = draw(st.integers(1, 20))
    colors = draw(st.integers(1, 256))
    pixel = st.integers(0, colors - 1)
    pixels = draw(st.lists(pixel, min_size=width * height, max_size=width * height))
    return bytes(pixels), width, [(index, 255 - index, index // 2) for index in range(colors)]


@given(indexed())
def test_sixels_draw_every_pixel_once_in_its_color(image):
    pixels, width, palette = image
    rows = sixel_read(graphics.sixel(pixels, width, palette))
    seen = list(itertools.chain(*rows))
    assert seen == [percents(palette[index]) for index in pixels]


def percents(color):
    return tuple(round(part * 100 / 255) for part in color)


def test_runs_of_sixels_are_counted():
    sequence = graphics.sixel(bytes(600), 100, [(255, 0, 0)])
    assert sequence == f'{ESC}Pq"1;1;100;6#0;2;100;0;0#0!100~{ESC}\\'


def test_no_sixel_says_what_the_one_before_it_said():
    """Colors of a band end at their last pixel; the rest of the row is not spelled out."""
    assert graphics.sixel(b"\0\1\1\1\1\1", 6, [(0, 0, 0), (255, 255, 255)]).count("?") == 1


@pytest.mark.parametrize(("numbered", "depth"), [(True, 1), (False, 3)])
@given(data=st.data())
def test_half_blocks_show_every_pixel(numbered, depth, data):
    width, lines = data.draw(st.integers(1, 12)), data.draw(st.integers(1, 4))
    part = st.sampled_from([0, 1, 128, 255])  # few, so that neighbors are often alike
    length = width * lines * 2 * depth
    pixels = bytes(data.draw(st.lists(part, min_size=length, max_size=length)))
    rows = blocks_read(graphics.half_blocks(pixels, width, numbered=numbered))
    starts = range(0, length, depth)
    kind = 5 if numbered else 2
    expected = [[kind, *pixels[start : start + depth]] for start in starts]
    codes = itertools.chain(*rows)
    assert list(codes) == [";".join(map(str, numbers)) for numbers in expected]


def test_colors_are_named_only_where_they_change():
    line = graphics.half_blocks(bytes([7] * 8), 4, numbered=True)
    assert line == f"{ESC}[38;5;7;48;5;7m▀▀▀▀{ESC}[0m"
