"""Who may ask a server: hosts, web pages, keys."""

import pytest

from flux_cli.core.errors import UsageError
from flux_cli.core.text import Secret
from flux_cli.serve.answering.refusals import Refusal
from flux_cli.serve.asking.access import Access, check_origin

HERE = "http://127.0.0.1:8765"
LOCAL = Access("127.0.0.1")
TEAM = Access("0.0.0.0", Secret("a key with blanks"), ("https://app.example",))


def code_of(check, *arguments):
    with pytest.raises(Refusal) as refusal:
        check(*arguments)
    return refusal.value.status, refusal.value.code


@pytest.mark.parametrize("host", ["127.0.0.1:8765", "localhost", "LOCALHOST:1", "[::1]:8765"])
def test_this_machine_has_several_names(host):
    LOCAL.check_host({"host": host})


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example"])
def test_another_name_is_refused(host):
    assert code_of(LOCAL.check_host, {"host": host}) == (403, "unknown_host")


@pytest.mark.parametrize(
    "host", ["", "a b", "a/b", "a@b", ":80", "[::1", "a:b", "a:99999", "ä.example", "a\tb", "a#b"]
)
def test_what_is_no_host_is_refused(host):
    assert code_of(LOCAL.check_host, {"host": host})[0] in (400, 403)
    assert code_of(TEAM.check_host, {"host": host}) == (400, "invalid_host")


def test_with_a_key_other_machines_use_any_name():
    TEAM.check_host({"host": "flux:8765"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": HERE},
        {"sec-fetch-site": "same-origin"},
        {"sec-fetch-site": "none"},
    ],
)
def test_programs_and_the_own_page_may_ask(headers):
    LOCAL.check_page(headers, HERE)


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "http://127.0.0.1:3000"},
        {"origin": "https://127.0.0.1:8765"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://evil.example", "sec-fetch-site": "same-origin"},
    ],
)
def test_other_web_pages_may_not(headers):
    assert code_of(LOCAL.check_page, headers, HERE) == (403, "foreign_origin")


def test_a_listed_web_page_may_ask_and_read():
    headers = {"origin": "https://app.example", "sec-fetch-site": "cross-site"}
    TEAM.check_page(headers, HERE)
    assert TEAM.cors_headers(headers)["access-control-allow-origin"] == "https://app.example"
    assert TEAM.cors_headers({"origin": "https://app.example.evil"}) == {}


@pytest.mark.parametrize("text", ["Bearer a key with blanks", "bearer  a key with blanks "])
def test_a_key_may_have_blanks(text):
    TEAM.check_key({"authorization": text})


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (None, "missing_api_key"),
        ("", "missing_api_key"),
        ("Bearer", "missing_api_key"),
        ("Bearer ", "missing_api_key"),
        ("Basic a key with blanks", "missing_api_key"),
        ("Bearer a", "invalid_api_key"),
        ("Bearer a key with blanks2", "invalid_api_key"),
        ("Bearer \u00e4", "invalid_api_key"),
    ],
)
def test_without_the_key_nobody_may_ask(text, code):
    headers = {} if text is None else {"authorization": text}
    assert code_of(TEAM.check_key, headers) == (401, code)


def test_without_a_key_any_key_is_good():
    LOCAL.check_key({"authorization": "Bearer sk-anything"})
    LOCAL.check_key({})


def test_an_origin_is_exact():
    assert check_origin("http://LOCALHOST:3000/") == "http://localhost:3000"


@pytest.mark.parametrize(
    "text",
    ["*", "localhost:3000", "http://", "http://a/b", "http://*.a", "ftp://a", "http://u@a", ""],
)
def test_what_is_no_origin_is_refused(text):
    with pytest.raises(UsageError):
        check_origin(text)
