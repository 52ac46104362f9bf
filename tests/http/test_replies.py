"""Answers of servers: which error, how long to wait; nothing a server writes may raise."""

import json
from email.utils import formatdate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from flux_cli.core.auth import Auth
from flux_cli.core.errors import (
    AuthError,
    FluxError,
    ModerationError,
    NotFoundError,
    PaymentError,
    ProviderError,
    RateError,
    ValidationError,
)
from flux_cli.core.outcome import Reply
from flux_cli.core.text import Secret
from flux_cli.http.replies import (
    may_retry,
    parse_json,
    reply_error,
    request_id_of,
    retry_after,
)

NOW = 1_700_000_000.0


def reply(status, body=b"", **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, data)


def envelope(code, message="words", kind="some_type"):
    return {"error": {"message": message, "type": kind, "code": code}}


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (401, "AUTHENTICATION_FAILED", AuthError),
        (401, "invalid_api_key", AuthError),
        (402, "INSUFFICIENT_BALANCE", PaymentError),
        (429, "insufficient_quota", PaymentError),  # OpenAI says it with 429; waiting does not help
        (400, "CONTENT_POLICY_VIOLATION", ModerationError),
        (400, "content_policy_violation", ModerationError),
        (400, "moderation_blocked", ModerationError),
        (404, "MODEL_NOT_FOUND", NotFoundError),
        (404, "model_not_found", NotFoundError),
        (404, "MODEL_DISABLED", NotFoundError),
        (404, "RECORDING_NOT_FOUND", NotFoundError),
        (400, "INVALID_REQUEST", ValidationError),
        (400, "unknown_parameter", ValidationError),
        (429, "RATE_LIMITED", RateError),
        (429, "rate_limit_exceeded", RateError),
        (502, "ALL_PROVIDERS_EXHAUSTED", ProviderError),
        (502, "UPSTREAM_ERROR", ProviderError),  # by status
        (400, "UPSTREAM_ERROR", ValidationError),
        (429, "UPSTREAM_ERROR", RateError),
        (500, "INTERNAL_ERROR", ProviderError),
        (500, "CONTENT_POLICY_VIOLATION", ModerationError),  # the code decides before the status
        (200, "CONTENT_POLICY_VIOLATION", ModerationError),
        (422, "concurrent_requests_limit", RateError),  # fal
        (200, "no_media_generated", ProviderError),
    ],
)
def test_the_code_decides_before_the_status(status, code, kind):
    for body in (
        envelope(code),
        {"error_code": code, "message": "words"},
        {"error": {"error_code": code}},
    ):
        error = reply_error(reply(status, body))
        assert type(error) is kind
        assert error.status == status
        assert code in error.message


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (422, {"detail": "Invalid API key format"}, AuthError),  # BFL
        (403, {"detail": "Not authenticated - invalid API key"}, AuthError),
        (403, {"detail": "User is locked. Reason: Exhausted balance."}, PaymentError),  # fal
        (
            200,
            {"error": "The output was flagged as sensitive. (E005)"},
            ModerationError,
        ),  # Replicate
        (
            422,
            {"detail": [{"loc": ["body"], "msg": "no", "type": "content_policy_violation"}]},
            ModerationError,
        ),  # fal
        (
            422,
            {"detail": [{"loc": ["body", "seed"], "msg": "no", "type": "int_parsing"}]},
            ValidationError,
        ),
        (
            422,
            {"title": "Input validation failed", "detail": "- input.output_format", "status": 422},
            ValidationError,
        ),
    ],
)
def test_words_and_types_decide_where_a_provider_has_no_code(status, body, kind):
    assert type(reply_error(reply(status, body))) is kind


@pytest.mark.parametrize(
    "words", ["invalid api key", "not authenticated", "exhausted balance", "flagged as sensitive"]
)
def test_a_code_we_know_is_believed_before_words_which_may_quote_the_prompt(words):
    body = envelope("INVALID_REQUEST", f"prompt '{words}' is too long")
    assert type(reply_error(reply(400, body))) is ValidationError


@pytest.mark.parametrize(
    "kind", ["invalid_request_error", "insufficient_quota", "billing_error", "authentication_error"]
)
def test_the_type_never_decides_because_it_varies(kind):
    assert type(reply_error(reply(402, envelope(None, kind=kind)))) is PaymentError
    assert type(reply_error(reply(500, envelope("INTERNAL_ERROR", kind=kind)))) is ProviderError


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ValidationError),
        (401, AuthError),
        (402, PaymentError),
        (403, AuthError),
        (404, NotFoundError),
        (413, ValidationError),
        (422, ValidationError),
        (429, RateError),
        (500, ProviderError),
        (502, ProviderError),
        (503, ProviderError),
        (529, ProviderError),
        (200, ProviderError),
        (418, ProviderError),
    ],
)
def test_the_status_decides_where_there_is_no_code(status, kind):
    for body in (
        b"",
        {"detail": "words"},
        b"words",
        envelope("SOMETHING_NEW"),
        envelope(status),
    ):
        assert type(reply_error(reply(status, body))) is kind


