"""Bytes, widths and choices as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.errors import UsageError
from flux_cli.images.finish import parse_bytes, parse_choice, parse_width


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
