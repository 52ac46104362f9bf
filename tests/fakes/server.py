"""A fake HTTP server on the loopback. It answers as scripted, and can break HTTP in any way.

    with Server({"POST": [status(429), image()], "GET /p": [reply(JPEG)]}) as server: ...

A script is a list of answers: one for each request, and the last one repeats. Scripts are found by
method and path (`GET /p?x=1`, else `GET /p`), else by method alone (`POST`).

An answer is one of

- a Reply: a whole HTTP response, after which the connection stays open,
- a tuple of steps, after which the connection is closed,
- a function from the Request to an answer. It may take its time.

A step is bytes that are sent as they are, a Reply, or a function of the Exchange that does
(waits, resets, signals) or returns what to send. fakes/steps.py has the common ones, and
fakes/messages.py has Reply and `reply()`.
"""

import contextlib
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeAlias

from fakes.messages import CHUNK, Reader, Reply, Request, message, reply

PATIENCE = 60.0  # seconds after which the server stops waiting for a client or for a test
BACKLOG = 512  # connections that wait to be accepted: hundreds may come at once


class Exchange(NamedTuple):
    """A request, the connection it came on, and the server it came to."""

    socket: socket.socket
    request: Request
    server: "Server"

    def encode(self, step: "Step") -> bytes:
        """What a step sends. A function is called, and has done its work when this returns."""
        made = step(self) if callable(step) else step
        return self.server.encode(made) if isinstance(made, Reply) else made or b""


Step: TypeAlias = bytes | Reply | Callable[[Exchange], bytes | Reply | None]
Answer: TypeAlias = Reply | tuple[Step, ...] | Callable[[Request], "Answer"]
Scripts: TypeAlias = Mapping[str, Sequence[Answer]]

hang_up: Answer = ()  # takes the request and closes the connection


