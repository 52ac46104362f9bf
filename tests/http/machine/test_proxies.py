"""Proxies: which variables are read, how their values are read, and which hosts need none."""

import base64
import string
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from flux_cli.core.errors import ConfigError
from flux_cli.core.text import redact
from flux_cli.http.errors import missing_socks_error
from flux_cli.http.machine.proxies import parse_proxy, read_proxies
from flux_cli.http.wire.network import ProxyRouter
from flux_cli.http.wire.transport import PushTransport

PASSWORD = "S3cretPassw0rd"


def chosen(url, **environ):
    """The origin of the proxy for a URL, or None."""
    parsed = httpx.URL(url)
    proxy = read_proxies(environ).choose(parsed.scheme, parsed.host, parsed.port)
    return proxy and proxy.origin


def parsed(text):
    proxy = parse_proxy("HTTP_PROXY", text)
    password = proxy.password.reveal() if proxy.password else None
    return (proxy.origin, proxy.user, password)


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("http://proxy:3128", "http://proxy:3128"),
        ("proxy:3128", "http://proxy:3128"),
        ("proxy", "http://proxy:1080"),
        ("HTTPS://proxy/", "https://proxy:443"),
        ("http://[::1]:8080", "http://[::1]:8080"),
        ("[fd00::5]:8080", "http://[fd00::5]:8080"),
        ("socks://127.0.0.1:9/", "socks5://127.0.0.1:9"),
        ("socks5h://proxy", "socks5h://proxy:1080"),
        ("socks4a://proxy:9", "socks4://proxy:9"),
        ("http://proxy:", "http://proxy:1080"),
        ("http://proxy:1/path", "http://proxy:1"),
        ("proxy/a/b?c#d", "http://proxy:1080"),
    ],
)
def test_a_proxy_is_read_as_curl_reads_it(text, origin):
    assert parsed(text) == (origin, "", None)


@pytest.mark.parametrize("mark", [*"#/?@:%[] &=+,;\\\"'", "://", "%41"])
def test_marks_in_a_password_are_part_of_it_and_it_is_never_shown(mark):
    origin, user, password = parsed(f"http://me:{PASSWORD}{mark}x@proxy:3128")
    typed = f"{PASSWORD}{mark.replace('%41', 'A')}x"
    assert (origin, user, password) == ("http://proxy:3128", "me", typed)
    assert PASSWORD not in redact(f"it said {PASSWORD}{mark}x and {password}")


@pytest.mark.parametrize(
    "secret",
    [
        "a\u00e91b\u00fc2c\u00f63d\u00e44",
        "\u043f\u0430\u0440\u043e\u043b\u044c",
        "zz\udcff9q\udcff4w",
    ],
)
def test_a_password_of_any_letters_is_hidden_in_every_spelling(secret):
    text = f"http://me:{secret}@proxy:3128"
    assert parsed(text) == ("http://proxy:3128", "me", secret)
    data = secret.encode(errors="surrogateescape")
    for shown in (secret, quote(data), base64.b64encode(b"me:" + data).decode()):
        assert redact(f"it said {shown}!") == "it said ***!"


def test_escapes_in_user_and_password_are_decoded():
    assert parsed("http://a%40b:c%2Fd@proxy:1") == ("http://proxy:1", "a@b", "c/d")
    assert parsed("http://me@proxy:1") == ("http://proxy:1", "me", None)
    assert parsed("http://me:@proxy:1") == ("http://proxy:1", "me", "")


@pytest.mark.parametrize(
    "text",
    [
        "nonsense://proxy", "http://", "http://proxy:x", "http://proxy:0", "http://proxy:65536",
        "http://proxy:x/path", "http://[::1", "http://a b:1", "://proxy", "http://me:pw@",
    ],
)  # fmt: skip
def test_what_is_no_proxy_is_an_error_only_where_it_is_used(text):
    assert parse_proxy("HTTP_PROXY", text) is None
    environ = {"http_proxy": text, "https_proxy": "http://good:1", "no_proxy": "own.example"}
    assert chosen("https://far.example", **environ) == "http://good:1"
    assert chosen("http://own.example", **environ) is None
    assert chosen("http://localhost:5", **environ) is None
    with pytest.raises(ValueError, match=r"^http_proxy$"):
        chosen("http://far.example", **environ)


