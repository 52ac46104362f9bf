"""What error answers mean: codes and words of many servers, wherever they stand in the answer."""

import html
import json
import urllib.parse

import pytest

from flux_cli.core.auth import Auth
from flux_cli.core.errors import (
    AuthError,
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
    has_unclear_effect,
    is_busy,
    job_error,
    may_retry,
    redirect_error,
    reply_error,
    request_id_of,
    retry_after,
    texts_of_request,
)
from flux_cli.http.replies.parse import MAX_PARTS, MOST_WORDS, pairs, texts_of

BASE = "http://127.0.0.1:9/v1"
URL = f"{BASE}/images/generations"


def reply(status, body=b"", **headers):
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Reply(status, {name.replace("_", "-"): value for name, value in headers.items()}, data)


def says(message, code=None, **more):
    return {"error": {"message": message, "type": None, "param": None, "code": code, **more}}


MODERATION = [
    says("refused", "content_policy_violation"),
    says("refused", "contentFilter"),
    says("refused", "CONTENT_MODERATION_FAILED"),
    says("refused", "InputTextSensitiveContentDetected"),
    says("refused", "400", type="content_filter"),
    says("refused", "BadRequest", innererror={"code": "ResponsibleAIPolicyViolation"}),
    says("refused", 400, metadata={"raw": '{"error": {"code": "moderation_blocked"}}'}),
    says("litellm.ContentPolicyViolationError: AzureException - no", "400"),
    says("OpenAIException - {'error': {'message': 'no', 'code': 'moderation_blocked'}}", "400"),
    says('Upstream said: {"error": {"code": "content_policy_violation"}}', "400"),
    says("Your request was rejected as a result of our safety system."),
    says("Your task failed as a result of our safety system"),
    says("Your input was flagged"),
    says("The response was filtered due to the prompt triggering content management policy."),
    says("Generated image rejected by content moderation"),
    says("This request violates our usage policies"),
    says("Blocked by policy"),
    says("The prompt failed the safety check"),
    {"detail": "NSFW content detected. Try another prompt."},
    {"detail": [{"loc": ["body"], "msg": "no", "type": "content_policy_violation"}]},
    {"name": "content_moderation", "errors": ["Your request was flagged by our system"]},
    {"errors": [{"code": "contentModerationFailed", "message": "no"}]},
    [{"error": {"code": "content_filter", "message": "no"}}],
    {"message": '{"error": {"message": "no", "code": "content_policy_violation"}}'},
    "Potential NSFW content was detected in the image.",
    says("IMAGE_PROHIBITED_CONTENT"),
    {"candidates": [{"finishReason": "IMAGE_SAFETY", "finishMessage": "IMAGE_SAFETY"}]},
    says("no", "InputTextRiskDetection"),
    says("Content detected as inappropriate"),
    says("Input flagged", 403, metadata={"reasons": ["sexual"]}),
    says("\u7cfb\u7edf\u68c0\u6d4b\u5230\u4e0d\u5b89\u5168\u6216\u654f\u611f\u5185\u5bb9", "1301"),
    {"base_resp": {"status_code": 1026, "status_msg": "input new_sensitive"}},
]
PAYMENT = [
    says("words", "insufficient_quota"),
    says("words", None, type="insufficient_quota"),
    says("words", "insufficient_user_quota"),
    says("words", "billing_hard_limit_reached"),
    says("words", "billing_not_active"),
    says("words", "BudgetExceeded"),
    says("words", "400", type="budget_exceeded"),
    says("Budget has been exceeded! Current cost: 0.2, Max budget: 0.1", "400"),
    says("ExceededBudget: User=x over budget. Spend=0.2, Budget=0.1", "400"),
    says("You exceeded your current quota, please check your plan and billing details."),
    says("litellm.RateLimitError: OpenAIException - You exceeded your current quota.", "429"),
    says("This request requires more credits. You can only afford 12 tokens."),
    says("You have run out of credits"),
    says("Your account has run out of prepaid credits"),
    says("Your credit balance is too low to access the API"),
    says("Insufficient balance or no resource package. Please recharge."),
    says("The monthly spending limit was reached"),
    says("You have reached your monthly spending cap"),
    says("Not enough credits"),
    says("Insufficient balance. Top up and try again in 5 minutes"),
    {"title": "Insufficient credit", "detail": "You have insufficient credit to run this model."},
    {"detail": "User is locked. Reason: Exhausted balance."},
    [{"error": {"code": "INSUFFICIENT_BALANCE", "message": "words"}}],
    "Your account is out of credits",
    says("Suspended, possibly due to reaching the monthly spending limit or failure to pay."),
    {"errors": [{"message": "you have used up your daily free allocation of neurons", "code": 4}]},
    {"error": "not enough api tokens", "code": "unexpected"},
    says("The account has unpaid invoices"),
]
KEY = [
    says("words", "invalid_api_key"),
    says("words", "AUTHENTICATION_FAILED"),
    says("words", 400, details=[{"reason": "API_KEY_INVALID"}], status="INVALID_ARGUMENT"),
    says("API key not valid. Please pass a valid API key.", 400),
    says("Incorrect API key provided: sk-x"),
    says("litellm.AuthenticationError: OpenAIException - no", "400"),
    says("You didn't provide an API key."),
    says("No connected db.", "400", type="no_db_connection"),
    {"errors": [{"code": "invalidApiKey", "message": "words"}]},
    {"detail": "Invalid API key format"},
    {"title": "Unauthenticated", "detail": "no"},
    [{"error": {"message": "API key expired. Please renew the API key."}}],
    {"base_resp": {"status_code": 1004, "status_msg": "login fail: carry the key"}},
]
VALIDATION = [
    says("Unknown parameter: 'moderation'", "unknown_parameter"),
    says("safety_tolerance must be at most 6", "400"),
    says("Invalid value: 'x'. Supported values are: 'low' and 'auto'.", "invalid_value"),
    says("litellm.BadRequestError: OpenAIException - size is not supported", "400"),
    says("litellm.UnsupportedParamsError: seed is not supported", "400"),
    says("prompt 'nsfw content detected' is too long", "INVALID_REQUEST"),
    says("the budget of tokens is 5", "400"),
    says("validation failed: names are case sensitive", "400"),
    says("failed to read the explicit size", "400"),
    says("words", 400, status="INVALID_ARGUMENT"),
    says("Field 'budget_limit' exceeded max 10"),
    says("budget_limit exceeded max 10"),
    says("Parameter `budget` exceeded 5"),
    says("Unsupported size. See https://x.ai/docs/content-policy"),
    says("Unsupported size (docs.x.ai/guide/content-moderation)"),
    {
        "detail": [
            {"loc": ["body", "size"], "msg": "no", "type": "string_type", "input": "nsfw image"}
        ]
    },
]


