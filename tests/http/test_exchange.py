"""One exchange: packed, cut or endless answers end in an error message, not in full memory."""

import asyncio
import base64
import gzip
import json
import socket
import threading
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from fakes.images import pixels_as

from flux_cli.core.errors import FluxError, ImageError, NetworkError, ProviderError
from flux_cli.core.outcome import Reply
from flux_cli.http.errors import UnreachableError
from flux_cli.http.exchange import MAX_BYTES, MAX_TEXT_BYTES, Exchanges, HttpRequest
from flux_cli.http.replies import MARK
from flux_cli.http.spool import Spool
from flux_cli.http.wire.network import Network

Serve = Callable[..., str]


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server that reads a request, writes these parts and hangs up. Returns its address."""
    listener = socket.create_server(("127.0.0.1", 0))

    def start(*parts: bytes) -> str:
        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1 << 16)
                try:
                    for part in parts:
                        connection.sendall(part)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(1 << 16):
                        pass
                except OSError:
                    return  # the client has had enough

        threading.Thread(target=answer, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield start
    listener.close()


def head(length: int | None = None, **headers: str) -> bytes:
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    more |= {} if length is None else {"content-length": str(length)}
    lines = "".join(f"{name}: {value}\r\n" for name, value in more.items())
    return f"HTTP/1.1 200 OK\r\n{lines}\r\n".encode()


def packed(body: bytes, how: str) -> tuple[bytes, bytes]:
    return head(len(body), content_encoding=how), body


def ask(
    url: str,
    folder: Path,
    *,
    into: bool = False,
    heard: Callable[[Reply], None] | None = None,
    method: str = "GET",
) -> Reply:
    async def go() -> Reply:
        exchanges = Exchanges(Spool(folder), Network(5.0))
        try:
            return await exchanges.exchange(
                HttpRequest(
                    method, url, {}, into=str(folder / "image") if into else None, on_answer=heard
                )
            )
        finally:
            await exchanges.close()

    return asyncio.run(go())


DOCUMENT = json.dumps(
    {"data": [{"b64_json": base64.b64encode(bytes(100_000)).decode()}], "more": "é"}
).encode()
PACKINGS = {
    "plain": ("identity", DOCUMENT),
    "gzip": ("gzip", gzip.compress(DOCUMENT)),
    "gzip under its old name": ("X-GZIP", gzip.compress(DOCUMENT)),
    "gzip in two members": (
        "gzip",
        gzip.compress(DOCUMENT[:9000]) + gzip.compress(DOCUMENT[9000:]),
    ),
    "deflate": ("deflate", zlib.compress(DOCUMENT)),
    "deflate as some servers mean it": ("deflate", zlib.compress(DOCUMENT, wbits=-15)),
}


@pytest.mark.parametrize(("how", "body"), PACKINGS.values(), ids=PACKINGS)
def test_an_answer_is_read_however_it_is_packed(serve, tmp_path, how, body):
    """Nobody asked for it, and the image in it is paid for."""
    reply = ask(serve(*packed(body, how)), tmp_path)
    read = json.loads(reply.data)
    name = read["data"][0]["b64_json"].removeprefix(MARK)
    assert ((tmp_path / name).read_bytes(), read["more"]) == (bytes(100_000), "é")


@pytest.mark.parametrize("how", ["gzip", "x-gzip"])
def test_what_is_not_packed_is_read_although_it_says_so(serve, tmp_path, how):
    reply = ask(serve(*packed(DOCUMENT, how)), tmp_path)
    assert json.loads(reply.data)["more"] == "é"


@pytest.mark.parametrize("parts", [1, 7, 1000])
def test_a_packed_answer_may_come_in_any_parts(serve, tmp_path, parts):
    body = gzip.compress(DOCUMENT)
    start, _ = packed(body, "gzip")
    reply = ask(
        serve(start, *(body[at : at + parts] for at in range(0, len(body), parts))), tmp_path
    )
    assert json.loads(reply.data)["more"] == "é"


def test_nothing_is_nothing_however_it_is_packed(serve, tmp_path):
    """Errors often have no body, and proxies name a packing all the same."""
    assert ask(serve(*packed(b"", "gzip")), tmp_path).data == b""


UNREADABLE = {
    "brotli": ("br", b"\x0b\x02\x80hello\x03", "unsupported content encoding: 'br'"),
    "packed twice": (
        "gzip, gzip",
        gzip.compress(gzip.compress(DOCUMENT)),
        "encoding: 'gzip, gzip'",
    ),
    "no gzip at all": ("gzip", b"hello", "cannot be decompressed"),
    "gzip with a wrong sum": (
        "gzip",
        gzip.compress(DOCUMENT)[:-8] + bytes(8),
        "cannot be decompressed",
    ),
    "gzip cut short": ("gzip", gzip.compress(DOCUMENT)[:-20], "cut short"),
}


@pytest.mark.parametrize(("how", "body", "words"), UNREADABLE.values(), ids=UNREADABLE)
def test_what_cannot_be_unpacked_is_said_and_leaves_no_file(serve, tmp_path, how, body, words):
    start = head(len(body), content_encoding="?").replace(b"?", how.encode("latin-1"))
    with pytest.raises(FluxError, match=words):
        ask(serve(start, body), tmp_path)
    assert list(tmp_path.iterdir()) == []


@cache
def bomb(count: int) -> bytes:
    """Gzip of so many MB of zeros."""
    pack = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(pack.compress(bytes(1 << 20)) for _ in range(count)) + pack.flush()


@pytest.mark.parametrize("into", [False, True])
@pytest.mark.parametrize("kind", ["words", "text"])
def test_a_gzip_bomb_costs_neither_memory_nor_disk(serve, tmp_path, into, kind):
    body = bomb((MAX_BYTES >> 20) + 40)
    body = gzip.compress(b'{"b64_json": "') + body if kind == "text" else body
    url = serve(*packed(body, "gzip"))
    tracemalloc.start()
    try:
        with pytest.raises((ProviderError, ImageError), match="larger than"):
            ask(url, tmp_path, into=into)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2 * MAX_TEXT_BYTES + (4 << 20)
    assert list(tmp_path.iterdir()) == []


def test_a_body_that_never_ends_is_given_up_at_the_limit(serve, tmp_path):
    with pytest.raises(ImageError, match="larger than 8 MiB"):
        ask(serve(head(), b"[", *([b"1," * (1 << 16)] * 200)), tmp_path)


@pytest.mark.parametrize("into", [False, True])
def test_an_answer_that_breaks_off_is_no_answer_and_leaves_no_file(serve, tmp_path, into):
    heard: list[Reply] = []
    with pytest.raises(NetworkError, match="broke before the answer was complete") as caught:
        ask(serve(head(len(DOCUMENT)), DOCUMENT[:-1]), tmp_path, into=into, heard=heard.append)
    assert not isinstance(caught.value, UnreachableError)
    assert (heard, list(tmp_path.iterdir())) == ([], [])


def test_an_answer_is_heard_the_moment_it_is_whole(serve, tmp_path):
    """A caller that is canceled right then does not lose it."""
    heard: list[Reply] = []

    async def go() -> None:
        exchanges = Exchanges(Spool(tmp_path), Network(5.0))

        def listen(reply: Reply) -> None:
            heard.append(reply)
            task.cancel()

        task = asyncio.current_task()
        try:
            await exchanges.exchange(
                HttpRequest("GET", serve(head(2), b"{}"), {}, on_answer=listen)
            )
            await asyncio.sleep(0)
        finally:
            await exchanges.close()

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(go())
    assert [reply.data for reply in heard] == [b"{}"]


def test_nobody_there_means_nothing_was_sent(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    with pytest.raises(UnreachableError, match="cannot reach"):
        ask(f"http://127.0.0.1:{port}/", tmp_path)


PNG = pixels_as("png", 30, 20)
WHOLE = {
    "an image": PNG,
    "a short image": pixels_as("gif", 1, 1),
    "base64": base64.b64encode(PNG),
    "a data URI": b"data:image/png;base64," + base64.b64encode(PNG),
    "a web page": b"<html>caf\xe9</html>",
    "a word": b"ok",
    "bytes": bytes(range(256)),
}


@pytest.mark.parametrize("size", [1, 7, 1 << 16])
@pytest.mark.parametrize("body", WHOLE.values(), ids=WHOLE)
def test_an_answer_that_is_no_json_becomes_one_file_as_it_is(serve, tmp_path, body, size):
    """It may be the image itself, whatever its content type says."""
    parts = [body[at : at + size] for at in range(0, min(len(body), 300), size)]
    rest = body[len(b"".join(parts)) :]
    heard: list[Reply] = []
    url = serve(head(len(body), content_type="application/json"), *parts, rest)
    reply = ask(url, tmp_path, method="POST", heard=heard.append)
    (file,) = tmp_path.iterdir()
    assert (json.loads(reply.data), file.read_bytes()) == (MARK + file.name, body)
    assert heard == [reply]


TEXTS = (
    b"{}", b"[]", b'"a"', b"null", b"true", b"-12", b"", b" \r\n\t{}", b"\xef\xbb\xbf{}",
    "{}".encode("utf-16"), "[1]".encode("utf-32"), b"data: {}\n\n", b"event: x\ndata: {}\n\n",
    b": hello\n\n", b" " * 5000 + b"{}",
)  # fmt: skip


@pytest.mark.parametrize("body", TEXTS)
def test_an_answer_that_may_be_json_or_events_stays_as_it_is(serve, tmp_path, body):
    assert ask(serve(head(len(body)), body), tmp_path, method="POST").data == body
    assert list(tmp_path.iterdir()) == []


def test_any_text_may_be_a_stream_if_it_says_so(serve, tmp_path):
    body = b"hello: 1\ndata: {}\n\n"
    url = serve(head(len(body), content_type="text/event-stream"), body)
    assert ask(url, tmp_path, method="POST").data == body


def test_only_an_image_is_kept_of_answers_to_polls_and_of_errors(serve, tmp_path):
    """A proxy may answer a poll with a page. No answer but a good one is paid for."""
    assert ask(serve(head(4), b"<p/>"), tmp_path).data == b"<p/>"
    failed = head(len(PNG)).replace(b"200 OK", b"500 No")
    assert ask(serve(failed, PNG), tmp_path, method="POST").data == PNG
    assert list(tmp_path.iterdir()) == []
    reply = ask(serve(head(len(PNG)), PNG), tmp_path)
    assert json.loads(reply.data).startswith(MARK)


def test_an_image_that_breaks_off_or_never_ends_leaves_no_file(serve, tmp_path):
    with pytest.raises(NetworkError):
        ask(serve(head(len(PNG)), PNG[:-1]), tmp_path, method="POST")
    with pytest.raises(ProviderError, match="larger than 128 MiB"):
        ask(serve(head(), PNG, *[bytes(1 << 20)] * 129), tmp_path, method="POST")
    assert list(tmp_path.iterdir()) == []


CUT = {
    "half an image": PNG[:-20],
    "half of JSON": DOCUMENT[: len(DOCUMENT) // 2],
    "half of gzip": gzip.compress(DOCUMENT)[:-20],
    "a few bytes": b"{",
}


@pytest.mark.parametrize("body", CUT.values(), ids=CUT)
def test_what_arrived_of_a_paid_answer_is_reported_if_its_connection_broke(serve, tmp_path, body):
    encoding = {"content_encoding": "gzip"} if body.startswith(b"\x1f") else {}
    heard: list[Reply] = []
    url = serve(head(len(body) + 1, **encoding), body)
    reply = ask(url, tmp_path, method="POST", heard=heard.append)
    assert heard == [reply]
    assert "broke before the answer was complete" in reply.broken
    files = [file.read_bytes() for file in tmp_path.iterdir()]
    assert all(file in body for file in files)
    assert bool(files) == (len(body) > 1)


@pytest.mark.parametrize(("method", "body"), [("GET", DOCUMENT), ("POST", b""), ("POST", b" \n")])
def test_an_answer_without_worth_is_dropped_if_its_connection_broke(serve, tmp_path, method, body):
    heard: list[Reply] = []
    with pytest.raises(NetworkError, match="broke before the answer was complete"):
        ask(serve(head(len(body) + 1), body), tmp_path, method=method, heard=heard.append)
    assert (heard, list(tmp_path.iterdir())) == ([], [])


def test_blanks_without_end_are_given_up_at_the_limit_of_texts(serve, tmp_path):
    with pytest.raises(ImageError, match="larger than 8 MiB"):
        ask(serve(head(), *[b" " * (1 << 20)] * 10), tmp_path, method="POST")


BROKEN = {
    "wrong sum": gzip.compress(DOCUMENT)[:-8] + bytes(8),
    "cut short": gzip.compress(DOCUMENT)[:-20],
    "garbage behind the head": b"\x1f\x8b" + bytes(range(200)),
    "an image, cut short": gzip.compress(PNG)[:-5],
}


@pytest.mark.parametrize("size", [7, 1 << 16])
@pytest.mark.parametrize("body", BROKEN.values(), ids=BROKEN)
def test_a_paid_answer_that_cannot_be_unpacked_is_kept_as_it_came(serve, tmp_path, body, size):
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    url = serve(head(len(body), content_encoding="gzip"), *parts)
    reply = ask(url, tmp_path, method="POST")
    (file,) = tmp_path.iterdir()
    assert (json.loads(reply.data), file.read_bytes()) == (MARK + file.name, body)


def test_of_a_packed_answer_only_its_content_stays(serve, tmp_path):
    reply = ask(serve(*packed(gzip.compress(DOCUMENT), "gzip")), tmp_path, method="POST")
    (file,) = tmp_path.iterdir()
    assert json.loads(reply.data)["data"] == [{"b64_json": MARK + file.name}]
    assert file.read_bytes() == bytes(100_000)
