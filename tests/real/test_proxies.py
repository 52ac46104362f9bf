"""Proxies of others on the way to a provider: tinyproxy for HTTP, microsocks for SOCKS 5.

The provider is our server with TLS, so that proxies only see tunnels, and without it.
"""

from collections.abc import Iterator

import pytest
from fakes.messages import reply
from fakes.server import Server
from faults.certificates import authority

from real.answers import NAME, PNG, drawn
from real.programs import Program, free_port, installed, running

pytestmark = pytest.mark.slow

USER, PASSWORD = "fox", "pa55w0rd-Sup3rS3cret"
CONFIGURATION = """
Port {port}
Listen 127.0.0.1
BasicAuth {user} {password}
Allow 127.0.0.1
MaxClients 20
LogLevel Info
Filter "filter"
FilterExtended On
"""


@pytest.fixture(scope="module")
def tinyproxy(tmp_path_factory) -> Iterator[Program]:
    command = installed("tinyproxy")
    folder, port = tmp_path_factory.mktemp("tinyproxy"), free_port()
    text = CONFIGURATION.format(port=port, user=USER, password=PASSWORD)
    (folder / "tinyproxy.conf").write_text(text)
    (folder / "filter").write_text("^localhost$\n")
    with running(command, "-d", "-c", "tinyproxy.conf", port=port, folder=folder) as program:
        yield program


@pytest.fixture(scope="module")
def microsocks(tmp_path_factory) -> Iterator[Program]:
    command = installed("microsocks")
    folder, port = tmp_path_factory.mktemp("microsocks"), free_port()
    words = (command, "-i", "127.0.0.1", "-p", str(port), "-u", USER, "-P", PASSWORD)
    with running(*words, port=port, folder=folder) as program:
        yield program


@pytest.fixture
def secure() -> Iterator[Server]:
    """A provider with TLS, whose certificate the environment of `through` trusts."""
    with Server(tls=authority().contexts["good"]) as server:
        server.answers(drawn)
        server.serves(NAME, reply(PNG, content_type="image/png"))
        yield server


@pytest.fixture
def through(generate, work):
    """Run `flux generate` with proxy variables. The password is in no output."""

    def run(base: str, *words: str, **proxies: str):
        env = {"SSL_CERT_FILE": str(authority().write(work.parent / "authority.pem")), **proxies}
        result = generate(base, "-m", "some-model", *words, env=env)
        assert PASSWORD not in result.out + result.err
        return result

    return run


def address(program: Program, scheme: str = "http", password: str = PASSWORD) -> str:
    """The proxy as variables name it."""
    return f"{scheme}://{USER}:{password}@127.0.0.1:{program.port}"


# --- tinyproxy ------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["url", "b64_json"])
def test_an_image_comes_through_a_tunnel(through, tinyproxy, secure, form):
    words = ("-n", "2", "--response-format", form)
    result = through(f"{secure.origin}/v1", *words, HTTPS_PROXY=address(tinyproxy))
    assert (result.code, len(result.lines)) == (0, 2), result.err
    assert f"CONNECT 127.0.0.1:{secure.port}" in tinyproxy.log.read_text()
    assert not any("proxy-authorization" in request.headers for request in secure.requests)


def test_an_image_comes_through_a_proxy_without_a_tunnel(through, tinyproxy, upstream):
    result = through(f"{upstream.origin}/v1", HTTP_PROXY="", http_proxy=address(tinyproxy))
    assert (result.code, len(result.lines)) == (0, 1), result.err
    assert f"127.0.0.1:{upstream.port}" in tinyproxy.log.read_text()


WRONG = {"a wrong password": f"{USER}:not-the-password@", "no password": ""}


@pytest.mark.parametrize("user", WRONG.values(), ids=WRONG)
def test_a_proxy_that_wants_another_password_costs_nothing(through, tinyproxy, secure, user):
    """tinyproxy says 401 to a wrong password, and 407 to none."""
    proxy = f"http://{user}127.0.0.1:{tinyproxy.port}"
    result = through(f"{secure.origin}/v1", "--json", HTTPS_PROXY=proxy)
    (error,) = result.json["errors"]
    assert (result.code, error["may_have_been_billed"], secure.requests) == (1, False, [])
    assert "proxy" in error["message"]
    assert "FLUX_API_KEY" not in error["hint"]


def test_a_host_that_the_proxy_forbids_costs_nothing(through, tinyproxy, secure):
    base = f"https://localhost:{secure.port}/v1"
    result = through(base, "--json", HTTPS_PROXY=address(tinyproxy))
    (error,) = result.json["errors"]
    assert (result.code, error["may_have_been_billed"], secure.requests) == (1, False, [])
    assert "proxy" in error["message"]


def test_a_provider_that_the_proxy_cannot_reach_costs_nothing(through, tinyproxy):
    base = f"https://127.0.0.1:{free_port()}/v1"
    result = through(base, "--json", "--retries", "0", HTTPS_PROXY=address(tinyproxy))
    (error,) = result.json["errors"]
    assert (result.code, error["may_have_been_billed"]) == (1, False)
    assert "proxy" in error["message"]


# --- microsocks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_an_image_comes_through_a_socks_proxy(through, microsocks, secure, scheme):
    pytest.importorskip("socksio")
    before = len(microsocks.log.read_text())
    result = through(f"{secure.origin}/v1", ALL_PROXY=address(microsocks, scheme))
    assert (result.code, len(result.lines)) == (0, 1), result.err
    assert str(secure.port) in microsocks.log.read_text()[before:]


def test_a_socks_proxy_that_wants_another_password_costs_nothing(through, microsocks, secure):
    pytest.importorskip("socksio")
    proxy = address(microsocks, "socks5", "not-the-password")
    result = through(f"{secure.origin}/v1", "--json", ALL_PROXY=proxy)
    (error,) = result.json["errors"]
    assert (result.code, error["may_have_been_billed"], secure.requests) == (1, False, [])
    assert "proxy" in error["message"].lower()
