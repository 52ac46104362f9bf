"""Steps of an answer: what a server does to a client besides sending bytes."""

import signal
import socket
import struct
from collections.abc import Callable
from pathlib import Path

from fakes.messages import CHUNK
from fakes.server import PATIENCE, Exchange, Step


def reset(exchange: Exchange) -> None:
    """Closes with RST: what was sent may be lost, and the client knows that something broke."""
    exchange.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    exchange.socket.close()


def hold(exchange: Exchange) -> None:
    """Sends nothing more, and does not hang up either."""
    exchange.server.over.wait(PATIENCE)


def read_tls_hello(exchange: Exchange) -> None:
    """Reads the first message of a TLS handshake. Its sender has paid for nothing yet."""
    exchange.server.greeted -= 1
    exchange.socket.recv(CHUNK)


def pause(seconds: float) -> Step:
    """Waits between two parts of an answer."""

    def step(exchange: Exchange) -> None:
        exchange.server.over.wait(seconds)

    return step


def forever(part: bytes, seconds: float = 0) -> Step:
    """Sends the same bytes again and again, every `seconds`, until the client has had enough."""
    block = part if seconds else part * max(1, CHUNK // len(part))

    def step(exchange: Exchange) -> None:
        while not exchange.server.over.wait(seconds):
            exchange.socket.sendall(block)

    return step


def repeated(part: bytes, times: int) -> Step:
    """Sends the same bytes several times, without ever holding them all in memory."""

    def step(exchange: Exchange) -> None:
        for _ in range(times):
            exchange.socket.sendall(part)

    return step


def meanwhile(act: Callable[[Path], None]) -> Step:
    """Does something to the folder of the run."""

    def step(exchange: Exchange) -> None:
        act(exchange.server.folder)

    return step


def interrupt(*signals: signal.Signals, seconds_between: float = 0) -> Step:
    """Sends signals to the process under test."""

    def step(exchange: Exchange) -> None:
        for number in signals:
            if process := exchange.server.process:
                process.send_signal(number)
                exchange.server.over.wait(seconds_between)

    return step


def cut(step: Step, keep: float) -> Step:
    """Sends only the first part of a response.

    `keep` is a share of its body if it is below 1, else a number of bytes of the whole response;
    a negative number counts from its end.
    """

    def part(exchange: Exchange) -> bytes:
        whole = exchange.encode(step)
        head = whole.index(b"\r\n\r\n") + 4
        if 0 <= keep < 1:
            return whole[: head + int(keep * (len(whole) - head))]
        return whole[: int(keep)]

    return part
