"""What servers say in place of an image: what is retried, what never is, and what people read."""

import email.utils
import json
import socket
import threading
import time
from pathlib import Path

import pytest
from fakes.gateway import held, image, status
from fakes.messages import redirect, reply
from fakes.server import hang_up

pytestmark = pytest.mark.slow

BILLED = "it may have been billed"


AGAIN = {
    "429": status(429, "RATE_LIMITED", retry_after="0"),
    "429 in milliseconds": status(429, retry_after_ms="1"),
    "429 with a date that is past": status(429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT"),
    "500 that had no effect": status(500, retry_after="0", x_should_retry="true"),
    "502 of all providers": status(502, "ALL_PROVIDERS_EXHAUSTED", retry_after="0"),
    "503": status(503, retry_after="0"),
    "503 in HTML": reply("<html>overloaded</html>", 503, content_type="text/html", retry_after="0"),
}


@pytest.mark.parametrize("answer", AGAIN.values(), ids=AGAIN)
def test_tried_again(generate, gateway, answer):
    gateway.answers(answer, answer, image())
    result = generate("a fox", "-o", "fox.jpg")
    assert (result.code, result.lines) == (0, ["fox.jpg"])
    assert len(gateway.posts) == 3
    assert gateway.posts[0] == gateway.posts[1] == gateway.posts[2]


WAITS = {
    "whole seconds": ({"retry_after": "1"}, "waiting 1.0 s"),
    "a fraction": ({"retry_after": "0.2"}, "waiting 0.2 s"),
    "milliseconds win": ({"retry_after_ms": "100", "retry_after": "50"}, "waiting 0.1 s"),
    "a date": ({"retry_after": email.utils.formatdate(0, usegmt=True)}, "waiting 0.0 s"),
}


@pytest.mark.parametrize(("headers", "said"), WAITS.values(), ids=WAITS)
def test_retry_after_is_obeyed_in_every_spelling(generate, gateway, headers, said):
    gateway.answers(status(429, "RATE_LIMITED", "slow down", **headers), image())
    result = generate("a fox")
    assert (result.code, len(gateway.posts)) == (0, 2)
    assert said in result.err
    assert "slow down" in result.err


def test_a_date_to_come_is_waited_for(generate, gateway):
    until = int(time.time()) + 2
    came = []

    def note_the_time(_request):
        came.append(time.time())
        return (
            image()
            if len(came) > 1
            else status(429, retry_after=email.utils.formatdate(until, usegmt=True))
        )

    gateway.answers(note_the_time)
    assert generate("a fox").code == 0
    assert came[1] >= until - 0.01


def test_without_a_word_on_waiting_the_wait_is_short_and_shaken(generate, gateway):
    gateway.answers(status(503), image())
    result = generate("a fox")
    assert (result.code, len(gateway.posts)) == (0, 2)
    assert any(f"waiting {wait} s" in result.err for wait in ("0.4", "0.5"))


def test_a_server_that_asks_for_ten_minutes_is_given_up(generate, gateway):
    gateway.answers(status(429, retry_after="600"))
    assert (generate("a fox").code, len(gateway.posts)) == (1, 1)


@pytest.mark.parametrize(("retries", "posts"), [("0", 1), ("1", 2), ("5", 6)])
def test_retries_are_counted(generate, gateway, retries, posts):
    gateway.answers(status(429, "RATE_LIMITED", "still busy", retry_after="0"))
    result = generate("a fox", "--retries", retries, "--json")
    assert (result.code, len(gateway.posts)) == (1, posts)
    assert result.json["errors"][0]["code"] == "rate"
    assert "still busy" in result.json["errors"][0]["message"]
    assert not result.json["errors"][0]["may_have_been_billed"]


@pytest.mark.parametrize(
    ("prompt", "number"),
    [("no healthy upstream", 502), ("insufficient credits", 500), ("nsfw content found", 500)],
)
def test_words_of_the_prompt_in_an_error_mean_nothing(generate, gateway, prompt, number):
    failed = status(number, message=f"internal error while drawing '{prompt}'", retry_after="0")
    gateway.answers(failed, image())
    result = generate(prompt, "-n", "3", "--concurrency", "1")
    assert (result.code, len(gateway.posts)) == (3, 3)
    assert "billed" in result.err


def test_a_server_that_says_not_to_retry_is_believed(generate, gateway):
    gateway.answers(status(503, x_should_retry="false"))
    assert (generate("a fox").code, len(gateway.posts)) == (1, 1)


# status, code of the gateway -> exit code, our code
FINAL = {
    "400": (400, "INVALID_REQUEST", 1, "validation"),
    "400 without a code": (400, "", 1, "validation"),
    "moderation": (400, "CONTENT_POLICY_VIOLATION", 5, "moderation"),
    "moderation in OpenAI's words": (400, "moderation_blocked", 5, "moderation"),
    "401": (401, "AUTHENTICATION_FAILED", 4, "auth"),
    "402": (402, "INSUFFICIENT_BALANCE", 4, "payment"),
    "402 without a code": (402, "", 4, "payment"),
    "403": (403, "", 4, "auth"),
    "404 model": (404, "MODEL_NOT_FOUND", 1, "not_found"),
    "404 disabled": (404, "MODEL_DISABLED", 1, "not_found"),
    "405": (405, "", 1, "not_found"),
    "409": (409, "", 1, "provider"),
    "413": (413, "", 1, "validation"),
    "422": (422, "", 1, "validation"),
    "451": (451, "", 1, "provider"),
}


@pytest.mark.parametrize(("number", "said", "exit_code", "code"), FINAL.values(), ids=FINAL)
def test_final_and_never_tried_again(generate, gateway, number, said, exit_code, code):
    gateway.answers(status(number, said, "this is the reason", x_lumenfall_request_id="req_77"))
    result = generate("a fox", "--json")
    error = result.json["errors"][0]
    assert (result.code, error["code"], len(gateway.posts)) == (exit_code, code, 1)
    assert (error["http_status"], error["request_id"], error["may_have_been_billed"]) == (
        number,
        "req_77",
        False,
    )
    assert "this is the reason" in error["message"]
    assert "this is the reason" in result.err
    assert "req_77" in result.err
    assert BILLED not in result.err
    assert list(Path().iterdir()) == []


@pytest.mark.parametrize("number", [408, 504, 524])
def test_a_gateway_timeout_may_have_been_billed_and_is_not_repeated(generate, gateway, number):
    gateway.answers(status(number, message="upstream took too long"))
    result = generate("a fox", "--json")
    assert (result.code, len(gateway.posts)) == (1, 1)
    assert result.json["errors"][0]["may_have_been_billed"] is True
    assert BILLED in result.err


GOOD = {"data": [{"url": "http://127.0.0.1/never"}]}
TOO_SHORT = reply(GOOD, content_length=str(len(json.dumps(GOOD)) + 100))
UNCLEAR = {
    "closed after the request": (hang_up, "network"),
    "cut in the body": (TOO_SHORT, "network"),
    "cut in the head": ((b"HTTP/1.1 200 OK\r\nContent-Ty",), "network"),
    "no HTTP at all": ((b"* OK IMAP4 ready\r\n",), "network"),
    "broken compression": (
        reply(b"\x1f\x8b and no more", content_encoding="gzip"),
        "provider",
    ),
    "HTML": (
        reply("<html><body>Welcome to the hotel</body></html>", content_type="text/html"),
        "provider",
    ),
    "HTML that says it is JSON": (reply("<html></html>"), "provider"),
    "the beginning of an image in place of the answer": (
        reply(b"\xff\xd8\xff\xe0 no json", content_type="image/jpeg"),
        "image",
    ),
    "nothing": (reply(""), "provider"),
    "nothing, 204": (reply(b"", 204), "provider"),
    "null": (reply("null"), "provider"),
    "a list": (reply("[]"), "provider"),
    "a number": (reply("7"), "provider"),
    "cut JSON": (reply('{"data": [{"url": "http'), "provider"),
    "nesting without end": (reply('{"data":' + "[" * 100_000), "provider"),
    "no data": (reply({"created": 1}), "provider"),
    "empty data": (reply({"created": 1, "data": []}), "provider"),
    "null data": (reply({"data": None}), "provider"),
    "text as data": (reply({"data": "queued"}), "provider"),
    "an item without an image": (reply({"data": [{"url": None, "b64_json": None}]}), "provider"),
    "an item that is no object": (reply({"data": [5]}), "provider"),
    "an address that leads nowhere": (reply({"data": ["http://127.0.0.1/x"]}), "network"),
    "an address nobody can mean": (reply({"data": [{"url": "file:///etc/passwd"}]}), "provider"),
    "an address with a password": (
        reply({"data": [{"url": "http://a:b@127.0.0.1/x"}]}),
        "provider",
    ),
    "broken base64": (reply({"data": [{"b64_json": "%%%%"}]}), "image"),
    "base64 of no image": (reply({"data": [{"b64_json": "aGVsbG8="}]}), "image"),
    "a data URI without data": (reply({"data": [{"url": "data:image/png;base64"}]}), "image"),
    "an error with status 200": (
        reply({"error": {"message": "the model hiccuped", "code": None}}),
        "provider",
    ),
}


@pytest.mark.parametrize(("answer", "code"), UNCLEAR.values(), ids=UNCLEAR)
def test_an_unclear_answer_is_not_repeated_and_may_have_been_billed(
    generate, gateway, answer, code
):
    gateway.answers(answer)
    result = generate("a fox", "--json")
    error = result.json["errors"][0]
    assert (result.code, len(gateway.posts)) == (1, 1)
    assert (error["code"], error["may_have_been_billed"]) == (code, True)
    assert BILLED in result.err
    assert list(Path().iterdir()) == []


def test_a_refusal_with_status_200_is_a_refusal(generate, gateway):
    gateway.answers(reply({"error": {"message": "no", "code": "CONTENT_POLICY_VIOLATION"}}))
    result = generate("a fox", "--json")
    assert (result.code, result.json["errors"][0]["code"]) == (5, "moderation")


def test_the_deadline_ends_a_call_that_may_have_been_billed(generate, gateway):
    over = threading.Event()
    gateway.answers(held(over))
    result = generate("a fox", "--timeout", "0.3", "--json")
    over.set()
    assert (result.code, len(gateway.posts)) == (1, 1)
    assert (result.json["errors"][0]["code"], result.json["errors"][0]["may_have_been_billed"]) == (
        "timeout",
        True,
    )
    assert "within 0.3 s" in result.err
    assert "--timeout" in result.err


def test_the_deadline_between_two_tries_bills_nothing(generate, gateway):
    gateway.answers(status(429, retry_after="30"))
    result = generate("a fox", "--timeout", "0.3", "--json")
    assert (result.code, len(gateway.posts)) == (1, 1)
    assert result.json["errors"][0]["may_have_been_billed"] is False
    assert BILLED not in result.err


def test_a_refused_connection_is_a_clear_error_naming_the_address(generate):
    with (
        socket.socket() as taken
    ):  # bound and not listening: nobody else gets the port, and nobody answers
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        result = generate(
            "a fox",
            "--retries",
            "1",
            "--json",
            env={"LUMENFALL_BASE_URL": f"http://{address}/openai/v1"},
        )
    error = result.json["errors"][0]
    assert (result.code, error["code"], error["may_have_been_billed"]) == (1, "network", False)
    assert f"cannot reach {address}" in result.err
    assert "refused" in result.err.lower()
    assert BILLED not in result.err


def test_a_name_that_no_host_can_have_is_a_clear_error(generate):
    result = generate("a fox", "--retries", "0", "--base-url", "http://no..host/v1", "--no-key")
    assert result.code == 1
    assert result.err == (
        "flux: error: invalid URL 'http://no..host/v1/images/generations': "
        "the host name is not valid\n"
    )


def test_plain_http_on_a_tls_port_is_a_clear_error(generate, gateway):
    address = gateway.url.replace("http:", "https:")
    result = generate("a fox", "--retries", "0", env={"LUMENFALL_BASE_URL": address})
    assert result.code == 1
    assert "cannot reach" in result.err
    assert BILLED not in result.err


@pytest.mark.parametrize("number", [302, 307])
def test_a_redirect_of_the_post_is_refused_and_the_key_stays_home(generate, gateway, other, number):
    gateway.answers(redirect(other.url + "/images/generations", number))
    result = generate("a fox", "--json")
    assert (result.code, len(gateway.posts), other.requests) == (1, 1, [])
    assert other.origin in result.json["errors"][0]["message"]
    assert "--base-url" in result.err


WORDS = {
    "an envelope": (
        {"error": {"message": "said so", "type": "x", "code": "INVALID_REQUEST"}},
        "said so",
    ),
    "an error that is a text": ({"error": "said so"}, "said so"),
    "a code beside the message": (
        {"error_code": "INVALID_REQUEST", "message": "said so"},
        "said so",
    ),
    "FastAPI's list": (
        {"detail": [{"loc": ["body", "size"], "msg": "said so"}]},
        "body.size: said so",
    ),
    "FastAPI's text": ({"detail": "said so"}, "said so"),
    "a code that is a number": (
        {"error": {"message": "said so", "code": 400, "type": ""}},
        "said so",
    ),
    "text": ("said so", "said so"),
    "HTML": ("<html><h1>Bad gateway</h1></html>", "HTTP 400"),
    "nothing": ("", "HTTP 400"),
    "control characters": ('{"error": "said\\u001b[31m so\\u0007"}', "said [31m so"),
    "bytes of no encoding": (b"\xff\xfe said so", "said so"),
    "ten thousand words": ({"error": "said so " * 10_000}, "said so"),
}


@pytest.mark.parametrize(("body", "said"), WORDS.values(), ids=WORDS)
def test_whatever_form_an_error_has_its_words_reach_the_person(generate, gateway, body, said):
    gateway.answers(reply(body, 400))
    result = generate("a fox")
    assert result.code == 1
    assert said in result.err
    assert len(result.err) < 1500


def test_verbose_adds_the_causes(generate, gateway):
    gateway.answers(reply({"data": [{"url": "/nowhere"}]}))
    assert "cause: " in generate("a fox", "--retries", "0", "--verbose").err
    assert "cause: " not in generate("a fox", "--retries", "0").err