@pytest.mark.parametrize(
    ("status", "code", "exit_code"),
    [
        (401, None, 4),
        (402, None, 4),
        (400, "content_policy_violation", 5),
        (400, None, 1),
        (429, None, 1),
        (500, None, 1),
    ],
)
def test_failures_have_the_exit_codes_of_the_house(status, code, exit_code):
    assert reply_error(reply(status, envelope(code))).exit_code == exit_code


@pytest.mark.parametrize(
    ("status", "body", "billed"),
    [
        (408, b"", True),
        (504, b"", True),
        (499, b"", True),
        (520, b"<html>", True),
        (524, b"<html>", True),
        (598, b"", True),
        (599, b"", True),
        (200, {"error": "half an image"}, True),
        (200, envelope("CONTENT_POLICY_VIOLATION"), False),
        (400, b"", False),
        (401, b"", False),
        (429, b"", False),
        (500, b"", True),
        (502, b"<html>", True),
        (500, envelope("INTERNAL_ERROR"), True),
        (500, envelope("CONTENT_POLICY_VIOLATION"), False),
        (502, envelope("ALL_PROVIDERS_EXHAUSTED"), False),
        (501, b"", False),
        (503, b"", False),
    ],
)
def test_what_may_have_been_paid_for_is_said(status, body, billed):
    assert reply_error(reply(status, body)).billed is billed


UNCLEAR = (408, 499, 500, 502, 504, 507, 520, 524, 529, 598, 599)


@pytest.mark.parametrize("status", [*UNCLEAR, 400, 401, 402, 404, 422, 200, 501])
def test_what_was_refused_or_may_have_been_paid_for_is_never_repeated(status):
    assert not may_retry(reply(status))


@pytest.mark.parametrize(
    ("headers", "again"),
    [
        ({}, False),
        ({"x_should_retry": "true"}, True),
        ({"x_fal_retryable": "True"}, True),
        ({"x_fal_needs_retry": "1"}, True),
        ({"x_should_retry": "1"}, False),
        ({"x_should_retry": "true", "x_fal_retryable": "false"}, False),
    ],
)
def test_a_server_error_is_repeated_if_the_provider_says_that_nothing_was_done(headers, again):
    answer = reply(500, b"", **headers)
    assert may_retry(answer) is again
    if again:
        assert not reply_error(answer).billed


def test_a_documented_code_says_that_nothing_was_done():
    assert may_retry(reply(502, envelope("ALL_PROVIDERS_EXHAUSTED")))
    assert may_retry(reply(500, envelope("rate_limited")))
    assert not may_retry(reply(502, envelope("UPSTREAM_ERROR")))
    assert not may_retry(reply(400, envelope("ALL_PROVIDERS_EXHAUSTED")))


def test_busy_is_repeated_unless_the_server_says_that_it_is_useless():
    assert may_retry(reply(429))
    assert may_retry(reply(503))
    assert not may_retry(reply(503, b"", x_should_retry="false"))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (envelope("X", "no such size"), "no such size"),
        ({"error": "server broke"}, "server broke"),
        ({"error": "server_error", "message": "out of memory"}, "out of memory"),  # sd.cpp
        # LocalAI
        ({"error": {"message": "is loading", "code": 500, "type": ""}}, "is loading"),
        ({"detail": "Not authenticated"}, "Not authenticated"),
        (
            {"detail": [{"loc": ["body", "size"], "msg": "field required", "type": "missing"}]},
            "body.size: field required",
        ),
        (
            {"detail": [{"loc": ["body", "a", 0], "msg": "x"}, {"loc": [], "msg": "y"}]},
            "body.a.0: x; : y",
        ),
        ({"detail": {"message": "deep words"}}, "deep words"),
        ({"detail": {"reason": "no such key"}}, '{"reason": "no such key"}'),
        ({"message": "flat words"}, "flat words"),
        ({"detail": {"error": {"message": "deeper words", "code": "x"}}}, "400: deeper words"),
        ({"error": {"error": {"message": "deeper words"}}}, "400: deeper words"),
        ({"errorMessage": "flat words"}, "400: flat words"),
        ({"base": 1, "status_msg": "flat words"}, "400: flat words"),
        ([{"error": {"message": "listed words"}}], "400: listed words"),
        ({"message": '{"error": {"message": "inner words"}}'}, "400: inner words"),
        ({"title": "Unprocessable", "status": 422, "detail": "bad ratio"}, "bad ratio"),
        ({"title": "Unauthenticated"}, "Unauthenticated"),
        ({"errors": ["one", "two"]}, "one; two"),
        (b"upstream connect error", "upstream connect error"),
        (b"\xff\xfe broken \x80 bytes", "broken"),
        ('{"error":{"message":"Größe"}}'.encode(), "Größe"),
        (b"\xef\xbb\xbf" + b'{"message":"behind a byte order mark"}', "behind a byte order mark"),
        (b'"just a text"', "just a text"),
        ([{"message": "in a list"}], "in a list"),
        ({"error": {"message": ["a", {"msg": "b"}]}}, "a; b"),
        ({"detail": "line\none\ttwo\x1b[31m"}, "line one two [31m"),
    ],
)
def test_the_words_of_the_server_are_found_whatever_the_shape(body, words):
    assert words in reply_error(reply(400, body)).message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"   \n",
        b"<html><body>502 Bad Gateway</body></html>",
        b"  <!DOCTYPE html>",
        {},
        {"error": None},
        {"error": {}},
        {"error": {"message": None, "code": None}},
        {"error": ""},
        {"detail": []},
    ],
)
def test_a_server_that_says_nothing_is_said_to_say_nothing(body):
    error = reply_error(reply(500, body))
    assert error.message == "the provider failed with HTTP 500 and gave no reason"