@pytest.mark.parametrize(
    ("kind", "bodies"),
    [
        (ModerationError, MODERATION),
        (PaymentError, PAYMENT),
        (AuthError, KEY),
        (ValidationError, VALIDATION),
    ],
)
def test_codes_and_words_are_found_wherever_they_stand(kind, bodies):
    found = [(body, type(reply_error(reply(400, body)))) for body in bodies]
    assert [pair for pair in found if pair[1] is not kind] == []


@pytest.mark.parametrize("status", [200, 400, 402, 403, 422, 429, 500, 502, 503])
@pytest.mark.parametrize("body", [PAYMENT[0], PAYMENT[3], PAYMENT[9], PAYMENT[17], MODERATION[0]])
def test_what_waiting_does_not_change_is_not_repeated_whatever_the_status(status, body):
    answer = reply(status, body)
    assert reply_error(answer).exit_code in (4, 5)
    assert not may_retry(answer)
    assert not reply_error(answer).billed


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (429, says("You exceeded your current quota. Please retry in 6.5s.")),
        (429, says("You exceeded your current quota.", details=[{"retryDelay": "6s"}])),
        (429, {"detail": "Reduced while you have less than $5.0 in credit. Resets in ~4s."}),
        (429, says("litellm.RateLimitError: no", "429")),
        (429, says("Rate limit reached. Add a payment method for higher limits.")),
        (403, says("Rate limit exceeded")),
        (400, says("words", "too_many_requests")),
        (422, says("words", "concurrent_requests_limit")),
        (400, {"error": "You have reached the concurrent requests limit"}),
        (400, {"error": "The limit of simultaneous jobs was exceeded"}),
        (409, says("Too many parallel generations for this account")),
        (403, says("Another job is already running")),
    ],
)
def test_a_limit_that_comes_back_is_busy(status, body):
    answer = reply(status, body)
    assert type(reply_error(answer)) is RateError
    assert is_busy(answer)
    assert may_retry(answer)


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize(
    "body",
    [
        says("litellm.Timeout: APITimeoutError - Request timed out."),
        says("litellm.APIConnectionError: Connection error."),
        says("Connection error."),
        says("words", "upstream_timeout"),
        says("upstream connect error or disconnect/reset before headers"),
        says("connect ECONNRESET 10.0.0.1:443"),
        says("context deadline exceeded"),
        says("Server disconnected without sending a response."),
        says('Post "http://x": dial tcp 10.0.0.1:80: i/o timeout', "do_request_failed"),
        b"<html><head><title>504 Gateway Time-out</title></head></html>",
        b"socket hang up",
        says("No deployments available; the last attempt timed out"),
    ],
)
def test_a_gateway_that_lost_its_upstream_does_not_know_what_was_done(status, body):
    answer = reply(status, body)
    assert has_unclear_effect(answer)
    assert not may_retry(answer)
    assert reply_error(answer).billed


