"""Single values: what JSON can say, what each kind of parameter accepts, how long ones look."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.errors import UsageError
from flux_cli.core.model import Param
from flux_cli.core.request import Attachment, Request
from flux_cli.core.values import (
    check_text,
    check_value,
    parse_value,
    read_amount,
    shorten,
    unchecked_value,
)
from flux_cli.request.resolve import resolve

NO_NUL = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
SEED = Param("seed", "integer", "passthrough", "")
COUNT = Param("n", "integer", "emulated", "", minimum=1, maximum=10)
STRENGTH = Param("strength", "number", "passthrough", "", minimum=0, maximum=1)
SCALE = Param("scale", "number", "passthrough", "")
AT_MOST = Param("steps", "number", "passthrough", "", maximum=50)
AT_LEAST = Param("steps", "integer", "passthrough", "", minimum=4)
RAW = Param("raw", "boolean", "passthrough", "")
TOLERANCE = Param("safety_tolerance", "string", "passthrough", "", choices=("1", "2", "3"))
STYLE = Param("style", "string", "passthrough", "")
IMAGE = Param("image_prompt", "image", "passthrough", "")
BIGGEST = 2**63 - 1


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("3.5", 3.5),
        ("1e3", 1000.0),
        ("true", True),
        ("false", False),
        ("null", None),
        ('"5"', "5"),
        ('["a", 1]', ["a", 1]),
        ('{"a": {"b": [null]}}', {"a": {"b": [None]}}),
        (" 5 ", 5),
        ('"\\u00e9"', "é"),
    ],
)
def test_text_that_is_json_becomes_its_value(text, value):
    assert parse_value(text) == value
    assert isinstance(parse_value(text), type(value))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "fox",
        "True",
        "1,5",
        "01",
        "+5",
        "0x10",
        "[1, 2",
        "{'a': 1}",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "-1e999",
        "[NaN]",
        '{"a": 1e999}',
        "9" * 5000,
        "-" + "9" * 5000,
        "[" * 100_000,
        "[" * 100_000 + "]" * 100_000,
        '{"a":' * 50_000 + "1" + "}" * 50_000,
        '"\\ud800"',  # half a character, which no UTF-8 body can carry
        '["\\udfff"]',
        '{"\\ud800": 1}',
        "\ufeff5",
    ],
    ids=lambda text: repr(text[:12]),
)
def test_text_that_json_cannot_say_again_stays_text(text):
    assert parse_value(text) == text


@given(st.text(NO_NUL, max_size=30) | st.text('0123456789.eE+-[]{}",: \\ud8NaInf', max_size=30))
def test_whatever_is_typed_can_be_sent_as_json(text):
    body = json.dumps(unchecked_value(check_text("x", text)), allow_nan=False, ensure_ascii=False)
    assert json.loads(body.encode()) == parse_value(text)


def test_an_attachment_is_sent_as_its_data_uri_whatever_the_parameter():
    attachment = Attachment("fox.png", "data:image/png;base64,AAAA")
    assert (
        unchecked_value(attachment)
        == check_value(IMAGE, attachment)
        == "data:image/png;base64,AAAA"
    )


@pytest.mark.parametrize(
    ("param", "said", "value"),
    [
        (SEED, "0", 0),
        (SEED, "-1", -1),
        (SEED, "+5", 5),
        (SEED, "007", 7),
        (SEED, 7, 7),
        (SEED, str(BIGGEST), BIGGEST),
        (SEED, BIGGEST, BIGGEST),
        (SEED, str(-BIGGEST), -BIGGEST),
        (COUNT, "1", 1),
        (COUNT, "10", 10),
        (AT_LEAST, "4", 4),
        (STRENGTH, "0", 0),
        (STRENGTH, "1", 1),
        (STRENGTH, "1.0", 1),
        (STRENGTH, "0.5", 0.5),
        (STRENGTH, ".5", 0.5),
        (STRENGTH, "1e-1", 0.1),
        (STRENGTH, 0.25, 0.25),
        (STRENGTH, "-0", 0),
        (SCALE, "-3.5", -3.5),
        (SCALE, 2**40, 2**40),
        (AT_MOST, "50", 50),
        (AT_MOST, "-1", -1),
        (RAW, "true", True),
        (RAW, "false", False),
        (RAW, True, True),
        (RAW, False, False),
        (TOLERANCE, "1", "1"),
        (TOLERANCE, 3, "3"),
        (STYLE, "", ""),
        (STYLE, "vivid", "vivid"),
        (STYLE, 1.5, "1.5"),
        (IMAGE, "https://example.org/a.png", "https://example.org/a.png"),
        (IMAGE, "http://example.org/a.png", "http://example.org/a.png"),
        (IMAGE, "data:image/png;base64,AAAA", "data:image/png;base64,AAAA"),
    ],
)
def test_good_values_come_out_in_the_declared_type(param, said, value):
    assert check_value(param, said) == value
    assert type(check_value(param, said)) is type(value)


HUGE = 10**5000
NOT_WHOLE = [
    "", " ", "1.5", "1.0", "1e3", "abc", "0x10", "1_000", "1,000", " 5", "5\n", "NaN", "Infinity",
    "--5", "++5", "-+5", "+-5", "-", "+", "\uff15", "\u0665", "\u00b2", 1.0,
    "9" * 5000, str(2**63), str(-(2**63)), 2**63, HUGE, -HUGE,
    True, False, None, [], [5], {}, {"a": 1},
]  # fmt: skip
NOT_A_NUMBER = [
    "", " ", "abc", "0x1", "0_1", "0.2_5", "1,5", "1 2", "nan", "-nan", "inf", "Infinity", "-inf",
    "1e999", "9" * 5000, HUGE, float("nan"), float("inf"),
    "\uff15", "\u0660.\u0665", "\u00bd", "\u221e",
    True, False, None, [], {},
]  # fmt: skip
NOT_A_BOOLEAN = [
    "", "yes", "no", "1", "0", "True", "TRUE", "on", "truefalse", 1, 0, None, [], {},
]  # fmt: skip
NOT_A_TOLERANCE = ["", "0", "4", "6", "high", " 1", "1.0", 0, 1.5, True, None, [], {}, HUGE]
NOT_AN_IMAGE = [
    "", "fox.png", "/etc/passwd", "ftp://a/b", "file:///a", "data:text/html,x", "javascript:x",
    " https://a", 5, True, None, [],
]  # fmt: skip
REFUSED = {
    SEED: NOT_WHOLE,
    SCALE: NOT_A_NUMBER,
    COUNT: ["0", "-1", "11", 0, 11, str(BIGGEST)],
    AT_LEAST: ["3", -1],
    AT_MOST: ["51", 50.5, "1e300"],
    STRENGTH: ["-0.1", "1.1", "2", -1, 1.0001],
    RAW: NOT_A_BOOLEAN,
    TOLERANCE: NOT_A_TOLERANCE,
    STYLE: [True, False, None, [], {}, HUGE],
    IMAGE: NOT_AN_IMAGE,
}


@pytest.mark.parametrize("param", REFUSED, ids=lambda param: param.name)
def test_every_other_value_is_refused_with_the_name_of_the_parameter(param):
    for value in REFUSED[param]:
        with pytest.raises(UsageError) as raised:
            check_value(param, value)
        assert raised.value.message.startswith(f"{param.name} must be ")
        assert len(raised.value.message) < 200


@pytest.mark.parametrize(
    ("param", "said", "message"),
    [
        (COUNT, "0", "n must be 1 to 10, not '0'"),
        (STRENGTH, "1.5", "strength must be 0 to 1, not '1.5'"),
        (AT_LEAST, "3", "steps must be at least 4, not '3'"),
        (SEED, "x", "seed must be a whole number, not 'x'"),
        (RAW, "yes", "raw must be true or false, not 'yes'"),
        (TOLERANCE, "9", "safety_tolerance must be one of 1, 2, 3, not '9'"),
        (RAW, None, "raw must be true or false, not 'null'"),
    ],
)
def test_a_refusal_says_what_is_wanted_and_what_was_given(param, said, message):
    with pytest.raises(UsageError) as raised:
        check_value(param, said)
    assert raised.value.message == message


RESPONSE_FORMAT = Param("response_format", "string", "emulated", "", choices=("url", "b64_json"))


def test_a_mistyped_choice_is_recognized():
    with pytest.raises(UsageError) as raised:
        check_value(RESPONSE_FORMAT, "b64-json")
    assert raised.value.hint == "did you mean b64_json?"


TYPES = {"integer": int, "number": int | float, "boolean": bool, "string": str, "image": str}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


@pytest.mark.parametrize(
    "param",
    [SEED, COUNT, STRENGTH, SCALE, AT_MOST, AT_LEAST, RAW, TOLERANCE, STYLE, IMAGE],
    ids=lambda param: param.kind,
)
@given(said=JSON | st.text("0123456789+-.eE_", max_size=8))
def test_any_json_is_accepted_in_type_and_range_or_refused(param, said):
    try:
        value = check_value(param, said)
    except UsageError:
        return
    assert isinstance(value, TYPES[param.kind])
    if param.kind in ("integer", "number"):
        assert param.minimum is None or value >= param.minimum
        assert param.maximum is None or value <= param.maximum


@pytest.mark.parametrize("text", ["\ud800", "a\udcffb", "fox \udfff"])
def test_bytes_that_were_no_utf8_are_refused_by_name(text):
    with pytest.raises(UsageError, match="the prompt has bytes that are not UTF-8"):
        check_text("the prompt", text)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le"])
def test_text_in_utf_16_without_its_mark_is_refused(encoding):
    text = "a red fox".encode(encoding).decode()
    with pytest.raises(UsageError, match="the prompt has NUL characters") as raised:
        check_text("the prompt", text)
    assert "iconv" in raised.value.hint
    for sent in ({}, {"negative_prompt": text}):
        with pytest.raises(UsageError, match="NUL characters"):
            resolve(Request("some-model", sent, "a fox" if sent else text), None)


@pytest.mark.parametrize("text", ["", "fox", "狐", "🦊", "\x01", "e\u0301"])
def test_every_other_text_is_well_formed(text):
    assert check_text("the prompt", text) == text


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("short", "short"),
        ("x" * 60, "x" * 60),
        ("x" * 61, "x" * 35 + "… (61 characters)"),
        ("x" * 5000, "x" * 35 + "… (5,000 characters)"),
        (5, 5),
        (None, None),
        (["x" * 100], ["x" * 100]),
    ],
)
def test_only_long_text_is_shortened_and_its_length_is_said(value, shown):
    assert shorten(value) == shown


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        (0.5, 0.5),
        (3, 3.0),
        ("0.5", 0.5),
        ("12", 12.0),
        ("-1", None),
        ("1e400", None),
        ("9" * 400, None),
        ("1.2.3", None),
        ("\u0665", None),
        (-1, None),
        (float("nan"), None),
        (True, None),
        (None, None),
    ],
)
def test_a_price_is_a_number_or_a_string_with_one(value, amount):
    assert read_amount(value) == amount