@pytest.mark.parametrize(
    ("status", "body", "key_name", "message", "hint"),
    [
        (
            400,
            envelope("INVALID_REQUEST", "bad"),
            "",
            "the provider refused with INVALID_REQUEST: bad",
            "flux resolve",
        ),
        (
            401,
            {"detail": "no"},
            "LUMENFALL_API_KEY",
            "the provider refused with HTTP 401: no",
            "LUMENFALL_API_KEY",
        ),
        (401, {"detail": "no"}, "", "the provider refused with HTTP 401: no", "check the key"),
        (402, b"", "", "refused with HTTP 402", "top up"),
        (404, b"", "", "refused with HTTP 404", "flux models"),
        (429, b"", "", "refused with HTTP 429", "wait a moment"),
        (400, envelope("moderation_blocked"), "", "moderation_blocked", "rephrase"),
        (503, {"error": {"message": "m", "code": 17}}, "", "the provider failed with 17: m", ""),
    ],
)
def test_the_message_names_the_code_and_the_hint_the_next_step(
    status, body, key_name, message, hint
):
    auth = (
        Auth(Secret("k"), key_name, "https://host/v1", "Authorization", "Bearer ")
        if key_name
        else None
    )
    error = reply_error(reply(status, body), auth)
    assert message in error.message
    assert hint in error.hint


def test_long_words_are_cut():
    assert len(reply_error(reply(400, envelope("X", "w" * 100_000))).message) < 400
    assert len(reply_error(reply(400, envelope("C" * 5000, "w"))).message) < 200


LIST, DEEPER = 600, 940  # within what json.loads reads, and beyond what a careless walk survives


@pytest.mark.parametrize(
    "body",
    [
        b'{"detail":' + b"[" * LIST + b"]" * LIST + b"}",
        b'{"detail":' + b'{"msg":' * DEEPER + b"1" + b"}" * DEEPER + b"}",
        b'{"detail":' + b'{"a":' * DEEPER + b"1" + b"}" * DEEPER + b"}",
        b'{"detail":{"loc":' + b"[" * DEEPER + b"]" * DEEPER + b"}}",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'{"error":' + b"9" * 5000 + b"}",
        b'{"code":' + b"9" * 4000 + b"}",
        b'{"error":{"message":"\\ud800","code":"\\udfff"}}',
        b'{"error":{"code":1e999,"message":NaN}}',
        b'{"error":{"code":["x"],"message":{"a":1}}}',
        b'{"detail":[{"loc":{"a":1},"msg":5},null,true,[[]]]}',
        b'{"error":true,"message":false}',
        b"null",
        b"\x00",
        b"{" + b" " * (2 << 20) + b"}",
    ],
    ids=lambda body: repr(body[:24]),
)
def test_hostile_bodies_are_still_one_readable_failure(body):
    error = reply_error(reply(500, body))
    assert isinstance(error, FluxError)
    assert len(error.message) < 500
    error.message.encode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["error", "message", "code", "detail", "msg", "loc", "errors", "id"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(JSON | st.binary(max_size=60), st.sampled_from([200, 400, 401, 404, 429, 500, 504, 999]))
def test_any_body_and_status_make_a_failure_and_never_an_exception(body, status):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    error = reply_error(Reply(status, {}, data))
    assert error.message
    assert error.message.isprintable()


# --- Retry-After


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "2"}, 2),
        ({"retry-after": "2.5"}, 2.5),
        ({"retry-after": " 3 "}, 3),
        ({"retry-after": "0"}, 0),
        ({"retry-after": "3600"}, 3600),
        ({"retry-after-ms": "1500"}, 1.5),
        ({"retry-after-ms": "1500", "retry-after": "7"}, 1.5),
        ({"retry-after-ms": "soon", "retry-after": "7"}, 7),
        ({"retry-after": formatdate(NOW + 30, usegmt=True)}, 30),
        ({"retry-after": formatdate(NOW - 30, usegmt=True)}, 0),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:25 GMT"}, 5),
        ({"retry-after": "Tuesday, 14-Nov-23 22:13:25 GMT"}, 5),
        ({"retry-after": "Tue, 14 Nov 2023 23:13:25 +0100"}, 5),
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": " "}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "1e999"}, None),
        ({"retry-after": "Tue, 99 Foo 2023 99:99:99 GMT"}, None),
        ({"retry-after": "Tue, 14 Nov 99999999999 22:13:25 GMT"}, None),
        ({"retry-after": "Tue, 14 Nov 2023 22:13:25 +999999"}, None),
        ({"retry-after": "5, 6"}, 6),
    ],
)
def test_the_wait_is_read_as_milliseconds_seconds_or_date(headers, seconds):
    assert retry_after(Reply(429, headers, b""), NOW) == (
        None if seconds is None else pytest.approx(seconds)
    )