@pytest.mark.parametrize("status", [502, 503, 504])
@pytest.mark.parametrize(
    "body",
    [
        says("No deployments available for selected model"),
        says("no healthy upstream"),
        b"no available server",
        says("There is no available channel for model x"),
        says("All deployments are in cooldown"),
        says("Model x is currently loading", estimated_time=20.0),
        says("The queue is full"),
    ],
)
def test_a_gateway_that_found_nobody_to_ask_did_nothing(status, body):
    answer = reply(status, body)
    assert not has_unclear_effect(answer)
    assert may_retry(answer)
    assert not reply_error(answer).billed


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (500, "no healthy upstream"),
        (500, "All deployments are in cooldown"),
        (500, "could not store the result: no endpoint available"),
        (500, "CUDA out of memory: no free GPU memory available"),
        (502, "could not store the result: no endpoint available"),
        (503, "image generated but the upload failed: no storage node available"),
        (503, "worker died while processing the request"),
        (504, "model x crashed while loading the decoder of your finished latents"),
    ],
)
def test_words_about_the_time_after_the_work_do_not_make_a_failure_harmless(status, words):
    answer = reply(status, says(words))
    assert not may_retry(answer)
    assert reply_error(answer).billed


def test_documented_words_win_over_others():
    timed_out = says("the runner timed out", "runner_connection_timeout")
    assert may_retry(reply(503, timed_out))
    assert may_retry(reply(502, says("every upstream timed out", "ALL_PROVIDERS_EXHAUSTED")))
    assert may_retry(reply(500, says("it timed out"), x_should_retry="true"))
    assert not may_retry(reply(503, says("no healthy upstream"), x_should_retry="false"))


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (
            "NSFW content detected. Try running it again, or try a different prompt.",
            ModerationError,
        ),
        ("The output was flagged as sensitive. (E005)", ModerationError),
        ("Insufficient credits", PaymentError),
        ("CUDA out of memory", ProviderError),
        ("list index out of range", ProviderError),
    ],
)
def test_a_job_that_failed_has_the_class_of_its_reason(words, kind):
    error = job_error("Replicate", words, "x1")
    assert type(error) is kind
    assert words in error.message
    assert error.request_id == "x1"


# --- what is quoted of the request

PROMPTS = {
    "insufficient credits on a sign": "a shop window",
    "nsfw content detected": "a red fox",
    "no api key, in neon": "a red fox",
    "rate limit exceeded": "a red fox",
    "a sign: connection timed out": "a red fox",
    "neon: no healthy upstream": "a red fox",
    "please wait 50 s": "a red fox",
    'two lines:\n"Insufficient credits"': "a red fox",
    "caf\u00e9 <b>invalid api key</b> & more": "a red fox",
    "\u4f59\u989d\u4e0d\u8db3": "a red fox",
    "nsfw": "fox",
}
QUOTES = [
    "cannot draw '{}'",
    'Invalid request: prompt="{}", size 7x7 is not supported',
    "Prompt: `{}`",
]


def as_json(text, times=1):
    for _ in range(times):
        text = json.dumps(text)[1:-1]
    return text


