"""Bytes, widths and choices as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.errors import UsageError
from flux_cli.core.options import Finish as Typed
from flux_cli.images.finish import (
    EFFORTS,
    FITS,
    FOCUSES,
    parse_bytes,
    parse_choice,
    parse_focus,
    parse_width,
    read_finish,
)


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("200kB", 200_000),
        ("200 KB", 200_000),
        ("200k", 200_000),
        ("0.5kB", 500),
        ("1.5MB", 1_500_000),
        (" 5 mb ", 5_000_000),
        ("2MiB", 2_097_152),
        ("64KiB", 65_536),
        ("999", 999),
        ("1b", 1),
    ],
)
def test_bytes_with_and_without_units(text, amount):
    assert parse_bytes(text) == amount


@pytest.mark.parametrize(
    "text", ["", "kB", "-5kB", "0", "0.1", "5 apples", "1e3", "٣kB", "nan", "1.2.3kB", "9" * 20]
)
def test_what_is_no_number_of_bytes_is_refused(text):
    with pytest.raises(UsageError, match="invalid number of bytes"):
        parse_bytes(text)


@given(st.text(max_size=12))
def test_any_text_is_an_amount_or_a_usage_error(text):
    for parse in (parse_bytes, parse_width):
        try:
            assert parse(text) > 0
        except UsageError as fault:
            assert fault.hint  # noqa: PT017 - either way is right


@pytest.mark.parametrize(
    ("text", "width"), [("640", 640), ("640px", 640), ("640w", 640), (" 1 ", 1)]
)
def test_widths(text, width):
    assert parse_width(text) == width


@pytest.mark.parametrize("text", ["", "0", "-1", "6.5", "100000", "640x480"])
def test_what_is_no_width_is_refused(text):
    with pytest.raises(UsageError, match="invalid width"):
        parse_width(text)


def test_a_choice_takes_both_spellings_of_center_and_helps_with_a_slip():
    assert parse_choice("Centre", ("center", "top"), "--focus") == "center"
    with pytest.raises(UsageError, match="expected one of cover, contain") as caught:
        parse_choice("contian", ("cover", "contain"), "--fit")
    assert caught.value.hint == "did you mean contain?"


CHOICES = {"--fit": FITS, "--focus": FOCUSES, "--effort": EFFORTS}


@pytest.mark.parametrize(("option", "choices"), CHOICES.items(), ids=CHOICES)
@pytest.mark.parametrize("word", ["qqqqqq", "", "42"])
def test_a_word_like_no_choice_gets_the_meaning_of_the_choices(option, choices, word):
    """No hint takes one of the choices for what was meant."""
    with pytest.raises(UsageError, match="invalid choice") as caught:
        parse_choice(word, choices, option)
    assert caught.value.hint not in {f"for example {option} {choice}" for choice in choices}
    assert any(choice in caught.value.hint for choice in choices) or "0.3,0.7" in caught.value.hint


# --- points


@pytest.mark.parametrize(
    ("text", "focus"),
    [
        ("0.3,0.7", "0.3,0.7"),
        (" .30 , 0.70", "0.3,0.7"),
        ("0,1", "0,1"),
        ("1.0,0.12345", "1,0.1235"),
    ],
)
def test_a_point_has_one_form(text, focus):
    assert parse_focus(text) == focus


@pytest.mark.parametrize(
    "text",
    [",", "0.3,", "0.3,0.7,0.1", "30,70", "1.1,0", "-0.1,0", "nan,0", "1e-1,0", "a,b", "٣,0"],
)
def test_what_is_no_point_is_refused(text):
    with pytest.raises(UsageError, match="invalid point") as caught:
        parse_focus(text)
    assert "--focus 0.3,0.7" in caught.value.hint


# --- options together


def read(size=None, formats=(), **given):
    return read_finish(Typed(**given), size, formats)


WRONG = {
    "cover with one side": ("320x", {"fit": "cover"}, "--fit cover needs both sides"),
    "pad with one side": ("x300", {"fit": "pad"}, "--fit pad needs both sides"),
    "a color without borders": ("10x10", {"fit": "cover", "pad_color": "red"}, "nothing to fill"),
    "a color alone": (None, {"pad_color": "red"}, "nothing to fill"),
    "no color": ("10x10", {"fit": "pad", "pad_color": "reddish"}, "invalid color 'reddish'"),
    "a place in borders": ("10x10", {"fit": "pad", "focus": "0.3,0.7"}, "nothing to crop"),
    "pad without a size": (None, {"fit": "pad"}, "needs a size"),
    "no side": ("0x", {}, "invalid size '0x'"),
}


@pytest.mark.parametrize(("size", "given", "message"), WRONG.values(), ids=WRONG)
def test_options_that_contradict_each_other_are_refused(size, given, message):
    with pytest.raises(UsageError, match=message) as caught:
        read(size, **given)
    assert caught.value.hint


def test_transparent_borders_need_a_format_that_has_them():
    assert read("1:1", ("png", "gif"), fit="pad", pad_color="#0000").pad_color == "#00000000"
    assert read("1:1", ("jpeg",), fit="pad", pad_color="#fff").pad_color == "#ffffffff"
    for color in ("transparent", "#ffffff80"):
        with pytest.raises(UsageError, match="jpeg has no transparency, and --pad-color") as caught:
            read("1:1", ("png", "jpeg"), fit="pad", pad_color=color)
        assert caught.value.hint.startswith("choose png, gif, webp or avif, or give an opaque")
