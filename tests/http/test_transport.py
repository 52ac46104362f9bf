"""The network: shared connections, what servers do on them, proxies, certificates, URLs."""

import asyncio
import base64
import os
import re
import socket
import ssl
import threading
import tracemalloc
from collections.abc import Awaitable, Callable
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest
import trustme

from flux_cli.core.errors import ConfigError, NetworkError
from flux_cli.core.outcome import Reply
from flux_cli.http.errors import UnreachableError
from flux_cli.http.exchange import Exchanges, HttpRequest
from flux_cli.http.machine.proxies import read_proxies
from flux_cli.http.spool import Spool
from flux_cli.http.wire import connection, transport
from flux_cli.http.wire.network import Network, ProxyRouter

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Counts connections, and passes each request to a function that answers it; None hangs up."""

    def __init__(self, reply: Callable[[bytes], bytes | None] = lambda _head: OK) -> None:
        self.reply, self.connections, self.open, self.requests, self.ended = (
            reply,
            0,
            0,
            [],
            asyncio.Event(),
        )

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head.split(b" ")[0].decode())
                if b"ontent-" in head:
                    length = next(
                        int(line[15:])
                        for line in head.lower().split(b"\r\n")
                        if line[:15] == b"content-length:"
                    )
                    await reader.readexactly(length)
                answer = self.reply(head)
                if answer is None:
                    break
                writer.write(answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open -= 1
            self.ended.set()
            writer.close()


def talk(
    server: Server,
    talk: Callable[[Exchanges, str], Awaitable[object]],
    folder: Path,
    tls: ssl.SSLContext | None = None,
) -> object:
    """Have a conversation with a server on a free port."""

    async def go() -> object:
        listening = await asyncio.start_server(server, "127.0.0.1", 0, ssl=tls)
        exchanges = Exchanges(Spool(folder), Network(5.0))
        try:
            scheme = "https" if tls else "http"
            return await talk(
                exchanges, f"{scheme}://127.0.0.1:{listening.sockets[0].getsockname()[1]}/"
            )
        finally:
            await exchanges.close()
            listening.close()

    return asyncio.run(go())


async def warm(exchanges: Exchanges) -> None:
    """Let the client and what it imports come first, where a test measures what follows."""
    other = await asyncio.start_server(Server(), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}/"
    await exchanges.exchange(HttpRequest("POST", url, {}, b"{}"))
    other.close()


def asks(*methods: str, pause: float = 0.0):
    async def go(exchanges: Exchanges, url: str) -> list[Reply]:
        replies = []
        for method in methods:
            replies.append(
                await exchanges.exchange(
                    HttpRequest(method, url, {}, b"{}" if method == "POST" else None)
                )
            )
            await asyncio.sleep(pause)
        return replies

    return go


@pytest.mark.parametrize(
    ("methods", "connections"),
    [
        (("GET", "GET", "GET"), 1),
        (("POST", "POST"), 2),
        (("GET", "POST", "GET"), 2),
        (("GET", "DELETE"), 2),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_only_gets_share_a_connection(tmp_path, methods, connections):
    server = Server()
    assert [reply.data for reply in talk(server, asks(*methods), tmp_path)] == [b"{}"] * len(
        methods
    )
    assert (server.requests, server.connections) == (list(methods), connections)


UNFIT = {
    "the server shouts it": OK.replace(b"\r\n", b"\r\nConnection: Keep-Alive, CLOSE\r\n", 1),
    "the server says so": OK.replace(b"\r\n", b"\r\nConnection: close\r\n", 1),
    "the server is old": OK.replace(b"HTTP/1.1", b"HTTP/1.0"),
    "it speaks unasked": OK + OK,
}


@pytest.mark.parametrize("answer", UNFIT.values(), ids=UNFIT)
def test_a_connection_that_is_no_good_any_more_is_not_used_again(tmp_path, answer):
    server = Server(lambda _head: answer)
    replies = talk(server, asks("GET", "GET", pause=0.05), tmp_path)
    assert [reply.data for reply in replies] == [b"{}", b"{}"]
    assert server.connections == 2


def test_a_connection_the_server_has_closed_meanwhile_is_not_used_again(tmp_path):
    """The server hangs up after each answer without having said so."""

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(OK)
        writer.close()

    replies = talk(once, asks("GET", "GET", pause=0.05), tmp_path)
    assert [reply.data for reply in replies] == [b"{}", b"{}"]


def test_a_connection_that_has_waited_too_long_is_not_used_again(tmp_path, monkeypatch):
    monkeypatch.setattr(connection, "IDLE_SECONDS", 0.02)
    server = Server()
    talk(server, asks("GET", "GET", pause=0.05), tmp_path)
    assert server.connections == 2


def test_servers_do_not_share_connections(tmp_path):
    """What one server says must never count as another's word."""
    servers = [Server(lambda _head, name=name: OK.replace(b"{}", name)) for name in (b"11", b"22")]

    async def go(exchanges: Exchanges, url: str) -> None:
        other = await asyncio.start_server(servers[1], "127.0.0.1", 0)
        second = f"http://127.0.0.1:{other.sockets[0].getsockname()[1]}/"
        said = [
            (await exchanges.exchange(HttpRequest("GET", one, {}))).data
            for one in (url, second, url, second)
        ]
        other.close()
        assert said == [b"11", b"22", b"11", b"22"]

    talk(servers[0], go, tmp_path)
    assert [server.connections for server in servers] == [1, 1]