@given(st.text(string.printable, min_size=1, max_size=30))
def test_no_password_is_in_the_errors_of_proxies_that_cannot_be_used(text):
    secret = f"{PASSWORD}{text}"
    for value in (f"http://me:{secret}@h:x", f"what://me:{secret}@h", f"http://me:{secret}@"):
        router = ProxyRouter(PushTransport(lambda: None), read_proxies({"http_proxy": value}))
        with pytest.raises(ConfigError) as caught:
            send(router, "http://far.example")
        assert (
            PASSWORD not in f"{caught.value.message} {caught.value.hint} {caught.value.__cause__}"
        )
        assert "http_proxy" in caught.value.message


def send(router, url):
    """Start a request as far as the choice of its proxy."""
    router.handle_async_request(httpx.Request("GET", url)).send(None)


def test_a_scheme_that_flux_does_not_speak_is_named():
    router = ProxyRouter(PushTransport(lambda: None), read_proxies({"all_proxy": "socks4://h:1"}))
    with pytest.raises(ConfigError, match="all_proxy: flux cannot use a socks4 proxy"):
        send(router, "http://far.example")


@pytest.mark.parametrize(
    ("prefix", "command"),
    [
        ("/home/me/.local/share/pipx/venvs/flux-image-cli", "pipx inject flux-image-cli socksio"),
        ("/home/me/.local/share/uv/tools/flux-image-cli", "uv tool install --with socksio flux-"),
        ("/srv/.venv", "-m pip install socksio"),
    ],
)
def test_a_socks_proxy_without_its_package_names_the_command_of_this_installation(
    prefix, command, monkeypatch
):
    monkeypatch.setattr("sys.prefix", prefix)
    error = missing_socks_error("ALL_PROXY")
    assert "ALL_PROXY" in error.message
    assert command in error.hint


def test_lower_case_wins_and_the_own_scheme_wins_over_all():
    environ = {"HTTP_PROXY": "http://large:1", "http_proxy": "http://small:1"}
    assert chosen("http://far.example", **environ) == "http://small:1"
    assert chosen("http://far.example", **environ | {"http_proxy": ""}) is None
    environ = {"HTTPS_PROXY": "http://large:1", "https_proxy": "http://small:1"}
    assert chosen("https://far.example", **environ) == "http://small:1"
    environ = {"ALL_PROXY": "http://all:1", "https_proxy": "http://own:1"}
    assert chosen("http://far.example", **environ) == "http://all:1"
    assert chosen("https://far.example", **environ) == "http://own:1"


def test_an_empty_variable_counts_as_not_set():
    for name in ("https", "all", "no"):
        large, small = f"{name.upper()}_PROXY", f"{name}_proxy"
        environ = {"all_proxy": "http://all:1", large: "http://large:1", small: " "}
        alone = {"all_proxy": "http://all:1", large: "http://large:1"}
        if name == "all":
            environ, alone = {large: "http://large:1", small: ""}, {large: "http://large:1"}
        assert read_proxies(environ) == read_proxies(alone)
    environ = {"http_proxy": "http://proxy:1", "no_proxy": "", "NO_PROXY": "own.example"}
    assert chosen("http://own.example", **environ) is None
    assert chosen("https://x.example", https_proxy="", HTTPS_PROXY="http://p:1") == "http://p:1"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("http://user:secret12\udcffx@127.0.0.1:9", "is not UTF-8"),
        ("http://us\udcffer:secret12@127.0.0.1:9", "is not UTF-8"),
        ("http://user:secret12%ffx@127.0.0.1:9", "is not UTF-8"),
        (f"socks5://user:{'secret12' * 32}@127.0.0.1:9", "more than 255 bytes"),
    ],
)
def test_a_login_that_cannot_be_sent_is_said(value, words):
    router = ProxyRouter(PushTransport(lambda: None), read_proxies({"http_proxy": value}))
    with pytest.raises(ConfigError, match="http_proxy") as caught:
        send(router, "http://far.example")
    assert words in caught.value.message
    assert "secret12" not in f"{caught.value.message} {caught.value.hint}"


