"""How long to wait: every way in which servers say it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.outcome import Reply
from flux_cli.http.replies import retry_after

NOW = 1_700_000_000.0


def waits(headers=None, body=b"", status=429):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return retry_after(Reply(status, headers or {}, data), NOW)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "6"}, 6),
        ({"retry-after": "6s"}, 6),
        ({"retry-after": "1m30s"}, 90),
        ({"x-retry-after": "6"}, 6),
        ({"x-ms-retry-after-ms": "600"}, 0.6),
        ({"ratelimit-reset": "6"}, 6),
        ({"x-ratelimit-reset": "6"}, 6),
        ({"x-rate-limit-reset": str(NOW + 6)}, 6),
        ({"x-ratelimit-reset": f"{NOW + 6:.0f}000"}, 6),
        ({"x-ratelimit-reset-requests": "1s"}, 1),
        ({"x-ratelimit-reset-requests": "6m0s"}, 360),
        ({"x-ratelimit-reset-tokens": "17ms"}, 0.017),
        ({"x-ratelimit-reset-after": "2.5"}, 2.5),
        ({"x-ratelimit-reset-requests": "1s", "x-ratelimit-reset-tokens": "6s"}, 6),
        (
            {
                "x-ratelimit-reset-requests": "1s",
                "x-ratelimit-remaining-requests": "0",
                "x-ratelimit-reset-tokens": "6m0s",
                "x-ratelimit-remaining-tokens": "900",
            },
            1,
        ),
        ({"anthropic-ratelimit-requests-reset": "2023-11-14T22:13:26Z"}, 6),
        ({"ratelimit": "limit=10, remaining=0, reset=6"}, 6),
        ({"ratelimit": '"default";r=0;t=6'}, 6),
        ({"retry-after": "2", "x-ratelimit-reset": "6"}, 2),
        ({"x-ratelimit-reset": str(NOW - 50)}, 0),
        ({"x-ratelimit-reset": "soon"}, None),
        ({"x-ratelimit-limit": "6"}, None),
        ({"retry-after": "2, 2"}, 2),
        ({"retry-after": "2, 6,4"}, 6),
        ({"retry-after": "9" * 40}, None),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT"}, None),
        ({"retry-after": "1e300", "x-ratelimit-reset": "6"}, 6),
        ({"x-ratelimit-reset": "1e300"}, None),
    ],
)
def test_headers(headers, seconds, status):
    assert waits(headers, status=status) == pytest.approx(seconds)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("body", "seconds"),
    [
        ({"error": {"details": [{"@type": "RetryInfo", "retryDelay": "6.1s"}]}}, 6.1),
        ({"error": {"details": [{"retryDelay": {"seconds": 6, "nanos": 5}}]}}, 6),
        ({"retry_after": 6}, 6),
        ({"retry_after": "6"}, 6),
        ({"retryAfter": 6.5}, 6.5),
        ({"retry_after_ms": 1500}, 1.5),
        ({"retry_after_seconds": 6}, 6),
        ({"error": {"metadata": {"headers": {"X-RateLimit-Reset": f"{NOW + 6:.0f}000"}}}}, 6),
        ({"error": "Model is loading", "estimated_time": 20.5}, 20.5),
        ({"resets_in_seconds": 6}, 6),
        ({"reset_at": "2023-11-14T22:13:26Z"}, 6),
        ({"resets_at": NOW + 6}, 6),
        ({"wait_time": "1m"}, 60),
        ([{"error": {"retry_after": 6}}], 6),
        ({"message": '{"error": {"retry_after": 6}}'}, 6),
        ({"retry_after": True}, None),
        ({"retry_after": None}, None),
        ({"retry_after": "soon"}, None),
        ({"retry_after": -5}, None),
        ({"retry_after": 1e300}, None),
    ],
)
def test_fields(body, seconds, status):
    assert waits(body=body, status=status) == pytest.approx(seconds)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Please try again in 6s", 6),
        ("Please try again in 6s.", 6),
        ("Please try again in 1m30s.", 90),
        ("Please try again in 20ms.", 0.02),
        ("try again after 6 seconds", 6),
        ("Please retry after 6 seconds.", 6),
        ("Please retry in 36.5s.", 36.5),
        ("Try again in 60 seconds. Passed model=x", 60),
        ("Your rate limit resets in ~4s.", 4),
        ("Your quota will reset after 6s.", 6),
        ("wait 20 seconds before the next request", 20),
        ("Please wait for 20 more seconds", 20),
        ("Please wait 1 minute and 5 seconds", 65),
        ("available again in 2 minutes", 120),
        ("Retry-After: 6", 6),
        ("retry after=6", 6),
        ("Limit: 5 / min. Current: 6 / min. Please try again in 12s.", 12),
        ("burst of 1 requests with less than $5.0 in credit. It resets in ~4s.", 4),
        ("try again later", None),
        ("Support is available 24 hours a day.", None),
        ("We are back 7 days per week", None),
        ("A worker is available in 6 s", 6),
        ("You may send 60 requests per minute", None),
        ("Try again later. The limit is 5 images per 1 minute", None),
        ("resets in ~99999999s", None),
    ],
)
def test_words(words, seconds, status):
    for body in ({"error": {"message": words}}, {"detail": words}, words.encode()):
        assert waits(body=body, status=status) == pytest.approx(seconds)


@given(
    st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-reset", "ratelimit", "x-ratelimit-reset-x"]),
        st.text("0123456789.smhd=-+: TZ", max_size=30),
    ),
    st.dictionaries(
        st.sampled_from(["retry_after", "retryDelay", "reset_at", "message", "wait_ms"]),
        st.floats() | st.integers() | st.text("retry in0123456789.smhd", max_size=30),
    ),
)
def test_any_answer_is_a_wait_of_zero_or_more_or_none(headers, body):
    seconds = waits(headers, body)
    assert seconds is None or 0 <= seconds < float("inf")
