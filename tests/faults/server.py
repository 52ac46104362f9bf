"""A server of raw bytes that breaks HTTP in every way a row asks for, and a proxy that plays the public internet.

An answer is a tuple of steps. A step is bytes to send, or a function of the talk that does something (waits, resets,
signals) or returns bytes to send:

    Server(posts=[(reply({"data": []}),), (b"HTTP/1.1 200 OK\r\n", reset)])

Every connection serves one request and is closed after its answer, as the answer says.
"""

import contextlib
import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, Self, TypeAlias

PATIENCE = 60.0  # seconds after which a held connection is let go, whatever the client does
CHUNK = 1 << 16


class Asked(NamedTuple):
    """One request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class Talk(NamedTuple):
    """One connection, what was asked on it, and whom."""

    socket: socket.socket
    asked: Asked
    server: "Server"


Step: TypeAlias = bytes | Callable[[Talk], bytes | None]
Answer: TypeAlias = tuple[Step, ...]
NOTHING = Asked("", "", {}, b"")


# --- steps ----------------------------------------------------------------------------------------------------------


def reset(talk: Talk) -> None:
    """Closes with RST: what was sent may be lost, and the client knows that something broke."""
    talk.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    talk.socket.close()


def hold(talk: Talk) -> None:
    """Says nothing more, and does not hang up either."""
    talk.server.over.wait(PATIENCE)


def hello(talk: Talk) -> None:
    """Takes a TLS handshake's first message. Whoever sent it has paid for nothing yet."""
    talk.server.greeted -= 1
    talk.socket.recv(CHUNK)


def pause(seconds: float) -> Step:
    """A breath between two parts of an answer."""

    def step(talk: Talk) -> None:
        talk.server.over.wait(seconds)

    return step


def forever(part: bytes, seconds: float = 0) -> Step:
    """The same bytes again and again until the client has had enough."""
    block = part if seconds else part * max(1, CHUNK // len(part))

    def step(talk: Talk) -> None:
        while not talk.server.over.wait(seconds):
            talk.socket.sendall(block)

    return step


def repeated(part: bytes, times: int) -> Step:
    """The same bytes so many times, without ever holding them all."""

    def step(talk: Talk) -> None:
        for _ in range(times):
            talk.socket.sendall(part)

    return step


def meanwhile(act: Callable[[Path], None]) -> Step:
    """Something happens to the folder of the run."""

    def step(talk: Talk) -> None:
        act(talk.server.work)

    return step


def interrupt(*numbers: signal.Signals, apart: float = 0) -> Step:
    """The person, or the system, loses patience with the run."""

    def step(talk: Talk) -> None:
        for number in numbers:
            if process := talk.server.process:
                process.send_signal(number)
                talk.server.over.wait(apart)

    return step


def message(body: bytes, status: int | str = 200, **headers: str) -> bytes:
    """One whole HTTP answer. `content_length="3"` and the like replace what would be true."""
    named = {
        "content-type": "application/json",
        "content-length": str(len(body)),
        "connection": "close",
    }
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = "".join(f"{name.title()}: {value}\r\n" for name, value in named.items() if value)
    return (
        f"HTTP/1.1 {status} {'' if isinstance(status, str) else 'Any'}\r\n{lines}\r\n".encode(
            "latin-1"
        )
        + body
    )


def reply(body: Any, status: int | str = 200, **headers: str) -> Step:
    """A whole answer. Objects are sent as JSON; `{origin}` and `{other}` in them and in headers become addresses."""

    def step(talk: Talk) -> bytes:
        data = (
            body
            if isinstance(body, bytes)
            else (body if isinstance(body, str) else json.dumps(body)).encode()
        )
        named = {
            name: talk.server.filled(value.encode("latin-1")).decode("latin-1")
            for name, value in headers.items()
        }
        return message(talk.server.filled(data), status, **named)

    return step


def cut(step: Step, keep: float) -> Step:
    """The first bytes of an answer: a share of its body below 1, else a number; a negative one counts from its end."""

    def part(talk: Talk) -> bytes:
        whole = step(talk) if callable(step) else step
        assert whole is not None
        head = whole.index(b"\r\n\r\n") + 4
        if 0 <= keep < 1:
            return whole[: head + int(keep * (len(whole) - head))]
        return whole[: int(keep)]

    return part


# --- the server -----------------------------------------------------------------------------------------------------


class Server:
    """Answers POSTs from one script and GETs by target, for as long as the `with` block lasts."""

    def __init__(
        self,
        posts: Iterable[Answer] = (),
        gets: Mapping[str, tuple[Answer, ...]] | None = None,
        *,
        greet: Answer = (),
        tls: ssl.SSLContext | None = None,
        other: "Server | None" = None,
        work: Path = Path(),
    ) -> None:
        self.requests: list[Asked] = []
        self.greeted = 0
        self.process: subprocess.Popen[bytes] | None = None
        self.over = threading.Event()
        self.work = work
        self._posts, self._gets = (
            list(posts),
            {target: list(answers) for target, answers in (gets or {}).items()},
        )
        self._greet, self._tls, self._other = greet, tls, other
        self._lock = threading.Lock()
        self._door = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._door.getsockname()[1]
        self.origin = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._open, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)  # wakes accept()
        self._door.close()

    @property
    def paid(self) -> int:
        """How many POSTs a provider would have charged for, or connections that broke before that could be told."""
        return self.greeted + sum(
            asked.method == "POST" and "dryRun" not in asked.target for asked in self.requests
        )

    def filled(self, data: bytes) -> bytes:
        other = self._other.origin if self._other else ""
        return data.replace(b"{origin}", self.origin.encode()).replace(b"{other}", other.encode())

    def answer(self, asked: Asked) -> Answer:
        """What the script says next; its last answer repeats."""
        script = self._posts if asked.method in ("POST", "PUT") else self._gets.get(asked.target)
        return (script.pop(0) if len(script) > 1 else script[0]) if script else (reply({}, 404),)

    def _open(self) -> None:
        while not self.over.is_set():
            try:
                connection, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        """One connection: what goes wrong on it is what the client wanted or what the row is about."""
        with contextlib.suppress(OSError, ValueError), connection:
            if self._greet:
                self.greeted += 1
                self._play(Talk(connection, NOTHING, self), self._greet)
                return
            talking = (
                self._tls.wrap_socket(connection, server_side=True) if self._tls else connection
            )
            with talking:
                asked = read_request(talking)
                with self._lock:
                    self.requests.append(asked)
                    answer = self.answer(asked)
                self._play(Talk(talking, asked, self), answer)
                talking.shutdown(socket.SHUT_WR)
                talking.settimeout(PATIENCE)
                while talking.recv(
                    CHUNK
                ):  # closing with unread bytes would reset what was just sent
                    pass

    @staticmethod
    def _play(talk: Talk, answer: Answer) -> None:
        for step in answer:
            data = step(talk) if callable(step) else step
            if data:
                talk.socket.sendall(data)


