"""A LiteLLM proxy between flux and the provider: images, parameters, and errors in its words.

LiteLLM loses the codes of its upstreams: it puts their messages into its own, with the number of
the status as code. It also drops their headers, `Retry-After` among them.
"""

import json
import re
from collections.abc import Iterator

import pytest
from fakes.images import look
from sample_images import encoded, opened

from real.answers import PNG, drawn, edited, refused
from real.programs import PYTHON, Program, free_port, installed, running

pytestmark = pytest.mark.slow

GOOD, SPENT = "sk-good-Sup3rS3cretV4lue", "sk-spent-Sup3rS3cretV4lue"
# LiteLLM asks this function who may come in, in place of a database.
DOORKEEPER = f"""
from litellm import BudgetExceededError
from litellm.proxy._types import UserAPIKeyAuth


async def check(request, api_key):
    if api_key == {SPENT!r}:
        raise BudgetExceededError(current_cost=2.0, max_budget=1.0)
    if api_key != {GOOD!r}:
        raise ValueError("no such key")
    return UserAPIKeyAuth(api_key=api_key)
"""
OFFLINE = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "HF_HUB_OFFLINE": "1",
    "DO_NOT_TRACK": "1",
}


def route(name: str, model: str, origin: str, **more: object) -> dict[str, object]:
    """One model of LiteLLM's configuration."""
    parameters = {"model": f"openai/{model}", "api_base": f"{origin}/v1", "api_key": "upstream-key"}
    return {"model_name": name, "litellm_params": parameters | more}


def configuration(origin: str) -> str:
    """LiteLLM's configuration; JSON is YAML too."""
    nowhere = f"http://127.0.0.1:{free_port()}"
    models = [
        route("draw", "gpt-image-1", origin),
        route("paint", "dall-e-3", origin),
        route("nobody", "gpt-image-1", nowhere),
        route("spent", "gpt-image-1", origin, max_budget=1e-9, budget_duration="1d"),
    ]
    settings = {
        "model_list": models,
        "router_settings": {"num_retries": 0, "disable_cooldowns": True},
        "litellm_settings": {"num_retries": 0, "telemetry": False},
        "general_settings": {
            "master_key": "sk-9f27c1d4a86be350",
            "custom_auth": "doorkeeper.check",
        },
    }
    return json.dumps(settings)


@pytest.fixture(scope="module")
def litellm(upstream_of_all, tmp_path_factory) -> Iterator[Program]:
    command = installed("litellm", PYTHON)
    folder, port = tmp_path_factory.mktemp("litellm"), free_port()
    (folder / "doorkeeper.py").write_text(DOORKEEPER)
    (folder / "config.yaml").write_text(configuration(upstream_of_all.origin))
    words = (command, "--config", "config.yaml", "--host", "127.0.0.1", "--port", str(port))
    with running(*words, port=port, folder=folder, env=OFFLINE) as program:
        yield program


@pytest.fixture
def ask(generate, litellm):
    """Run `flux generate` against LiteLLM. `sent` of the result is how many POSTs it got."""

    def run(*words: str, model: str = "draw", key: str = GOOD):
        return generate(f"{litellm.origin}/v1", "-m", model, *words, key=key)

    return run


@pytest.fixture
def count(litellm):
    """How many POSTs LiteLLM has answered since the test began."""

    def answered() -> int:
        return len(re.findall(r'"POST /v1/images/generations', litellm.log.read_text()))

    before = answered()
    return lambda: answered() - before


def error_of(result):
    """The one error of a run."""
    (error,) = result.json["errors"]
    return error


# --- images ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["url", "b64_json"])
def test_an_image_is_saved_in_either_form(ask, upstream, form):
    result = ask("--response-format", form, "-o", "fox.png", model="paint")
    assert (result.code, result.lines) == (0, ["fox.png"]), result.err
    with open("fox.png", "rb") as file:
        assert file.read() == PNG
    assert upstream.posts[0]["response_format"] == form


def test_three_images_are_three_requests(ask, upstream):
    result = ask("-n", "3")
    assert (result.code, len(result.lines), len(upstream.posts)) == (0, 3, 3), result.err
    assert {look(path) for path in result.lines} == {("png", (64, 64))}


