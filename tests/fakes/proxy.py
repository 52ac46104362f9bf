"""A fake proxy that plays the public internet: every host leads to one server."""

import contextlib
import socket
import threading
from typing import Self

from fakes.messages import CHUNK, Reader, message
from fakes.server import BACKLOG, PATIENCE, Server, accept_all, close_after_sending, close_listener


class Listener:
    """A server on loopback that serves each connection in a thread of its own."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Self:
        threading.Thread(target=accept_all, args=(self._listener, self._serve), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        close_listener(self._listener)

    def _serve(self, connection: socket.socket) -> None:
        raise NotImplementedError


class Proxy(Listener):
    """A CONNECT proxy that leads every host to one server, and lists which hosts it was asked for.

    `refusal` are the bytes it answers instead of opening a tunnel.
    """

    def __init__(self, server: Server, refusal: bytes = b"") -> None:
        self.hosts: list[str] = []
        self.headers: list[dict[str, str]] = []
        self._server, self._refusal = server, refusal
        super().__init__()
        self.origin = f"http://127.0.0.1:{self.port}"

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            request = Reader(connection).request()
            if request is None:
                return
            self.hosts.append(request.target)
            self.headers.append(request.headers)
            if self._refusal or request.method != "CONNECT":
                connection.sendall(self._refusal or message(b"", 405))
                return
            with socket.create_connection(("127.0.0.1", self._server.port)) as server:
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=_copy, args=(server, connection), daemon=True)
                back.start()
                _copy(connection, server)
                back.join(PATIENCE)


class SocksProxy(Listener):
    """A SOCKS 5 proxy that leads every host to one server.

    It lists which hosts it was asked for, and as whom.
    """

    def __init__(self, server: Server) -> None:
        self.hosts: list[str] = []
        self.users: list[tuple[str, str]] = []
        self._server = server
        super().__init__()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            stream = connection.makefile("rb")
            methods = stream.read(2)[1]
            with_password = 2 in stream.read(methods)
            connection.sendall(b"\x05\x02" if with_password else b"\x05\x00")
            if with_password:
                stream.read(1)
                user, password = (stream.read(stream.read(1)[0]).decode() for _ in range(2))
                self.users.append((user, password))
                connection.sendall(b"\x01\x00")
            *_, kind = stream.read(4)
            length = stream.read(1)[0] if kind == 3 else 4
            self.hosts.append(stream.read(length).decode("latin-1"))
            stream.read(2)
            with socket.create_connection(("127.0.0.1", self._server.port)) as server:
                connection.sendall(b"\x05\x00\x00\x01\x7f\x00\x00\x01\x00\x50")
                back = threading.Thread(target=_copy, args=(server, connection), daemon=True)
                back.start()
                _copy(connection, server)
                back.join(PATIENCE)


class FixedAnswer(Listener):
    """A server that answers whatever it is sent with the same bytes, and knows no protocol.

    It hangs up after its answer, or `lingers` until the client does.
    """

    def __init__(self, answer: bytes, *, lingers: bool = False) -> None:
        self._answer, self._lingers = answer, lingers
        super().__init__()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            connection.recv(CHUNK)
            connection.sendall(self._answer)
            if self._lingers:
                close_after_sending(connection)
                return
            connection.shutdown(socket.SHUT_WR)
            connection.recv(CHUNK)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(CHUNK):
            target.sendall(part)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def closed_port() -> int:
    """A port that was free a moment ago, and on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