SPELLINGS = [
    str,
    str.lower,
    as_json,
    lambda text: as_json(text, 2),
    lambda text: repr(text)[1:-1],
    html.escape,
    urllib.parse.quote,
    urllib.parse.quote_plus,
    lambda text: f"{text[:-3]}..." if len(text) > 20 else text,
    lambda text: f"...{text[5:]}" if len(text) > 20 else text,
]


@pytest.mark.parametrize("status", [200, 400, 403, 422, 429, 500, 502, 503])
@pytest.mark.parametrize("message", QUOTES)
@pytest.mark.parametrize("spell", SPELLINGS)
def test_words_of_the_prompt_are_not_the_server_s(status, message, spell):
    """Whatever a prompt says, an answer that quotes it means the same."""
    for prompt, harmless in PROMPTS.items():
        asked = texts_of_request({"model": "m", "input": {"prompt": prompt}})
        found, plain = (
            reply(status, says(message.format(one)))._replace(texts=asked)
            for one in (spell(prompt), harmless)
        )
        assert type(reply_error(found)) is type(reply_error(plain)), prompt
        assert reply_error(found).billed == reply_error(plain).billed, prompt
        assert may_retry(found) == may_retry(plain), prompt
        assert retry_after(found, 0.0) is None, prompt


def test_the_server_s_own_words_count_beside_a_prompt():
    asked = texts_of_request({"prompt": "credits", "negative_prompt": "a", "style": "policy"})
    for body, kind in ((PAYMENT[18], PaymentError), (MODERATION[10], ModerationError)):
        assert type(reply_error(reply(400, body)._replace(texts=asked))) is kind
    asked = texts_of_request({"prompt": "a fox with insufficient credits"})
    body = says("'a fox with insufficient credits': Insufficient credits")
    assert type(reply_error(reply(400, body)._replace(texts=asked))) is PaymentError


def test_the_words_of_the_prompt_are_not_the_reason_of_a_job():
    words = "worker crashed while drawing 'insufficient credits'"
    assert type(job_error("Replicate", words, "x1", ("insufficient credits",))) is ProviderError


# --- pages and paths


@pytest.mark.parametrize(
    "body",
    [
        b"<!doctype html><title>Access denied</title><p>Error reference number: 1010</p>",
        b"<html><h1>Just a moment...</h1></html>",
        b"<HTML>no</HTML>",
        b"error code: 1010",
        {"message": "Request blocked by the web application firewall"},
        b"<title>Blocked by security policy</title>",
        {"message": "Blocked by WAF policy"},
    ],
)
def test_a_firewall_is_not_the_key(body):
    error = reply_error(reply(403, body), auth("FLUX_API_KEY"), url=URL)
    assert (error.exit_code, error.billed) == (1, False)
    assert "firewall" in error.message
    assert "FLUX_API_KEY" not in error.hint


def test_a_403_without_a_page_is_about_the_key():
    for body in (b"", b"Forbidden", {"detail": "Forbidden"}):
        assert "FLUX_API_KEY" in reply_error(reply(403, body), auth("FLUX_API_KEY")).hint


def auth(variable):
    return Auth(Secret("k"), variable, BASE, "Authorization", "Bearer ")


PATHS = [
    b"404 page not found",
    b"",
    {"detail": "Not Found"},
    {"message": "no Route matched with those values"},
    {"error": "Not Found", "statusCode": 404},
    b"<!DOCTYPE html><title>Error</title><pre>Cannot POST /images/generations</pre>",
    says("Invalid URL (POST /v1/v1/images/generations)"),
]


@pytest.mark.parametrize("body", PATHS)
@pytest.mark.parametrize("status", [404, 405])
@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("http://h:1", "http://h:1/v1"),
        ("http://h:1/api", "http://h:1/api/v1"),
        ("http://h:1/v1/images/generations", "http://h:1/v1"),
        ("http://h:1/v1/images", "http://h:1/v1"),
        ("http://h:1/v1/chat/completions", "http://h:1/v1"),
        ("http://h:1/chat/completions", "http://h:1/v1"),
        ("http://h:1/v1/models", "http://h:1/v1"),
        ("http://h:1/v1/v1", "http://h:1/v1"),
    ],
)
def test_an_unknown_path_names_the_base_url_that_was_meant(body, status, typed, right):
    error = reply_error(reply(status, body), url=f"{typed}/images/generations")
    assert type(error) is NotFoundError
    assert error.hint.endswith(f"--base-url {right}")


