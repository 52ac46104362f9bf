"""What a client reads about a provider that was busy: whether to repeat the request."""

import pytest

from flux_cli.core.errors import ModerationError, ProviderError, RateError
from flux_cli.serve.answering.refusals import refusal_of


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ProviderError("overloaded", status=503), 503),
        (RateError("too many requests", status=503), 429),
        (RateError("too many requests", status=429), 429),
    ],
)
def test_what_certainly_cost_nothing_may_be_repeated(error, status):
    refusal = refusal_of(error)
    assert refusal.status == status
    assert int(refusal.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ProviderError("overloaded", status=503, billed=True), 424),
        (ProviderError("it cannot do that", status=501), 424),
        (ModerationError("refused", status=503), 422),
    ],
)
def test_anything_else_is_not_repeated(error, status):
    refusal = refusal_of(error)
    assert (refusal.status, refusal.headers) == (status, {"x-should-retry": "false"})