class Server:
    """Answers as scripted, in threads, for as long as the `with` block lasts.

    `greet` are steps for every connection, in place of reading a request from it.
    """

    def __init__(
        self,
        scripts: Scripts | None = None,
        *,
        greet: tuple[Step, ...] = (),
        tls: ssl.SSLContext | None = None,
        other: "Server | None" = None,
        folder: Path = Path(),
    ) -> None:
        self.requests: list[Request] = []
        self.greeted = 0  # connections that broke before a request could be read
        self.connections = self.open_connections = self.most_connections = 0
        self.most_at_once = 0  # requests that waited for their answers at the same time
        self.over = threading.Event()  # the test is over
        self.folder = folder  # where the process under test works
        self.process: subprocess.Popen[bytes] | None = None  # the process under test
        self._greet, self._tls = greet, tls
        self._scripts = {place: list(script) for place, script in (scripts or {}).items()}
        self._under_way = 0
        self._lock = threading.RLock()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=BACKLOG)
        self.port: int = self._listener.getsockname()[1]
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        self._other = other.origin if other else ""

    def __enter__(self) -> Self:
        threading.Thread(target=accept_all, args=(self._listener, self._serve), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        close_listener(self._listener)

    # what tests script

    def on(self, place: str, *script: Answer) -> None:
        """Replace the script of a method and path (`GET /p`), or of all other paths (`POST`)."""
        with self._lock:
            self._scripts[place] = list(script)

    def answers(self, *script: Answer) -> None:
        """Answer POSTs, one answer for each in order of arrival; the last one repeats."""
        self.on("POST", *script)

    def serves(self, path: str, *script: Answer) -> str:
        """Answer GETs of a path, one answer for each; the last one repeats. Returns the URL."""
        self.on(f"GET {path}", *script)
        return self.origin + path

    def forgets(self, place: str) -> None:
        """Remove the script of a method and path."""
        with self._lock:
            del self._scripts[place]

    # what tests look at

    @property
    def paid(self) -> list[Request]:
        """The requests that a provider would charge for."""
        return [request for request in self.requests if request.is_paid]

    @property
    def posts(self) -> list[dict[str, Any]]:
        """The bodies of the requests that a provider would charge for."""
        return [request.json for request in self.paid]

    @property
    def charges(self) -> int:
        """How many requests a provider may charge for, counting those that broke unread."""
        return self.greeted + len(self.paid)

    @property
    def fetched(self) -> list[str]:
        """The paths of all GETs."""
        return [request.path for request in self.requests if request.method == "GET"]

    @property
    def log(self) -> list[str]:
        """Every request as `GET /path?query`, in order of arrival."""
        return [f"{request.method} {request.target}" for request in self.requests]

    # how requests are answered

    def script_for(self, request: Request) -> list[Answer] | None:
        """The script of the exact target, else of the path, else of the method."""
        method, path, target = request.method, request.path, request.target
        places = (f"{method} {target}", f"{method} {path}", method)
        return next((self._scripts[place] for place in places if place in self._scripts), None)

    def answer(self, request: Request) -> Answer:
        """The next answer to a request. Subclasses may choose another; it must not wait."""
        script = self.script_for(request)
        if not script:
            return reply({}, 404)
        return script.pop(0) if len(script) > 1 else script[0]

    def encode(self, reply: Reply, *, keep_open: bool = False) -> bytes:
        """The bytes of a reply on the wire, its addresses filled in."""
        headers = {
            name: self.fill(value.encode("latin-1")) for name, value in reply.headers.items()
        }
        texts = {name: value.decode("latin-1") for name, value in headers.items()}
        if keep_open:
            texts["connection"] = ""
        return message(self.fill(reply.body), reply.status, **texts)

    def fill(self, data: bytes) -> bytes:
        """Replace `{origin}` and `{other}` by the addresses of this server and of the other."""
        data = data.replace(b"{origin}", self.origin.encode())
        return data.replace(b"{other}", self._other.encode())

    def _serve(self, connection: socket.socket) -> None:
        """Serve one connection. What goes wrong on it is what the client or the test wanted."""
        with self._counted(), contextlib.suppress(OSError, ValueError), connection:
            if self._greet:
                self.greeted += 1
                play(Exchange(connection, Request("", "", {}, b""), self), self._greet)
                return
            with self._secure(connection) as secured:
                reader = Reader(secured)
                while request := reader.request():
                    if not self._respond(Exchange(secured, request, self)):
                        close_after_sending(secured)
                        return

    @contextlib.contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self.connections += 1
            self.open_connections += 1
            self.most_connections = max(self.most_connections, self.open_connections)
        try:
            yield
        finally:
            with self._lock:
                self.open_connections -= 1

    def _secure(self, connection: socket.socket) -> socket.socket:
        return self._tls.wrap_socket(connection, server_side=True) if self._tls else connection

    def _respond(self, exchange: Exchange) -> bool:
        """Send the answer to one request. Returns whether the connection stays open."""
        answer = self._settled(exchange.request)
        if not isinstance(answer, Reply):
            play(exchange, answer)
            return False
        keep_open = (
            answer.keeps_connection and exchange.request.headers.get("connection") != "close"
        )
        data = self.encode(answer, keep_open=keep_open)
        if exchange.request.method == "HEAD":
            data = data[: data.index(b"\r\n\r\n") + 4]
        exchange.socket.sendall(data)
        return keep_open

    def _settled(self, request: Request) -> Reply | tuple[Step, ...]:
        """The answer to a request, however long its functions take."""
        with self._lock:
            self.requests.append(request)
            self._under_way += 1
            self.most_at_once = max(self.most_at_once, self._under_way)
            answer = self.answer(request)
        try:
            settled = settle(answer, request)
        finally:
            with self._lock:
                self._under_way -= 1
        if isinstance(settled, Reply):
            for place, script in settled.scripts.items():
                self.on(place, *script)
        return settled


def settle(answer: Answer, request: Request) -> Reply | tuple[Step, ...]:
    """Call functions until they give an answer that can be sent."""
    while callable(answer):
        answer = answer(request)
    return answer


def play(exchange: Exchange, steps: tuple[Step, ...]) -> None:
    """Take the steps of an answer, one after the other."""
    for step in steps:
        if data := exchange.encode(step):
            exchange.socket.sendall(data)


def accept_all(listener: socket.socket, serve: Callable[[socket.socket], None]) -> None:
    """Serve every connection in a thread of its own until the listener is closed."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


def close_listener(listener: socket.socket) -> None:
    with contextlib.suppress(OSError):
        listener.shutdown(socket.SHUT_RDWR)  # wakes accept()
    listener.close()


def close_after_sending(connection: socket.socket) -> None:
    """End what is sent, then wait for the client: closing with unread bytes would reset it."""
    connection.shutdown(socket.SHUT_WR)
    connection.settimeout(PATIENCE)
    while connection.recv(CHUNK):
        pass