def test_parameters_reach_the_upstream(ask, upstream):
    said = {
        "quality": "high", "background": "transparent", "moderation": "low", "output_format": "webp"
    }  # fmt: skip
    words = [word for name, value in said.items() for word in ("-p", f"{name}={value}")]
    assert ask("--size", "1536x1024", *words, "-o", "fox.webp").code == 0
    expected = {"model": "gpt-image-1", "prompt": "a red fox", "size": "1536x1024"}
    assert upstream.posts == [expected | said]


def test_only_the_key_of_litellm_is_sent_to_it_and_only_its_own_to_the_upstream(ask, upstream):
    assert ask().code == 0
    keys = {request.headers.get("authorization") for request in upstream.requests}
    assert keys == {"Bearer upstream-key"}


# --- images as input ------------------------------------------------------------------------------

SIZE = (320, 240)
BOTH = ("fox.png", "snow.jpg")


@pytest.fixture
def edit(flux, litellm, upstream, work):
    """Run `flux edit` against LiteLLM, with the images of these names.

    LiteLLM writes the form anew. A version of it sent each image a second time, as text.
    """
    for name, file_format in zip(BOTH, ("png", "jpeg"), strict=True):
        (work / name).write_bytes(encoded(file_format, size=SIZE))
    (work / "mask.png").write_bytes(encoded("png", "1", size=SIZE))
    upstream.answers(edited)

    def run(*names: str, more=()):
        where = ("--provider", "openai", "--base-url", f"{litellm.origin}/v1")
        result = flux("edit", *names, "x", *where, "-m", "draw", *more, env={"FLUX_API_KEY": GOOD})
        assert GOOD not in result.out + result.err
        return result

    return run


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("mask", [(), ("--mask", "mask.png")])
def test_images_and_their_mask_arrive_once_and_in_their_order(edit, upstream, count, mask):
    result = edit(*BOTH[:count], more=mask)
    assert (result.code, len(result.lines)) == (0, 1), result.err
    (request,) = upstream.paid
    assert request.path == "/v1/images/edits"
    assert request.json == {"model": "gpt-image-1", "prompt": "x"}
    images = [opened(part.data) for part in request.files if part.name != "mask"]
    assert [image.format for image in images] == ["PNG", "JPEG"][:count]
    assert {image.size for image in images} == {SIZE}
    masks = [opened(part.data) for part in request.files if part.name == "mask"]
    assert [(one.mode, one.size) for one in masks] == [("RGBA", SIZE)] * bool(mask)


def test_the_upstream_is_strict_and_its_reason_is_said(edit, upstream):
    """Else the tests above would show nothing."""
    result = edit("fox.png", more=("-p", "seed=7", "--json"))
    error = error_of(result)
    assert (error["code"], error["may_have_been_billed"]) == ("validation", False), error
    assert [post["seed"] for post in upstream.posts] == [7]


def test_a_refused_image_keeps_its_meaning(edit, upstream):
    upstream.answers(refused(400, "moderation_blocked", "rejected by our safety system"))
    result = edit("fox.png", more=("--json",))
    error = error_of(result)
    assert (error["code"], result.code, error["may_have_been_billed"]) == ("moderation", 5, False)


# --- errors ---------------------------------------------------------------------------------------

SPENT_QUOTA = "You exceeded your current quota, please check your plan and billing details."
# What the upstream answers, and what it is for us: code, exit code, and whether it may be billed.
UPSTREAM_ERRORS = {
    "moderation": (
        refused(400, "moderation_blocked", "Your request was rejected by our safety system."),
        ("moderation", 5, False),
    ),
    "an older moderation": (
        refused(400, "content_policy_violation", "Your request was rejected by our safety system."),
        ("moderation", 5, False),
    ),
    "the key of the upstream": (
        refused(401, "invalid_api_key", "Incorrect API key provided: sk-1."),
        ("auth", 4, False),
    ),
    "a spent quota": (
        refused(429, "insufficient_quota", SPENT_QUOTA),
        ("payment", 4, False),
    ),
    "a spending limit": (
        refused(400, "billing_hard_limit_reached", "Billing hard limit has been reached"),
        ("payment", 4, False),
    ),
    "an invalid size": (
        refused(400, "invalid_value", "Invalid size: '7x7'."),
        ("validation", 1, False),
    ),
    "an unknown model": (
        refused(404, "model_not_found", "The model 'gpt-image-9' does not exist"),
        ("not_found", 1, False),
    ),
    "a server error": (
        refused(500, None, "The server had an error processing your request"),
        ("provider", 1, True),
    ),
    "a page of a proxy": (refused(502, None, "Bad gateway"), ("provider", 1, True)),
    "a broken connection": ((), ("provider", 1, True)),
}


