"""How far this machine gets on the way to a server, without a request."""

import ssl

import pytest
import trustme
from fakes.server import Server

from flux_cli.http.errors import UnreachableError
from flux_cli.http.machine.certificates import trusted_places
from flux_cli.http.machine.probe import probe


@pytest.fixture
def server(tmp_path, monkeypatch):
    """A server over TLS, with a certificate that SSL_CERT_FILE makes known."""
    authority = trustme.CA()
    place = str(tmp_path / "authority.pem")
    authority.cert_pem.write_to_path(place)
    monkeypatch.delenv("SSL_CERT_DIR", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", place)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    with Server(tls=context) as one:
        yield one


def test_a_server_over_tls_is_reached_and_gets_no_request(server, tmp_path):
    assert probe(f"{server.origin}/v1", 20) == "DNS: 1 address, TCP, TLSv1.3"
    assert server.requests == []
    assert trusted_places() == [f"{tmp_path}/authority.pem (SSL_CERT_FILE)"]


def test_a_certificate_for_another_name_is_named(server):
    url = server.origin.replace("127.0.0.1", "localhost")
    with pytest.raises(UnreachableError, match="is for another host"):
        probe(url, 20)


def test_a_certificate_of_a_stranger_is_named(server, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(UnreachableError, match=r"certificate of 127\.0\.0\.1"):
        probe(server.origin, 20)
    assert trusted_places() != []


@pytest.mark.parametrize("host", ["host.invalid", "a..b", "x" * 64 + ".invalid"])
def test_a_name_without_an_address_is_named(host):
    with pytest.raises(UnreachableError, match="cannot reach"):
        probe(f"http://{host}/v1", 20)
