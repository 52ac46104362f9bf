"""How failures are answered, so that no client pays twice."""

import pytest

from flux_cli.core import errors
from flux_cli.core.errors import FluxError
from flux_cli.core.text import Secret
from flux_cli.serve.answering.refusals import Refusal, refusal_of

REPEATED = {408, 409, 429, *range(500, 600)}  # what clients repeat
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type)]
KINDS = [kind for kind in KINDS if issubclass(kind, FluxError)]


@pytest.mark.parametrize("kind", KINDS)
def test_what_may_have_been_billed_is_never_repeated(kind):
    refusal = refusal_of(kind("it broke", billed=True))
    assert refusal.status not in REPEATED
    assert refusal.headers == {"x-should-retry": "false"}


@pytest.mark.parametrize("kind", KINDS)
def test_clients_are_told_to_repeat_only_with_the_time_after_which(kind):
    refusal = refusal_of(kind("it broke"))
    assert (refusal.status in REPEATED) == ("retry-after" in refusal.headers)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (errors.UsageError("bad size"), 400, "invalid_value"),
        (errors.BudgetError("too dear"), 402, "budget_exceeded"),
        (errors.PaymentError("empty"), 402, "insufficient_quota"),
        (errors.AuthError("no"), 401, "provider_key_refused"),
        (errors.NotFoundError("no model"), 404, "model_not_found"),
        (errors.ModerationError("no"), 422, "content_policy_violation"),
        (errors.ModerationError("no", billed=True), 422, "content_policy_violation"),
        (errors.RateError("slow"), 429, "rate_limit_exceeded"),
        (errors.NetworkError("gone"), 503, "provider_unreachable"),
        (errors.NetworkError("gone", billed=True), 424, "maybe_billed"),
        (errors.ProviderError("broken"), 424, "provider"),
    ],
)
def test_each_failure_has_its_status_and_its_code(error, status, code):
    refusal = refusal_of(error)
    assert (refusal.status, refusal.document()["error"]["code"]) == (status, code)


def test_a_message_has_the_hint_and_no_key():
    Secret("sk-canary-0123456789abcdef")
    error = errors.UsageError("bad sk-canary-0123456789abcdef", hint="give 16:9")
    message = refusal_of(error).document()["error"]["message"]
    assert message == "bad *** (give 16:9)"


def test_a_document_is_what_clients_of_openai_read():
    refusal = Refusal(400, "n is wrong", code="invalid_value", param="n")
    assert refusal.document() == {
        "error": {
            "message": "n is wrong",
            "type": "invalid_request_error",
            "param": "n",
            "code": "invalid_value",
        }
    }
