"""A request, and what takes its answer in parts while it arrives, so that no answer is held in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from flux_cli.core.lite import NamedTuple
from flux_cli.core.request import Reply


class HttpRequest(NamedTuple):
    """One HTTP request."""

    method: str
    url: str
    headers: dict[str, str]
    body: bytes | None = None
    silence: float | None = None  # seconds without data after which the answer is given up; None: no limit
    into: str | None = None  # path for the body of a good answer; None: the body is JSON
    on_answer: Callable[[Reply], None] | None = None  # called as soon as the answer is complete


class Head(NamedTuple):
    """The status of an answer and its headers, with names in lower case."""

    status: int
    headers: dict[str, str]


class Receiver(Protocol):
    """Takes one answer. An exception raised here ends the exchange and reaches its caller."""

    def begin(self, head: Head) -> None: ...
    def take(self, part: bytes | bytearray) -> None: ...
    def end(self) -> None: ...