def test_no_more_connections_are_kept_than_needed_and_none_behind_the_end(tmp_path):
    server = Server()

    async def go(exchanges: Exchanges, url: str) -> int:
        await asyncio.gather(
            *(
                exchanges.exchange(HttpRequest("GET", url, {}))
                for _ in range(transport.MAX_IDLE + 9)
            )
        )
        await asyncio.sleep(0.05)
        kept = server.open
        await exchanges.close()
        await asyncio.sleep(0.05)
        assert server.open == 0
        return kept

    assert 1 <= talk(server, go, tmp_path) <= transport.MAX_IDLE


def test_what_a_server_says_before_its_answer_is_passed_over(tmp_path):
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    (reply,) = talk(Server(lambda _head: early + OK), asks("POST"), tmp_path)
    assert (reply.status, reply.data) == (200, b"{}")


NO_HTTP = {
    "it switches": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "an endless head": b"HTTP/1.1 200 OK\r\n" + b"X-Long: 1\r\n" * 20_000,
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
}


@pytest.mark.parametrize("answer", NO_HTTP.values(), ids=NO_HTTP)
def test_what_is_no_http_is_a_broken_connection(tmp_path, answer):
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    with pytest.raises(NetworkError, match="broke before the answer was complete"):
        talk(babble, asks("POST"), tmp_path)


OTHER_PROTOCOLS = {
    "speaks TLS": b"\x15\x03\x03\x00\x02\x02\x46" * 9,
    "only HTTP/2": b"\x00\x00\x12\x04\x00\x00\x00\x00\x00" + bytes(18),
}


@pytest.mark.parametrize(("said", "answer"), OTHER_PROTOCOLS.items())
def test_who_speaks_another_protocol_has_read_nothing(tmp_path, said, answer):
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        writer.close()

    with pytest.raises(UnreachableError, match=said):
        talk(babble, asks("POST"), tmp_path)


TCP_TABLE = Path("/proc/net/tcp")
KEEPALIVE_TIMER = "02:"


def open_connections() -> list[str]:
    return TCP_TABLE.read_text().splitlines()


