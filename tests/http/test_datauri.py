"""Base64 and data URIs as servers write them; whatever they write, only known errors come."""

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.errors import ImageError
from flux_cli.http.datauri import PIECE, data_uri, decode_data_uri

LIMIT = 1 << 20


def decode_base64(text, limit):
    """Text that may or may not say that it is a data URI, as the providers hand it on."""
    return decode_data_uri(text if text.startswith("data:") else f"data:;base64,{text}", limit)


BYTES = bytes(range(256)) + b"\xfb\xff\x00"  # with +, / and = in its base64
TEXT = base64.b64encode(BYTES).decode()
assert {"+", "/", "="} < set(TEXT)


def lines(text, width=76, end="\n"):
    return end.join(text[at : at + width] for at in range(0, len(text), width)) + end


@pytest.mark.parametrize(
    "text",
    [
        TEXT,
        TEXT.rstrip("="),
        lines(TEXT),
        lines(TEXT, end="\r\n"),
        lines(TEXT.rstrip("="), 64),
        f"  {TEXT}\n",
        base64.urlsafe_b64encode(BYTES).decode(),
        lines(base64.urlsafe_b64encode(BYTES).decode().rstrip("=")),
        f"data:image/png;base64,{TEXT}",
        f"data:image/png;base64,{TEXT.rstrip('=')}",
        f"data:image/png;base64,{lines(TEXT)}",
        f"data:image/png;charset=utf-8;base64,{TEXT}",
        f"data:image/png;BASE64,{TEXT}",
        f"data:;base64,{TEXT}",
    ],
    ids=lambda text: repr(text[:24]),
)
def test_base64_is_read_with_and_without_prefix_padding_and_line_breaks(text):
    assert decode_base64(text, LIMIT) == BYTES


@pytest.mark.parametrize("length", range(10))
def test_missing_padding_is_restored_for_every_length(length):
    data = b"\xff" * length
    assert decode_base64(base64.b64encode(data).decode().rstrip("="), LIMIT) == data


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "AAAAA",
        "AA=A",
        "!!!!",
        "<html>",
        "https://example.org/fox.png",
        "Zm\u00f6",
        "\ud800",
        "\x00" * 4,
        "data:",
        "data:image/png;base64",
        "data:image/png;base64,!!!",
        "data:,\ud800",
        "data:image/png;base64,\ud800",
    ],
)
def test_what_is_no_base64_is_no_image_and_may_have_been_paid_for(text):
    with pytest.raises(ImageError) as raised:
        decode_base64(text, LIMIT)
    assert raised.value.billed


def test_prefixes_inside_prefixes_end_in_an_image_error_and_not_in_a_deep_stack():
    with pytest.raises(ImageError):
        decode_base64("data:;base64," + "data:data:;base64," * 5000, LIMIT)


@pytest.mark.parametrize(
    ("uri", "data"),
    [
        (f"data:image/png;base64,{TEXT}", BYTES),
        ("data:text/plain,a%20b", b"a b"),
        ("data:,%89PNG", b"\x89PNG"),
        ("data:,", b""),
        ("data:image/svg+xml,<svg/>", b"<svg/>"),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_a_data_uri_may_be_base64_or_percent_encoded(uri, data):
    assert decode_data_uri(uri, LIMIT) == data


@pytest.mark.parametrize("before", range(PIECE - 4, PIECE + 2))
def test_escapes_survive_being_decoded_in_pieces(before):
    assert decode_data_uri("data:," + "x" * before + "%41%42%43y", LIMIT) == b"x" * before + b"ABCy"


@pytest.mark.parametrize(
    "uri", ["", "data:", "data:image/png", "http://a,b", ",x", "image/png;base64,AAAA"]
)
def test_what_is_no_data_uri_is_refused(uri):
    with pytest.raises(ImageError, match="has no data"):
        decode_data_uri(uri, LIMIT)


@pytest.mark.parametrize(
    "text",
    [
        base64.b64encode(bytes(LIMIT + 10)).decode(),
        "data:image/png;base64," + base64.b64encode(bytes(LIMIT + 10)).decode(),
        "data:image/png," + "%00" * (LIMIT + 10),
        "data:image/png," + "x" * (LIMIT + 10),
    ],
    ids=["bare", "data URI", "percent-encoded", "plain"],
)
def test_what_is_too_long_is_refused_and_never_cut(text):
    with pytest.raises(ImageError, match="larger than 1 MiB") as raised:
        decode_base64(text, LIMIT)
    assert raised.value.billed


@pytest.mark.parametrize("form", ["{}", "data:image/png;base64,{}"])
def test_what_just_fits_is_read(form):
    data = bytes(LIMIT)
    assert decode_base64(form.format(base64.b64encode(data).decode()), LIMIT) == data


@given(st.binary(max_size=200))
def test_any_bytes_come_back_from_their_data_uri(data):
    uri = data_uri(data, "image/png")
    assert uri.startswith("data:image/png;base64,")
    assert decode_base64(uri, LIMIT) == decode_data_uri(uri, LIMIT) == data


@given(
    st.text(max_size=60)
    | st.text("data:;base64,%ABab01+/=\n ", max_size=60)
    | st.text(max_size=30).map("data:".__add__)
)
def test_any_text_gives_bytes_or_an_image_error(text):
    for decode in (decode_base64, decode_data_uri):
        with contextlib.suppress(ImageError):
            assert isinstance(decode(text, LIMIT), bytes)
