"""What a client asks for: fields of a JSON body or of a form."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.serve.answering.refusals import Refusal
from flux_cli.serve.asking.asked import read_asked, read_body, read_fields

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


def refused(body):
    with pytest.raises(Refusal) as refusal:
        read_asked(body)
    assert refusal.value.status == 400
    return refusal.value


def test_what_is_null_is_absent():
    body = read_body(b'{"model": null, "prompt": "a fox", "n": null, "size": null}')
    asked = read_asked(body)
    assert (asked.model, asked.n, asked.values) == (None, 1, {})


def test_other_fields_are_parameters_with_their_own_types():
    body = {"prompt": "a fox", "size": "16:9", "seed": 7, "raw": True, "user": "42", "size2": [1]}
    values = {"size": "16:9", "seed": 7, "raw": True, "user": "42", "size2": [1]}
    assert read_asked(body).values == values


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("n", "2"),
        ("n", 2.0),
        ("n", True),
        ("n", 0),
        ("n", 11),
        ("prompt", 7),
        ("prompt", ["a fox"]),
        ("model", 7),
        ("stream", "yes"),
        ("response_format", "base64"),
        ("output_format", "tiff"),
        ("output_format", ["png"]),
    ],
)
def test_a_field_of_another_type_is_refused_by_its_name(name, value):
    assert refused({"prompt": "a fox", name: value}).param == name


@pytest.mark.parametrize(
    ("asked", "model", "keys"),
    [
        (None, "flux1.1-pro-ultra", ("url", "b64_json")),
        (None, "", ("url", "b64_json")),
        (None, "gpt-image-1", ("b64_json",)),
        ("url", "gpt-image-1", ("url",)),
        ("b64_json", "flux1.1-pro-ultra", ("b64_json",)),
    ],
)
def test_an_answer_has_the_keys_that_its_client_reads(asked, model, keys):
    body = {"prompt": "a fox", "model": model}
    if asked:
        body["response_format"] = asked
    assert read_asked(body).keys == keys


def test_a_form_has_types_only_where_text_would_be_wrong():
    fields = {"prompt": "7", "n": "2", "seed": "5", "raw": "true", "size": "1:1", "style": ""}
    asked = read_asked(read_fields(fields))
    assert (asked.prompt, asked.n) == ("7", 2)
    assert asked.values == {"seed": 5, "raw": True, "size": "1:1"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"a fox",
        b"[]",
        b'"a fox"',
        b"\xff\xfe",
        b'{"prompt": "a", "prompt": "b"}',
        b'{"seed": NaN}',
        b'{"seed": 1e999}',
        b"[" * 100_000,
        b'{"a":' + b"[" * 1000 + b"]" * 1000 + b"}",
        b'{"a":' + b'{"b":' * 200 + b"1" + b"}" * 201,
    ],
)
def test_a_body_that_is_no_flat_object_is_refused(data):
    with pytest.raises(Refusal) as refusal:
        read_body(data)
    assert (refusal.value.status, refusal.value.code) == (400, "invalid_json")


@given(st.dictionaries(st.sampled_from(["prompt", "model", "n", "size", "stream", "x"]), JSON))
def test_any_object_is_read_or_refused(body):
    with suppress(Refusal):
        asked = read_asked(read_body(json.dumps(body).encode()))
        assert 1 <= asked.n <= 10


@given(st.binary())
def test_any_bytes_are_read_or_refused(data):
    with suppress(Refusal):
        assert isinstance(read_body(data), dict)