@pytest.mark.parametrize(("answer", "expected"), UPSTREAM_ERRORS.values(), ids=UPSTREAM_ERRORS)
def test_an_error_of_the_upstream_keeps_its_meaning(ask, upstream, count, answer, expected):
    upstream.answers(answer)
    result = ask("--json")
    error = error_of(result)
    assert (error["code"], result.code, error["may_have_been_billed"]) == expected, error
    assert count() == 1


def test_a_busy_upstream_is_asked_again_when_it_says(ask, upstream, count):
    """LiteLLM drops the header, and repeats the request by itself; the message still says when."""
    busy = refused(429, "rate_limit_exceeded", "Rate limit reached. Please try again in 2s.")
    upstream.answers(lambda _request: drawn if count() else busy)
    result = ask()
    assert (result.code, len(result.lines), count()) == (0, 1, 2), result.err


def test_a_quota_stops_the_requests_that_were_not_sent(ask, upstream, count):
    upstream.answers(refused(429, "insufficient_quota", SPENT_QUOTA))
    result = ask("-n", "5", "--concurrency", "1", "--json")
    codes = [error["code"] for error in result.json["errors"]]
    assert (result.code, codes, count()) == (4, ["payment"] + 4 * ["not_sent"], 1)


# What LiteLLM says itself: model, key, and what it is for us.
OWN_ERRORS = {
    "a wrong key": ("draw", "sk-wrong-Sup3rS3cretV4lue", ("auth", 4, False)),
    "a spent budget": ("draw", SPENT, ("payment", 4, False)),
    "an unknown model": ("sketch", GOOD, ("not_found", 1, False)),
    "an upstream that is down": ("nobody", GOOD, ("provider", 1, True)),
}


@pytest.mark.parametrize(("model", "key", "expected"), OWN_ERRORS.values(), ids=OWN_ERRORS)
def test_an_error_of_litellm_itself_has_its_meaning(ask, upstream, count, model, key, expected):
    result = ask("--json", model=model, key=key)
    error = error_of(result)
    assert (error["code"], result.code, error["may_have_been_billed"]) == expected, error
    assert (count(), upstream.paid) == (1, [])


def test_the_spent_budget_of_a_model_is_a_refusal(ask, upstream):
    """The first image spends it, as soon as LiteLLM has added up its cost."""
    results = [ask("--json", "--retries", "0", model="spent") for _ in range(4)]
    assert results[0].code == 0
    refusals = [result for result in results if result.code]
    assert refusals, "LiteLLM has never counted the cost"
    assert len(upstream.paid) == len(results) - len(refusals)
    errors = [error_of(result) for result in refusals]
    assert {(error["code"], error["may_have_been_billed"]) for error in errors} == {
        ("payment", False)
    }
    assert {result.code for result in refusals} == {4}


def test_without_a_key_nothing_is_drawn(ask, upstream):
    result = ask("--no-key", "--json")
    assert (result.code, error_of(result)["code"], upstream.paid) == (4, "auth", [])


@pytest.mark.parametrize("path", ["/v1/images/generations", "/api"])
def test_a_wrong_address_is_no_unknown_model(generate, litellm, upstream, path):
    """LiteLLM answers 404 there; the hint is about the address."""
    result = generate(litellm.origin + path, "-m", "draw", "--json", key=GOOD)
    error = error_of(result)
    assert (result.code, error["http_status"], upstream.paid) == (1, 404, [])
    assert "/v1" in error["hint"]
    assert "flux models" not in error["hint"]


def test_the_id_of_the_request_is_said(ask, upstream, litellm):
    upstream.answers(refused(400, "invalid_value", "Invalid size: '7x7'."))
    error = error_of(ask("--json"))
    assert error["request_id"] in litellm.log.read_text()
    assert re.fullmatch(r"[0-9a-f-]{36}", error["request_id"])