@pytest.mark.skipif(
    not TCP_TABLE.exists(), reason="the timers of connections are in /proc on Linux"
)
@pytest.mark.parametrize("proxied", [False, True], ids=["direct", "through a proxy"])
def test_a_connection_that_is_silent_for_long_is_kept_alive(tmp_path, monkeypatch, proxied):
    """Routers forget silent connections, and then the image that was paid for never arrives."""
    timers = []

    async def look(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        client = f":{writer.get_extra_info('peername')[1]:04X}"
        for line in open_connections():
            _, local, _, _, _, timer, *_ = line.split()
            if local.endswith(client):
                timers.append(timer)
        writer.write(OK)
        writer.close()

    async def go(exchanges: Exchanges, url: str) -> None:
        if proxied:
            monkeypatch.setenv("HTTP_PROXY", url)
            url = "http://images.invalid/v1"
        await exchanges.exchange(HttpRequest("POST", url, {}, b"{}"))

    talk(look, go, tmp_path)
    assert [timer[:3] for timer in timers] == [KEEPALIVE_TIMER]


@pytest.mark.parametrize("size", [0, 1, 1 << 17, (1 << 17) + 1, 3_000_000])
def test_answers_of_any_size_arrive_whole_in_either_framing(tmp_path, size):
    text = b'"' + b"x" * 100 + b" " * size + b'"'
    framed = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (
        len(text),
        text,
    )
    for answer in (framed, chunked):
        (reply,) = talk(Server(lambda _head, answer=answer: answer), asks("POST"), tmp_path)
        assert reply.data == text


def test_a_server_that_refuses_before_it_has_read_everything_is_understood(tmp_path):
    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        await writer.drain()
        with closing(writer):
            await asyncio.sleep(0.1)

    async def go(exchanges: Exchanges, url: str) -> int:
        return (await exchanges.exchange(HttpRequest("POST", url, {}, bytes(8_000_000)))).status

    assert talk(refuse, go, tmp_path) == 413


def test_who_gives_up_hangs_up(tmp_path):
    """A server that works on sees at once that nobody waits any more."""
    server = Server(lambda _head: b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}")

    async def go(exchanges: Exchanges, url: str) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(exchanges.exchange(HttpRequest("POST", url, {}, b"{}")), 0.2)
        await asyncio.wait_for(server.ended.wait(), 5)

    talk(server, go, tmp_path)


def test_silence_has_a_limit_where_one_is_given(tmp_path):
    async def hush(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
        with closing(writer):
            await asyncio.sleep(2)

    async def go(exchanges: Exchanges, url: str) -> None:
        with pytest.raises(NetworkError, match="broke before the answer was complete"):
            await exchanges.exchange(HttpRequest("GET", url, {}, silence=0.1))

    talk(hush, go, tmp_path)


def test_where_a_proxy_is_named_it_is_asked(tmp_path, monkeypatch):
    """Proxies are httpx's business, and no POST shares its connection there either."""
    server = Server()

    async def go(exchanges: Exchanges, url: str) -> None:
        monkeypatch.setenv("HTTP_PROXY", url)
        for _ in range(2):
            assert (
                await exchanges.exchange(HttpRequest("POST", "http://images.invalid/v1", {}, b"{}"))
            ).data == b"{}"

    talk(server, go, tmp_path)
    assert (server.requests, server.connections) == (["POST", "POST"], 2)


def through(proxy: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Reply:
    monkeypatch.setenv("HTTP_PROXY", proxy)

    async def go() -> Reply:
        exchanges = Exchanges(Spool(folder), Network(5.0))
        try:
            return await exchanges.exchange(
                HttpRequest("POST", "http://images.invalid/v1", {}, b"{}")
            )
        finally:
            await exchanges.close()

    return asyncio.run(go())


def test_a_proxy_that_is_not_there_means_nothing_was_sent(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(UnreachableError, match=r"the proxy 127.0.0.1:\d+: Connection refused"):
        through(f"http://127.0.0.1:{port}", tmp_path, monkeypatch)


def test_a_proxy_that_makes_no_sense_is_a_wrong_setting(tmp_path, monkeypatch):
    with pytest.raises(ConfigError, match="invalid proxy in HTTP_PROXY"):
        through("gopher://127.0.0.1", tmp_path, monkeypatch)


def test_an_answer_that_breaks_off_at_a_proxy_is_no_answer(tmp_path, monkeypatch):
    text = base64.b64encode(bytes(200_000))

    async def breaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(b'HTTP/1.1 200 OK\r\nContent-Length: 900000\r\n\r\n{"b64_json": "' + text)
        await writer.drain()
        writer.close()

    async def go(_exchanges: Exchanges, url: str) -> None:
        monkeypatch.setenv("HTTP_PROXY", url)
        exchanges = Exchanges(Spool(tmp_path), Network(5.0))
        with pytest.raises(NetworkError, match="broke before the answer was complete") as caught:
            await exchanges.exchange(HttpRequest("POST", "http://images.invalid/v1", {}, b"{}"))
        assert not isinstance(caught.value, UnreachableError)
        await exchanges.close()

    talk(breaks, go, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("proxied", [False, True], ids=["direct", "proxied"])
def test_nothing_a_server_says_changes_the_next_request(tmp_path, monkeypatch, proxied):
    """Cookies are not kept, redirects are not followed, and passwords of .netrc are not sent."""
    head = b"HTTP/1.1 302 Found\r\nSet-Cookie: a=b\r\nLocation: http://[/\r\n"
    moved = head + b"Content-Length: 2\r\n\r\n{}"
    heads: list[bytes] = []
    netrc = Path(os.environ["HOME"], ".netrc")
    netrc.write_text("machine 127.0.0.1 login me password secret")
    netrc.chmod(0o600)

    def reply(head: bytes) -> bytes:
        heads.append(head.lower())
        return moved

    async def go(exchanges: Exchanges, url: str) -> None:
        if proxied:
            monkeypatch.setenv("HTTP_PROXY", url)
        for method in ("GET", "POST"):
            answer = await exchanges.exchange(HttpRequest(method, url, {}))
            assert (answer.status, answer.headers["location"]) == (302, "http://[/")

    talk(Server(reply), go, tmp_path)
    assert len(heads) == 2
    for head in heads:
        assert b"cookie" not in head
        assert b"authorization" not in head
        assert (b"get http://" in head or b"post http://" in head) is proxied


@pytest.mark.parametrize(
    "named", ["*", "127.0.0.1", "127.0.0.1:{port}", "[::1], 127.0.0.1", "0.0.1"]
)
def test_hosts_of_no_proxy_are_connected_to_directly(tmp_path, monkeypatch, named):
    server = Server()

    async def go(exchanges: Exchanges, url: str) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        monkeypatch.setenv("NO_PROXY", named.replace("{port}", url.split(":")[2].strip("/")))
        await exchanges.exchange(HttpRequest("POST", url, {}, b"{}"))

    talk(server, go, tmp_path)
    assert server.requests == ["POST"]


@pytest.mark.parametrize(
    "named",
    ["http://h:x", "a:b:c", "b\u00fccher.example", "[::1", "://", "%", "\udc80", "h:" + "9" * 5000],
)
def test_an_entry_of_no_proxy_that_makes_no_sense_names_no_host(tmp_path, monkeypatch, named):
    monkeypatch.setenv("NO_PROXY", f"{named},,  ")
    with pytest.raises(UnreachableError, match=r"the proxy 127.0.0.1:1: Connection refused"):
        through("http://127.0.0.1:1", tmp_path, monkeypatch)


@pytest.mark.parametrize(
    ("url", "entry", "is_direct"),
    [
        ("https://a.example/v1", "a.example", True),
        ("https://A.Example./v1", "a.example", True),
        ("https://b.a.example/v1", "a.example", True),
        ("https://b.a.example/v1", ".a.example.", True),
        ("https://b.a.example/v1", "*.a.example", True),
        ("https://ba.example/v1", "a.example", False),
        ("https://a.example.org/v1", "a.example", False),
        ("https://a.example/v1", "a.example:443", True),
        ("https://a.example:8443/v1", "a.example:443", False),
        ("https://a.example/v1", "http://a.example", False),
        ("https://a.example/v1", "https://a.example", True),
        ("https://b\u00fccher.example/v1", "b\u00fccher.example", True),
        ("https://b\u00fccher.example/v1", "xn--bcher-kva.example", True),
        ("https://10.1.2.3/v1", "10.0.0.0/8", True),
        ("https://11.1.2.3/v1", "10.0.0.0/8", False),
        ("https://[2001:db8::7]/v1", "2001:db8::/32", True),
        ("https://[2001:db8::7]/v1", "[2001:db8::7]", True),
        ("https://[2001:db8::7]:8443/v1", "[2001:db8::7]:8443", True),
        ("https://a.example/v1", "*", True),
        ("https://a.example/v1", "", False),
        ("http://localhost:8080/v1", "", True),
        ("http://LOCALHOST.:8080/v1", "", True),
        ("http://127.8.9.1/v1", "", True),
        ("http://[::1]/v1", "", True),
        ("http://[::ffff:127.0.0.1]/v1", "", True),
        ("https://localhost/v1", "", True),
        ("http://localhost.example/v1", "", False),
        ("http://128.0.0.1/v1", "", False),
    ],
)
def test_which_hosts_are_connected_to_without_a_proxy_on_another_machine(url, entry, is_direct):
    """What is sent to this machine stays there, whatever proxies are named."""
    reached = []

    class Direct(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            reached.append(str(request.url))
            return httpx.Response(204)

    async def go(proxy: str) -> None:
        router = ProxyRouter(Direct(), read_proxies({"all_proxy": proxy, "no_proxy": entry}))
        with suppress(ConfigError):
            await router.handle_async_request(httpx.Request("GET", url))
        await router.aclose()

    for proxy in ("unusable://proxy.example:3128", "unusable://10.0.0.1:3128", "unusable://"):
        asyncio.run(go(proxy))
    assert len(reached) == (3 if is_direct else 0)


@pytest.mark.parametrize("proxy", ["localhost:1", "http://127.0.0.1:1", "http://[::1]:1"])
def test_a_proxy_on_this_machine_may_see_what_is_sent_to_this_machine(tmp_path, monkeypatch, proxy):
    server = Server()

    async def go(exchanges: Exchanges, url: str) -> None:
        monkeypatch.setenv("HTTP_PROXY", proxy)
        with pytest.raises(UnreachableError):
            await exchanges.exchange(HttpRequest("POST", url, {}, b"{}"))

    talk(server, go, tmp_path)
    assert server.requests == []


def test_a_proxy_that_is_not_used_is_not_checked(tmp_path, monkeypatch):
    """curl would not mind: NO_PROXY names the host."""
    server = Server()

    async def go(exchanges: Exchanges, url: str) -> None:
        monkeypatch.setenv("ALL_PROXY", "socks4://proxy.example")
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        await exchanges.exchange(HttpRequest("POST", url, {}, b"{}"))
        with pytest.raises(ConfigError, match="invalid proxy in ALL_PROXY"):
            await exchanges.exchange(HttpRequest("POST", "http://images.invalid/", {}, b"{}"))

    talk(server, go, tmp_path)
    assert server.requests == ["POST"]


@pytest.mark.parametrize("proxied", [False, True], ids=["direct", "proxied"])
def test_a_header_that_cannot_be_sent_is_said_and_nobody_is_asked(tmp_path, monkeypatch, proxied):
    server = Server()

    async def go(exchanges: Exchanges, url: str) -> None:
        if proxied:
            monkeypatch.setenv("HTTP_PROXY", url)
        for text in ("kéy", "a\nb"):
            with pytest.raises(UnreachableError) as caught:
                await exchanges.exchange(HttpRequest("POST", url, {"X-Key": text}, b"{}"))
            assert caught.value.hopeless
            assert text not in caught.value.message

    talk(server, go, tmp_path)
    assert server.requests == []


@pytest.fixture
def tls(tmp_path, monkeypatch) -> ssl.SSLContext:
    """A server's certificate, believed by whoever reads SSL_CERT_FILE."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authority.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize("size", [1_000_000, 3_000_000])
def test_an_answer_over_tls_arrives_whole_even_if_the_server_hangs_up_behind_it(
    tmp_path, tls, size
):
    """What TLS has deciphered and nobody has read yet is paid for, and must not be lost."""
    text = b'"' + b" " * size + b'"'
    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(text)

    async def once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(head + text)
        await writer.drain()
        writer.close()

    replies = talk(once, asks(*["POST"] * 20), tmp_path, tls)
    assert [len(reply.data) for reply in replies] == [len(text)] * 20


def test_over_tls_gets_share_a_connection_and_upper_case_is_no_way_around_it(tmp_path, tls):
    """`HTTPS://` is https: nothing may go out in plain text, least of all a key."""
    server = Server()

    async def go(exchanges: Exchanges, url: str) -> list[bytes]:
        return [
            (await exchanges.exchange(HttpRequest("GET", one, {}))).data
            for one in (url, url.replace("https", "HTTPS"))
        ]

    assert talk(server, go, tmp_path, tls) == [b"{}", b"{}"]
    assert server.connections == 1


def test_a_certificate_of_another_name_is_refused_before_anything_is_sent(tmp_path, tls):
    server = Server()

    async def go(exchanges: Exchanges, url: str) -> None:
        with pytest.raises(UnreachableError, match="ertificate"):
            await exchanges.exchange(
                HttpRequest("POST", url.replace("127.0.0.1", "localhost"), {}, b"{}")
            )

    talk(server, go, tmp_path, tls)
    assert server.requests == []


@pytest.mark.parametrize(
    "url",
    [
        "ftp://h/x",
        "ftp://127.0.0.1:{port}/",
        "http:///x",
        "http://h:99999/",
        "http://h:0/",
        "http://u:p@h/",
        "http://[::1/",
        "http://a..b/",
        f"http://{'x' * 70}/",
        "gopher://h",
        "x",
    ],
)
def test_what_is_no_address_is_said_and_nobody_is_asked(tmp_path, url):
    server = Server()

    async def go(exchanges: Exchanges, there: str) -> None:
        with pytest.raises(UnreachableError, match="invalid URL") as caught:
            await exchanges.exchange(
                HttpRequest(
                    "POST", url.replace("{port}", there.split(":")[2].strip("/")), {}, b"{}"
                )
            )
        assert caught.value.hopeless

    talk(server, go, tmp_path)
    assert server.connections == 0


def test_a_body_without_a_length_that_breaks_off_is_not_whole(tmp_path):
    """A reset is no end."""

    async def breaks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n[1")
        await writer.drain()
        await asyncio.sleep(0.05)
        writer.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
        )
        writer.transport.abort()

    with pytest.raises(NetworkError, match="broke before the answer was complete"):
        talk(breaks, asks("POST"), tmp_path)


def test_however_many_answers_come_at_once_one_read_of_them_is_in_memory(tmp_path):
    """Not a chunk of each: 32 answers of 4 MB cost little more than one."""
    text = b'{"b64_json": "%s"}' % (b"QUJD" * 1_000_000)
    reply = memoryview(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text))
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    ready = threading.Barrier(32)

    def serve(connection: socket.socket) -> None:
        with connection:
            connection.recv(1 << 16)
            ready.wait(10)
            connection.sendall(reply)

    def accept() -> None:
        for _ in range(32):
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    async def go() -> int:
        exchanges = Exchanges(Spool(tmp_path), Network(5.0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        await warm(exchanges)
        tracemalloc.start()
        try:
            await asyncio.gather(
                *(exchanges.exchange(HttpRequest("POST", url, {}, b"{}")) for _ in range(32))
            )
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            await exchanges.close()

    with closing(listener):
        threading.Thread(target=accept, daemon=True).start()
        assert (
            asyncio.run(go()) < 32 * (1 << 16) + 8 * connection.READ_BYTES
        )  # the head of each, and what is worked on
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) == 32 * 3_000_000


def test_a_server_that_refuses_before_it_is_asked_is_understood(tmp_path):
    async def full(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        with closing(writer):
            await asyncio.sleep(0.1)

    assert [reply.status for reply in talk(full, asks("POST", "GET"), tmp_path)] == [503, 503]


def test_a_server_that_hangs_up_before_it_is_asked_was_sent_nothing_or_is_broken(tmp_path):
    async def gone(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.transport.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0"
        )
        writer.transport.abort()

    with pytest.raises(NetworkError):
        talk(gone, asks("POST"), tmp_path)


TARGETS = {
    "/a b": "/a%20b",
    "/a%20b%2Fc": "/a%20b%2Fc",
    "/ü?q=ä b&x=[1]": "/%C3%BC?q=%C3%A4%20b&x=[1]",
    "?x=1/2?3#part": "/?x=1/2?3",
    "/sig?se=2026-11-28T00%3A00Z&sig=a%2Bb=": "/sig?se=2026-11-28T00%3A00Z&sig=a%2Bb=",
}


@pytest.mark.parametrize("typed", TARGETS)
def test_an_address_is_sent_as_servers_read_it(tmp_path, typed):
    heads: list[bytes] = []

    def reply(head: bytes) -> bytes:
        heads.append(head)
        return OK

    async def go(exchanges: Exchanges, url: str) -> None:
        await exchanges.exchange(HttpRequest("GET", url.rstrip("/") + typed, {"X-A": "b"}))

    talk(Server(reply), go, tmp_path)
    first, *headers = heads[0].decode().strip().split("\r\n")
    assert first == f"GET {TARGETS[typed]} HTTP/1.1"
    named = dict(line.split(": ") for line in headers)
    assert named.pop("Host").startswith("127.0.0.1:")
    known = {
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Connection": "keep-alive",
        "User-Agent": "flux-image-cli",
    }
    assert named == {**known, "X-A": "b"}


@pytest.mark.parametrize(
    ("url", "host", "port", "name"),
    [
        ("http://h/x", "h", 80, "h"),
        ("http://h:80/x", "h", 80, "h"),
        ("http://h:443/x", "h", 443, "h:443"),
        ("http://[::1]:80/", "::1", 80, "[::1]"),
        ("http://[fe80::1]:8080/", "fe80::1", 8080, "[fe80::1]:8080"),
        ("http://BÜCHER.example/", "xn--bcher-kva.example", 80, "xn--bcher-kva.example"),
    ],
)
def test_hosts_are_named_as_the_protocol_wants_them(tmp_path, monkeypatch, url, host, port, name):
    heads, asked = [], []

    def reply(head: bytes) -> bytes:
        heads.append(head)
        return OK

    async def go(exchanges: Exchanges, there: str) -> None:
        loop = asyncio.get_running_loop()
        connect = loop.create_connection

        async def connect_here(protocol: type, host: str, port: int, **_more: object) -> object:
            asked.append((host, port))
            return await connect(protocol, "127.0.0.1", int(there.split(":")[2].strip("/")))

        monkeypatch.setattr(loop, "create_connection", connect_here)
        await exchanges.exchange(HttpRequest("GET", url, {}))

    talk(Server(reply), go, tmp_path)
    assert asked == [(host, port)]
    assert f"\r\nHost: {name}\r\n".encode() in heads[0]


def test_bodies_have_a_length_and_posts_even_where_there_is_none(tmp_path):
    lengths = []

    def reply(head: bytes) -> bytes:
        lengths.append(re.findall(rb"(?i)content-length: (\d+)", head))
        return OK

    async def go(exchanges: Exchanges, url: str) -> None:
        for method, body in (
            ("POST", b"{}"),
            ("POST", None),
            ("PUT", None),
            ("GET", None),
            ("DELETE", None),
        ):
            await exchanges.exchange(HttpRequest(method, url, {}, body))

    talk(Server(reply), go, tmp_path)
    assert lengths == [[b"2"], [b"0"], [b"0"], [], []]


def test_a_host_that_does_not_answer_is_given_up(tmp_path, monkeypatch):
    async def go(_exchanges: Exchanges, url: str) -> None:
        exchanges = Exchanges(Spool(tmp_path), Network(0.1))

        async def never(*_: object, **__: object) -> None:
            await asyncio.sleep(60)

        monkeypatch.setattr(asyncio.get_running_loop(), "create_connection", never)
        with pytest.raises(UnreachableError):
            await exchanges.exchange(HttpRequest("POST", url, {}, b"{}"))

    talk(Server(), go, tmp_path)