def read_request(connection: socket.socket) -> Asked:
    """One request with a body of a known length. Raises ValueError for what is none."""
    data = b""
    while b"\r\n\r\n" not in data:
        part = connection.recv(CHUNK)
        if not part:
            raise ValueError("no request")
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    if target.startswith("http://"):  # it is asked as a proxy for itself
        target = "/" + target.split("/", 3)[3]
    headers = {
        name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    length = int(headers.get("content-length", 0))
    while len(body) < length:
        part = connection.recv(CHUNK)
        if not part:
            raise ValueError("half a request")
        body += part
    return Asked(method, target, headers, body)


class Proxy:
    """A CONNECT proxy that leads every host to one server, and writes down which hosts it was asked for."""

    def __init__(self, server: Server, refusal: bytes = b"") -> None:
        self.hosts: list[str] = []
        self.headers: list[dict[str, str]] = []
        self._server, self._refusal = server, refusal
        self._door = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._door.getsockname()[1]
        self.origin = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._open, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(OSError):
            self._door.shutdown(socket.SHUT_RDWR)
        self._door.close()

    def _open(self) -> None:
        while True:
            try:
                connection, _ = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            asked = read_request(connection)
            self.hosts.append(asked.target)
            self.headers.append(asked.headers)
            if self._refusal or asked.method != "CONNECT":
                connection.sendall(self._refusal or message(b"", 405))
                return
            with socket.create_connection(("127.0.0.1", self._server.port)) as onward:
                connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
                back = threading.Thread(target=_carry, args=(onward, connection), daemon=True)
                back.start()
                _carry(connection, onward)
                back.join(PATIENCE)


def _carry(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while part := source.recv(CHUNK):
            target.sendall(part)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def closed_port() -> int:
    """A port that was free a moment ago, and on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])


def devour(path: Path) -> None:
    """Remove a folder and all in it, as somebody tidying up meanwhile would."""
    for place, folders, files in os.walk(path, topdown=False):
        for name in files:
            Path(place, name).unlink()
        for name in folders:
            Path(place, name).rmdir()
    path.rmdir()