def test_a_web_servers_header_names_no_proxy():
    environ = {"HTTP_PROXY": "http://evil:1", "REQUEST_METHOD": "GET"}
    assert chosen("http://far.example", **environ) is None


def test_what_env_files_leave_around_a_value_is_cut():
    assert chosen("http://far.example", HTTP_PROXY='"http://proxy:1" \r') == "http://proxy:1"


@pytest.mark.parametrize(
    ("entry", "direct", "proxied"),
    [
        ("127.0.0.0/8", ["http://127.9.9.9"], ["http://128.0.0.1"]),
        (
            "10.0.0.0/8,192.168.1.1",
            ["http://10.1.2.3:5", "http://192.168.1.1"],
            ["http://11.0.0.1"],
        ),
        ("[::1]", ["http://[::1]:80", "http://[::1]:9"], ["http://[::2]"]),
        ("[fd00::5]:8080", ["http://[fd00::5]:8080"], ["http://[fd00::5]"]),
        ("fd00::/8", ["http://[fd12::1]"], ["http://[fe12::1]"]),
        ("corp.com", ["http://corp.com", "http://A.CORP.com."], ["http://mycorp.com"]),
        (".corp.com", ["http://corp.com", "http://a.corp.com"], ["http://mycorp.com"]),
        ("*.corp.com:8080", ["http://a.corp.com:8080"], ["http://a.corp.com"]),
        ("corp.com:80", ["http://corp.com", "http://a.corp.com"], ["https://corp.com"]),
        ("https://corp.com", ["https://corp.com"], ["http://corp.com"]),
        ("http://corp.com/", ["http://corp.com"], ["https://corp.com"]),
        ("a.example b.example", ["http://a.example", "http://b.example"], ["http://c.example"]),
        ("bücher.example", ["http://bücher.example", "http://xn--bcher-kva.example"], []),
        ("*", ["http://127.9.9.9", "https://corp.com", "http://[fd00::5]:8080"], []),
    ],
)
def test_no_proxy_is_read_as_curl_and_go_read_it(entry, direct, proxied):
    # The proxy is on this machine, so that addresses of this machine go through it, too.
    environ = {"all_proxy": "http://127.0.0.1:1", "NO_PROXY": entry}
    assert [chosen(url, **environ) for url in direct] == [None] * len(direct)
    assert [chosen(url, **environ) for url in proxied] == ["http://127.0.0.1:1"] * len(proxied)


def test_entries_that_cannot_be_read_are_ignored_with_a_note():
    environ = {"HTTP_PROXY": "http://proxy:1", "NO_PROXY": "[,a:b:c,192.168.*,127.0.0.0/8,[::1]"}
    notes = read_proxies(environ).notes()
    assert [note.asked for note in notes] == ["[", "a:b:c", "192.168.*"]
    assert all(note.parameter == "NO_PROXY" and note.warning for note in notes)
    assert read_proxies({"NO_PROXY": "["}).notes() == ()  # without a proxy, it does not matter


def test_a_proxy_that_is_not_used_and_cannot_be_read_gets_a_note_without_its_value():
    good = {"HTTP_PROXY": "http://proxy:1", "HTTPS_PROXY": "http://proxy:1"}
    notes = read_proxies(good | {"ALL_PROXY": f"what://me:{PASSWORD}@h"}).notes()
    assert [note.parameter for note in notes] == ["ALL_PROXY"]
    assert PASSWORD not in str(notes)
    assert read_proxies(good | {"ALL_PROXY": "socks://127.0.0.1:9"}).notes() == ()


def test_what_is_for_this_machine_goes_only_through_a_proxy_on_this_machine():
    for url in ("http://localhost:1", "http://127.0.0.1", "http://[::1]"):
        assert chosen(url, http_proxy="http://proxy:1") is None
        assert chosen(url, http_proxy="http://localhost:1") == "http://localhost:1"