@pytest.mark.parametrize(
    ("status", "body", "seconds"),
    [
        (429, {"detail": "Request was throttled. Your rate limit resets in ~30s."}, 30),
        (429, {"detail": "Your rate limit resets in 5 s"}, 5),
        (429, b"rate limit resets in ~7s", 7),
        (429, {"detail": "try again later"}, None),
        (429, {"detail": "resets in ~99999999s"}, None),
        (503, {"detail": "resets in ~30s"}, 30),
        (429, b"", None),
    ],
)
def test_the_wait_is_read_from_the_words_where_no_header_says_it(status, body, seconds):
    assert retry_after(reply(status, body), NOW) == seconds


@given(st.text(max_size=40) | st.text("0123456789:,+- GMTueNov.eE", max_size=40))
@example("Tue, 14 Nov 2023 22:13:25 -9999")
@example("0 0 0 0 0 0")
@example("Mon, 1 Jan 0001 00:00:00 +0000")
@example(",")
def test_any_header_is_a_wait_of_zero_or_more_or_none(text):
    for headers in ({"retry-after": text}, {"retry-after-ms": text}):
        seconds = retry_after(Reply(429, headers, b""), NOW)
        assert seconds is None or 0 <= seconds < float("inf")


# --- names and words


@pytest.mark.parametrize(
    ("headers", "body", "name"),
    [
        ({"x-lumenfall-request-id": "a", "x-request-id": "b"}, None, "a"),
        ({"x-request-id": "b"}, {"id": "c"}, "b"),
        ({"x-fal-request-id": "f"}, None, "f"),
        ({}, {"id": "c"}, "c"),
        ({}, {"id": 5}, ""),
        ({}, ["id"], ""),
        ({}, None, ""),
        ({"x-request-id": "a\x1b[31mb\n"}, None, "a [31mb"),
    ],
)
def test_the_request_s_name_comes_from_a_header_or_the_body(headers, body, name):
    assert request_id_of(Reply(200, headers, b""), body) == name


def test_a_failure_carries_the_request_s_name():
    assert reply_error(reply(500, b"", x_lumenfall_request_id="req_1")).request_id == "req_1"


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b"[]", []),
        (b"", None),
        (b"<html>", None),
        (b'{"a": ', None),
        (b"\xff\xff", None),
        (b"[" * 200_000, None),
        (b"9" * 5000, None),
        ('{"a": 1}'.encode("utf-16"), {"a": 1}),
    ],
    ids=lambda value: repr(value)[:16],
)
def test_a_body_is_json_or_none(data, value):
    assert parse_json(data) == value


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"note": "caf\xe9", "url": "x"}', {"note": "caf\ufffd", "url": "x"}),
        (b'\xef\xbb\xbf{"url": "x"}', {"url": "x"}),
        ('{"url": "x"}'.encode("utf-16"), {"url": "x"}),
        (b'{"seed": ' + b"9" * 5000 + b', "url": "x"}', {"seed": None, "url": "x"}),
        (b"[" + b"9" * 300 + b"]", [int("9" * 300)]),
        (b"[-" + b"9" * 301 + b"]", [None]),
    ],
    ids=[
        "invalid UTF-8",
        "byte order mark",
        "UTF-16",
        "5,000 digits",
        "300 digits",
        "minus 301 digits",
    ],
)
def test_one_odd_value_does_not_hide_the_others(data, value):
    """An image that is paid for must not be lost because something beside it makes no sense."""
    assert parse_json(data) == value
