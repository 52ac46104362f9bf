"""The installed command behind proxies, as the variables of people's machines name them."""

import base64
from pathlib import Path

import pytest
from fakes.proxy import Proxy, SocksProxy, closed_port

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
