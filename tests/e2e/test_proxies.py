"""The installed command behind proxies, as the variables of people's machines name them."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest
from fakes.messages import message
from fakes.proxy import FixedAnswer, Proxy, SocksProxy, closed_port

PASSWORD = "S3cretPassw0rd"
FAR = ("generate", "a fox", "--base-url", "http://far.example/v1", "--no-key", "-m", "m")


def everything(result, home):
    """All that a run wrote, on streams and into files."""
    files = (path for top in (Path(), home) for path in top.rglob("*") if path.is_file())
    return result.out + result.err + "".join(path.read_bytes().decode("latin-1") for path in files)


@pytest.mark.parametrize("scheme", ["socks", "socks5", "socks5h"])
def test_a_socks_proxy_is_used_with_its_password(flux, gateway, scheme):
    with SocksProxy(gateway) as proxy:
        env = {"ALL_PROXY": f"{scheme}://me:{PASSWORD}#/@127.0.0.1:{proxy.port}"}
        result = flux(*FAR, "-o", "fox", "--retries", "0", env=env)
    assert result.code == 0, result.err
    assert set(proxy.users) == {("me", f"{PASSWORD}#/")}
    assert "far.example" in proxy.hosts


@pytest.mark.parametrize("mark", list("#/?@:"))
@pytest.mark.parametrize("port", ["1", "x"])  # nobody listens there; no number
def test_a_proxys_password_is_written_nowhere(flux, home, mark, port):
    env = {"http_proxy": f"http://me:{PASSWORD}{mark}x@127.0.0.1:{port}"}
    result = flux(*FAR, "--retries", "0", "--json", "--verbose", "--log-file", "log", env=env)
    assert result.code == (2 if port == "x" else 1)
    assert PASSWORD not in everything(result, home)


def test_an_unescaped_password_reaches_the_proxy(flux, gateway):
    """The tunnel is refused, so that nothing needs a certificate."""
    with Proxy(gateway, b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n") as proxy:
        place = proxy.origin.removeprefix("http://")
        far = [word.replace("http://", "https://") for word in FAR]
        env = {"HTTPS_PROXY": f"http://me:{PASSWORD}#/?@{place}"}
        assert flux(*far, "--retries", "0", env=env).code == 1
    expected = base64.b64encode(f"me:{PASSWORD}#/?".encode()).decode()
    assert proxy.headers[0]["proxy-authorization"] == f"Basic {expected}"


def test_entries_that_cannot_be_read_are_said_once(flux, gateway):
    env = {"http_proxy": f"http://127.0.0.1:{closed_port()}", "no_proxy": "[,127.0.0.0/8,a:b:c"}
    line = ("generate", "a fox", "--base-url", f"{gateway.url}", "--no-key", "-m", "m", "-n", "2")
    result = flux(*line, env=env)
    assert result.code == 0
    assert result.err.count("NO_PROXY") == 2


@pytest.mark.parametrize(
    "password", ["a\u00e91b\u00fc2c\u00f63d\u00e44", "\u043f\u0430\u0440\u043e\u043b\u044c-12"]
)
def test_a_password_that_a_proxy_sends_back_is_written_nowhere(flux, home, password):
    """The proxy that wants another login quotes it, and so does its page."""
    said = f"me:{password} {quote(password)}"
    answer = message(said.encode(), f"407 not {said.encode().decode('latin-1')}")
    with FixedAnswer(answer) as proxy:
        env = {"http_proxy": f"http://me:{password}@127.0.0.1:{proxy.port}"}
        result = flux(*FAR, "--retries", "0", "--json", "--verbose", "--log-file", "log", env=env)
        assert result.code == 1
        assert f"the proxy 127.0.0.1:{proxy.port} refused" in result.err
    assert "into http_proxy: http://USER:PASSWORD@" in result.err
    shown = everything(result, home).encode("latin-1", "ignore").decode(errors="ignore")
    for secret in (password, quote(password), json.dumps(password)[1:-1]):
        assert secret not in shown


@pytest.mark.parametrize(
    ("variable", "value", "answer", "words"),
    [
        ("ALL_PROXY", "socks5h://{}", b"HTTP/1.1 400 Bad\r\n\r\n", "does not speak SOCKS 5"),
        ("all_proxy", "socks5://me:pw@{}", b"\x05\x00", "takes no user name and password"),
        ("all_proxy", "socks5://{}", b"\x05\xff", "wants another login"),
        ("https_proxy", "https://{}", b"HTTP/1.1 400 Bad\r\n\r\n", "does not speak TLS"),
        ("HTTPS_PROXY", "http://{}", b"\x15\x03\x01\x00\x02\x02\x50", "does not speak HTTP"),
        (
            "https_proxy",
            "http://{}",
            b"HTTP/1.1 403 No\r\n\r\n",
            "refused to connect to far.example",
        ),
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_and_so_is_its_variable(
    flux, variable, value, answer, words
):
    far = [word.replace("http://", "https://") for word in FAR]
    with FixedAnswer(answer) as proxy:
        place = f"127.0.0.1:{proxy.port}"
        result = flux(*far, "--retries", "0", env={variable: value.format(place)})
    assert result.code == 1
    assert f"the proxy {place} {words}" in result.err
    assert variable in result.err
    assert "billed" not in result.err
    assert "--base-url" not in result.err


def test_no_proxy_on_another_machine_gets_a_key_that_is_not_encrypted(flux, gateway):
    """Nothing is sent, unless the user allows it for the proxy, too."""
    line = [word for word in FAR if word != "--no-key"]
    key = {"FLUX_API_KEY": "k3y-0f-s0mebody", "FLUX_HTTP_HOSTS": "far.example"}
    for scheme in ("http", "https", "socks5"):
        result = flux(*line, env=key | {"ALL_PROXY": f"{scheme}://proxy.invalid:3128"})
        assert result.code == 2
        assert "far.example would be sent unencrypted through the proxy proxy.inv" in result.err
        assert "FLUX_HTTP_HOSTS=far.example,proxy.invalid" in result.err
    far = {
        "http_proxy": "http://proxy.invalid:3128",
        "FLUX_HTTP_HOSTS": "far.example proxy.invalid",
    }
    assert flux(*line, "--retries", "0", env=key | far).code == 1
    with SocksProxy(gateway) as proxy:
        result = flux(*line, env=key | {"ALL_PROXY": f"socks5h://127.0.0.1:{proxy.port}"})
    assert result.code == 0, result.err
