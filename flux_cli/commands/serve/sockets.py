"""Opens the sockets at which a server listens."""

from __future__ import annotations

import socket

from flux_cli.core.errors import UsageError

BACKLOG = 2048
MAX_PORT = 65535


def open_sockets(host: str, port: int) -> list[socket.socket]:
    """A socket for every address of the host. Raises UsageError if it cannot be used."""
    if not 0 <= port <= MAX_PORT:
        raise UsageError(f"--port {port} is not a port", hint=f"give a number up to {MAX_PORT}")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as fault:
        reason = getattr(fault, "strerror", None) or "it is not a host"
        hint = "127.0.0.1 is this machine, 0.0.0.0 all its addresses"
        raise UsageError(f"--host {host}: {reason}", hint=hint) from fault
    opened: list[socket.socket] = []
    fault_of_last: OSError | None = None
    for family, kind, _, _, address in found:
        try:
            opened.append(_open(family, kind, (address[0], port, *address[2:])))
        except OSError as fault:  # IPv6 may be off
            fault_of_last = fault
            continue
        port = opened[0].getsockname()[1]  # the same for all, if the system chose it
    if not opened:
        reason = fault_of_last.strerror if fault_of_last else "no address"
        hint = f"another program may use it: --port {port + 1}, or --port 0 for a free one"
        raise UsageError(f"cannot listen at {host}:{port}: {reason}", hint=hint)
    return opened


def _open(family: int, kind: int, address: tuple[object, ...]) -> socket.socket:
    opened = socket.socket(family, kind)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind(address)
        opened.listen(BACKLOG)
    except OSError:
        opened.close()
        raise
    return opened


def address_of(opened: socket.socket, host: str) -> str:
    """The URL of a server, with the name of the host that was given."""
    port = opened.getsockname()[1]
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}"
