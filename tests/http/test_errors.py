"""Errors of the network in the words of people."""

import errno
import os
import socket
import ssl

import h11
import httpx
import pytest

from flux_cli.http.errors import (
    UnreachableError,
    connection_broken_error,
    protocol_fault,
    proxy_error,
    root_cause,
    unreachable_error,
)
from flux_cli.http.machine.proxies import Proxy

URL = "https://host:8443/v1"


def caused(outer: Exception, *inner: BaseException) -> Exception:
    """An exception with a chain of causes, as libraries raise it."""
    fault: BaseException = outer
    for cause in inner:
        fault.__cause__ = cause
        fault = cause
    return outer


def tls(message: str) -> Exception:
    return caused(httpx.ConnectError("x"), ssl.SSLError(1, f"[SSL: CODE] {message} (_ssl.c:1006)"))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("illegal status line: bytearray(b'HTTP/9 x')", "illegal status line: 'HTTP/9 x'"),
        ("illegal header line: b'a\\x00b'", "illegal header line: 'a\\x00b'"),
        ('bad "b" name', 'bad "b" name'),
    ],
)
def test_bytes_are_quoted_as_people_write_them(fault, words):
    assert root_cause(ValueError(fault)) == words


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "no host of that name"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure"), "cannot be resolved (Temporary"),
        (ConnectionRefusedError(errno.ECONNREFUSED, "x"), os.strerror(errno.ECONNREFUSED)),
        (
            OSError("Multiple exceptions: [Errno 111] Connect call failed ('::1', 9, 0, 0)"),
            os.strerror(111),
        ),
        (
            caused(
                OSError("All connection attempts failed"),
                ExceptionGroup("x", [OSError(errno.EHOSTUNREACH, "x")]),
            ),
            os.strerror(errno.EHOSTUNREACH),
        ),
        (caused(httpx.ConnectTimeout("no connection within 2 s"), TimeoutError()), "within 2 s"),
        (ssl.SSLError(1, "[SSL: ODD] odd thing (_ssl.c:1006)"), "odd thing"),
    ],
)
def test_no_number_and_no_place_in_code_is_shown(fault, words):
    found = root_cause(caused(httpx.ConnectError("outer"), fault))
    assert words in found
    assert "Errno" not in found
    assert "_ssl" not in found


TLS = {
    "certificate has expired": "the certificate of host:8443 has expired",
    "certificate is not yet valid": "not valid yet",
    "Hostname mismatch, certificate is not valid for 'host'.": "is for another host",
    "IP address mismatch, certificate is not valid for '10.0.0.1'.": "is for another host",
    "unable to get local issuer certificate": "unknown authority",
    "self-signed certificate in certificate chain": "unknown authority",
    "self-signed certificate": "signed by itself",
    "“host” certificate is not trusted": "unknown authority",
    "certificate verify failed: Basic Constraints of CA cert not marked critical": "Basic Constr",
    "certificate revoked": "revoked",
    "wrong version number": "does not speak TLS",
    "record layer failure": "does not speak TLS",
    "http request": "does not speak TLS",
    "tlsv1 alert no application protocol": "only HTTP/2",
    "tlsv1 alert protocol version": "old versions of TLS",
    "sslv3 alert handshake failure": "refuses to speak TLS",
    "tlsv1 unrecognized name alert": "refuses to speak TLS",
    "tlsv13 alert certificate required": "a certificate from its clients",
}


@pytest.mark.parametrize(("message", "said"), TLS.items())
def test_every_fault_of_tls_has_a_sentence_of_its_own(message, said):
    error = unreachable_error(URL, tls(message))
    assert said in error.message
    assert error.hopeless
    assert error.hint


def test_tls_that_is_cut_off_is_tried_again():
    error = unreachable_error(URL, tls("EOF occurred in violation of protocol"))
    assert "closed the connection before TLS" in error.message
    assert not error.hopeless


def test_what_breaks_after_the_request_was_sent_may_have_been_billed():
    """Only what a peer says that has read no request makes it certain that nothing was done."""
    for fault in (
        tls("EOF occurred in violation of protocol"),
        tls("certificate has expired"),
        httpx.RemoteProtocolError("illegal status line: b'certificate has expired'"),
        httpx.RemoteProtocolError("illegal status line: b'wrong version number'"),
    ):
        assert not isinstance(connection_broken_error(URL, fault), UnreachableError)
    refused = connection_broken_error(URL, tls("tlsv13 alert certificate required"))
    assert isinstance(refused, UnreachableError)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"\x15\x03\x01\x00\x02\x02\x50", "speaks TLS"),
        (b"\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03", "only HTTP/2"),
        (b"\x00\x00\x18\x04\x00\x00\x00\x00\x00\x00\x03", "only HTTP/2"),
    ],
)
def test_an_answer_in_another_protocol_is_recognized(data, said):
    state = h11.Connection(h11.CLIENT)
    state.send(h11.Request(method="GET", target="/", headers=[("host", "x")]))
    state.receive_data(data)
    with pytest.raises(h11.RemoteProtocolError) as caught:
        state.next_event()
    fault = httpx.RemoteProtocolError(protocol_fault(caught.value, data))
    error = connection_broken_error(URL, fault)
    assert isinstance(error, UnreachableError)
    assert said in error.message


PROXY = Proxy("https_proxy", "http", "p", 3128)


@pytest.mark.parametrize(
    ("fault", "message", "hint"),
    [
        (
            httpx.ProxyError("407 Proxy Authentication Required"),
            "the proxy p:3128 refused to connect to host:8443: 407 Proxy Authentication Required",
            "into https_proxy: http://USER:PASSWORD@",
        ),
        (httpx.ProxyError("502 Bad Gateway"), "p:3128 refused to connect to host:8443", "NO_PROXY"),
        (
            caused(httpx.ConnectError("x"), ConnectionRefusedError(errno.ECONNREFUSED, "x")),
            f"cannot reach the proxy p:3128: {os.strerror(errno.ECONNREFUSED)}",
            "check https_proxy",
        ),
        (tls("certificate has expired"), "certificate of the proxy p:3128 has expired", "clock"),
        (tls("self-signed certificate"), "the proxy p:3128 is signed by itself", "SSL_CERT_FILE"),
        (tls("wrong version number"), "the proxy p:3128 does not speak TLS", "check https_proxy"),
        (httpx.ProxyError("Invalid username/password"), "the proxy p:3128 refuses", "https_proxy"),
    ],
)
def test_a_fault_of_the_proxy_names_the_proxy_and_its_variable(fault, message, hint):
    error = proxy_error(PROXY, URL, fault, is_connected=False)
    assert message in error.message
    assert hint in error.hint
    assert "--base-url" not in error.hint


def test_only_what_a_proxy_may_say_otherwise_later_is_tried_again():
    said = ("407 Login", "403 No", "502 Bad Gateway", "Malformed reply")
    faults = [proxy_error(PROXY, URL, httpx.ProxyError(words)).hopeless for words in said]
    assert faults == [True, True, False, False]


def test_a_proxy_that_talks_nonsense_is_named_as_well():
    error = proxy_error(PROXY, URL, httpx.RemoteProtocolError("illegal status line: b'x'"))
    assert error.message == "the proxy p:3128 does not lead to host:8443: illegal status line: 'x'"
    assert not error.billed
