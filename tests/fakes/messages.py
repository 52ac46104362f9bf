"""HTTP messages of the fake servers: requests as they arrived, and responses to send."""

import email
import email.policy
import json
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

CHUNK = 1 << 16  # bytes to receive at once


class Request(NamedTuple):
    """One request as it arrived; header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> str:
        return urlsplit(self.target).query

    @property
    def json(self) -> dict[str, Any]:
        """The fields of the body; none if it is empty. Of a form, those that are no files."""
        if self.is_form:
            return {part.name: part.value for part in self.form if part.file_name is None}
        return json.loads(self.body) if self.body else {}  # type: ignore[no-any-return]

    @property
    def is_form(self) -> bool:
        return self.headers.get("content-type", "").startswith("multipart/form-data")

    @property
    def form(self) -> list["FormPart"]:
        """The fields of a form, in their order, read by Python's own parser for messages."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        message = email.message_from_bytes(head + self.body, policy=email.policy.HTTP)
        assert message.is_multipart()
        return [FormPart.read(part) for part in message.iter_parts()]

    @property
    def files(self) -> list["FormPart"]:
        """The files of a form."""
        return [part for part in self.form if part.file_name is not None]

    @property
    def is_paid(self) -> bool:
        """Whether a provider would charge for it: a POST that makes images."""
        free = "dryRun" in self.query or self.path.endswith(("/cancel", "/files"))
        return self.method == "POST" and not free


class FormPart(NamedTuple):
    """One field of a form. One without a file name is text."""

    name: str
    file_name: str | None
    mime: str
    data: bytes

    @classmethod
    def read(cls, part: Any) -> Self:
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        return cls(name, part.get_filename(), part.get_content_type(), data)

    @property
    def value(self) -> Any:
        """The text, or the number that it is."""
        text = self.data.decode()
        return int(text) if text.isdigit() else text


@dataclass(frozen=True)
class Reply:
    """A whole HTTP response. Header names are written like keyword arguments: `retry_after`.

    Headers replace what would be true: with another `content_length` the connection is closed.
    `{origin}` and `{other}` in headers and body become the addresses of the server and of `other`.
    """

    body: bytes = b""
    status: int | str = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    scripts: Mapping[str, Sequence[Any]] = field(default_factory=dict)  # answers from now on

    @property
    def keeps_connection(self) -> bool:
        return not {"content_length", "connection"} & {*self.headers}


def reply(body: Any = b"", status: int | str = 200, **headers: str) -> Reply:
    """A response with any body: bytes, text, or an object that is sent as JSON."""
    if isinstance(body, str):
        body = body.encode()
    if not isinstance(body, bytes):
        body = json.dumps(body).encode()
    return Reply(body, status, headers)


def redirect(target: str, status: int = 302) -> Reply:
    return reply(b"", status, location=target)


def message(body: bytes, status: int | str = 200, **headers: str) -> bytes:
    """The bytes of an HTTP response. An empty header (`connection=""`) is left out."""
    named = {
        "content_type": "application/json",
        "content_length": str(len(body)),
        "connection": "close",
    }
    lines = [f"HTTP/1.1 {status}" if isinstance(status, str) else f"HTTP/1.1 {status} Any"]
    lines += [
        f"{name.replace('_', '-').title()}: {value}"
        for name, value in (named | headers).items()
        if value
    ]
    head = "".join(f"{line}\r\n" for line in lines)
    return f"{head}\r\n".encode("latin-1") + body


class Reader:
    """Reads requests from a connection, and keeps the bytes that belong to the next one."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._data = bytearray()

    def request(self) -> Request | None:
        """The next request, or None at the end of the connection. Raises ValueError for garbage."""
        while (end := self._data.find(b"\r\n\r\n")) < 0:
            if not self._receive():
                return None
        first, *lines = self._take(end + 4).decode("latin-1").rstrip("\r\n").split("\r\n")
        method, target, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        headers = {name.lower(): value.strip() for name, _, value in pairs}
        length = int(headers.get("content-length", 0))
        while len(self._data) < length:
            if not self._receive():
                raise ValueError("half a request")
        return Request(method, _without_origin(target), headers, self._take(length))

    def _receive(self) -> bool:
        part = self._socket.recv(CHUNK)
        self._data += part
        return bool(part)

    def _take(self, length: int) -> bytes:
        taken = bytes(self._data[:length])
        del self._data[:length]
        return taken


def _without_origin(target: str) -> str:
    """The target as a server gets it. A proxy gets `http://host/path`."""
    return "/" + target.split("/", 3)[3] if target.startswith("http://") else target