@pytest.mark.parametrize(
    "typed", ["http://h", "http://h/v1", "http://h/openai", "http://h/openai/v1/models"]
)
def test_the_gateway_s_base_url_is_named_by_its_own_variable(typed):
    answer, url = reply(404, b"Not Found"), f"{typed}/images/generations"
    hint = reply_error(answer, auth("LUMENFALL_API_KEY"), url=url).hint
    assert hint.endswith("LUMENFALL_BASE_URL=http://h/openai/v1")


@pytest.mark.parametrize(
    "base",
    [
        "http://h:1/v1",
        "http://h/v1beta/openai",
        "http://h/openai/v2",
        "http://h/openai/deployments/x",
    ],
)
def test_a_base_url_that_looks_right_is_not_corrected(base):
    error = reply_error(reply(404, {"detail": "Not Found"}), url=f"{base}/images/generations")
    assert "check --base-url" in error.hint


@pytest.mark.parametrize(
    "body",
    [
        says("The model 'x' does not exist", "model_not_found"),
        says("The model `x` does not exist or you do not have access to it."),
        says("The API deployment for this resource does not exist.", "DeploymentNotFound"),
        {"detail": "Model x not found"},
    ],
)
@pytest.mark.parametrize("status", [400, 404])
def test_an_unknown_model_leads_to_the_models_of_that_server(body, status):
    error = reply_error(reply(status, body), url=URL)
    assert type(error) is NotFoundError
    assert f"{BASE}/models" in error.hint
    assert "flux models" not in error.hint


def test_the_gateway_s_models_are_those_of_the_catalog():
    error = reply_error(
        reply(404, says("no", "MODEL_NOT_FOUND")), auth("LUMENFALL_API_KEY"), url=URL
    )
    assert "flux models" in error.hint


@pytest.mark.parametrize(
    ("location", "hint"),
    [
        ("https://h/v1/images/generations", "set the new address with --base-url https://h/v1"),
        ("https://sso/login?to=x", "check --base-url"),
        ("/login", "check --base-url"),
        ("", "check --base-url"),
    ],
)
def test_a_redirect_names_a_base_url_only_if_it_leads_to_one(location, hint):
    error = redirect_error(reply(307, b"", location=location), URL)
    assert error.hint.startswith(hint)


@pytest.mark.parametrize(
    "words",
    [
        b"Client sent an HTTP request to an HTTPS server.",
        b"<title>400 The plain HTTP request was sent to HTTPS port</title>",
    ],
)
def test_plain_http_at_a_port_of_tls_is_named(words):
    assert "https://" in reply_error(reply(400, words), url=URL).hint


def test_the_proxy_s_407_is_the_proxy_s():
    error = reply_error(reply(407, b"<title>Proxy</title>"), url=URL)
    assert error.message.startswith("the proxy refused with HTTP 407")
    assert (error.exit_code, error.billed) == (1, False)


def test_basic_authentication_is_named():
    answer = reply(401, b"<title>401</title>", www_authenticate='Basic realm="x"')
    assert "user name and password" in reply_error(answer, auth("FLUX_API_KEY")).hint


def test_the_key_of_a_gateway_at_its_own_provider_is_not_the_user_s():
    body = says("litellm.AuthenticationError: OpenAIException - Incorrect API key", "401")
    assert "FLUX_API_KEY" not in reply_error(reply(401, body), auth("FLUX_API_KEY")).hint


# --- ids


@pytest.mark.parametrize(
    "header",
    ["x-litellm-call-id", "x-request-id", "request-id", "apim-request-id", "cf-ray", "x-trace-id"],
)
def test_ids_of_gateways_are_found(header):
    assert request_id_of(Reply(500, {header: "abc"}, b"")) == "abc"
    assert reply_error(Reply(500, {header: "abc"}, b"{}")).request_id == "abc"


def test_an_id_inside_the_error_is_found():
    for body in (
        {"error": {"message": "m", "request_id": "r1"}},
        {"message": "m", "requestId": "r1"},
    ):
        assert reply_error(reply(500, body)).request_id == "r1"


def test_a_bounded_part_of_a_body_is_searched():
    """Patterns take their time, and an error answer may have megabytes."""
    said = list(pairs({"error": [{"message": "words " * 5000} for _ in range(300)]}))
    assert len(said) <= MAX_PARTS
    assert sum(map(len, texts_of(said))) == MOST_WORDS
