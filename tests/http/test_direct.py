"""Connections of our own: who shares one with whom, what servers may do on them, and that httpx's way is as good."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path

import pytest

from flux_cli.core.errors import NetworkError
from flux_cli.core.request import Reply
from flux_cli.http.spool import Spool
from flux_cli.http.wire import Ask, Wire

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """Counts connections, and gives each request of one to a function that answers it; None hangs up."""

    def __init__(self, reply: Callable[[bytes], bytes | None] = lambda _head: OK) -> None:
        self.reply, self.connections, self.requests, self.ended = reply, 0, [], asyncio.Event()

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.requests.append(head.split(b" ")[0].decode())
                if b"ontent-" in head:
                    length = next(
                        int(line[15:]) for line in head.lower().split(b"\r\n") if line[:15] == b"content-length:"
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
            self.ended.set()
            writer.close()


def talk(server: Server, talk: Callable[[Wire, str], Awaitable[object]], folder: Path) -> object:
    """Have a conversation with a server on a free port."""

    async def go() -> object:
        listening = await asyncio.start_server(server, "127.0.0.1", 0)
        wire = Wire(Spool(folder), 5.0)
        try:
            return await talk(wire, f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/")
        finally:
            await wire.close()
            listening.close()

    return asyncio.run(go())


def asks(*methods: str, pause: float = 0.0):
    async def go(wire: Wire, url: str) -> list[Reply]:
        replies = []
        for method in methods:
            replies.append(await wire.exchange(Ask(method, url, {}, b"{}" if method == "POST" else None)))
            await asyncio.sleep(pause)
        return replies

    return go


@pytest.mark.parametrize(
    ("methods", "connections"),
    [(("GET", "GET", "GET"), 1), (("POST", "POST"), 2), (("GET", "POST", "GET"), 2), (("GET", "DELETE"), 2)],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_only_gets_share_a_connection(tmp_path, methods, connections):
    server = Server()
    assert [reply.data for reply in talk(server, asks(*methods), tmp_path)] == [b"{}"] * len(methods)
    assert (server.requests, server.connections) == (list(methods), connections)


UNFIT = {
    "the server says so": b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
    "the server is old": b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    "it speaks unasked": OK + OK,
}


@pytest.mark.parametrize("answer", UNFIT.values(), ids=UNFIT)
def test_a_connection_that_is_no_good_any_more_is_not_used_again(tmp_path, answer):
    server = Server(lambda _head: answer)
    replies = talk(server, asks("GET", "GET", pause=0.05), tmp_path)
    assert [reply.data for reply in replies] == [b"{}", b"{}"]
    assert server.connections == 2


def test_a_connection_the_server_has_closed_meanwhile_is_not_used_again(tmp_path):
    answers = iter([OK, None, OK])
    server = Server(lambda _head: next(answers))

    async def go(wire: Wire, url: str) -> int:
        await wire.exchange(Ask("GET", url, {}))
        with pytest.raises(NetworkError, match="Server disconnected"):
            await wire.exchange(Ask("GET", url, {}))
        return (await wire.exchange(Ask("GET", url, {}))).status

    assert talk(server, go, tmp_path) == 200
    assert server.connections == 2


def test_what_a_server_says_before_its_answer_is_passed_over(tmp_path):
    early = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    (reply,) = talk(Server(lambda _head: early + OK), asks("POST"), tmp_path)
    assert (reply.status, reply.data) == (200, b"{}")


NO_HTTP = {
    "it switches": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n",
    "ssh": b"SSH-2.0-OpenSSH_9.2\r\n",
    "tls": b"\x15\x03\x03\x00\x02\x02\x46" * 9,
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


@pytest.mark.parametrize("size", [0, 1, 1 << 17, (1 << 17) + 1, 3_000_000])
def test_answers_of_any_size_arrive_whole_in_either_framing(tmp_path, size):
    text = b'"' + b"x" * 100 + b" " * size + b'"'
    framed = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(text), text)
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(text), text)
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

    async def go(wire: Wire, url: str) -> int:
        return (await wire.exchange(Ask("POST", url, {}, bytes(8_000_000)))).status

    assert talk(refuse, go, tmp_path) == 413


def test_who_gives_up_hangs_up(tmp_path):
    """A server that works on sees at once that nobody waits any more."""
    server = Server(lambda _head: b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}")

    async def go(wire: Wire, url: str) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wire.exchange(Ask("POST", url, {}, b"{}")), 0.2)
        await asyncio.wait_for(server.ended.wait(), 5)

    talk(server, go, tmp_path)


def test_silence_has_a_limit_where_one_is_given(tmp_path):
    async def hush(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{")
        with closing(writer):
            await asyncio.sleep(2)

    async def go(wire: Wire, url: str) -> None:
        with pytest.raises(NetworkError, match="broke before the answer was complete"):
            await wire.exchange(Ask("GET", url, {}, silence=0.1))

    talk(hush, go, tmp_path)


def test_where_a_proxy_is_named_it_is_asked(tmp_path, monkeypatch):
    """Proxies are httpx's business, and no POST shares its connection there either."""
    server = Server()

    async def go(wire: Wire, url: str) -> None:
        monkeypatch.setenv("HTTP_PROXY", url)
        for _ in range(2):
            assert (await wire.exchange(Ask("POST", "http://pictures.invalid/v1", {}, b"{}"))).data == b"{}"

    talk(server, go, tmp_path)
    assert (server.requests, server.connections) == (["POST", "POST"], 2)
