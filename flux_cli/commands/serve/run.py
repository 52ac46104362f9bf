"""`flux serve`: check the options, listen, and serve until a signal comes."""

from __future__ import annotations

import asyncio
import contextlib
from importlib.util import find_spec
from typing import TYPE_CHECKING

from flux_cli.commands.serve.sockets import address_of, open_sockets
from flux_cli.config import folders, keys
from flux_cli.config.load import load_settings
from flux_cli.core.auth import is_loopback
from flux_cli.core.errors import ConfigError, UsageError
from flux_cli.core.values import show_amount
from flux_cli.providers.rows import ROWS
from flux_cli.request.command_line import offline_flags
from flux_cli.runs import event_loop, interrupts
from flux_cli.runs.progress.log import Log, check_log
from flux_cli.runs.spending.access import find_access, is_remote, require_key
from flux_cli.serve.answering.snippets import curl
from flux_cli.serve.asking.access import KEY_VARIABLE, Access, check_origin
from flux_cli.serve.pictures import Pictures
from flux_cli.serve.service import Service
from flux_cli.terminal import messages, streams

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from socket import socket

    from flux_cli.config.load import Settings
    from flux_cli.core.model import Json
    from flux_cli.core.text import Secret
    from flux_cli.serve.options import ServeOptions

LOOPBACK, PORT = "127.0.0.1", 8765
LIBRARIES = ("starlette", "uvicorn", "python_multipart")


def run(options: ServeOptions) -> int:
    """Serve until Ctrl-C, SIGTERM or SIGHUP, which is the normal end, and return 0.

    Raises UsageError, ConfigError and AuthError before anything is served.
    """
    if any(find_spec(name) is None for name in LIBRARIES):
        message = "flux serve needs optional libraries"
        raise ConfigError(message, hint="pip install 'flux-image-cli[serve]'")
    settings = load_settings(_flags(options), ROWS)
    _check_money(settings)
    require_key(find_access(settings), settings, no_key=False)
    host = options.host or LOOPBACK
    access = Access(host, _key(options), tuple(map(check_origin, options.cors or ())))
    if access.key is None and not is_loopback(host):
        message = f"--host {host} lets other machines in, which needs a key"
        raise UsageError(message, hint=f"set {KEY_VARIABLE}, or name a file of it with --key-file")
    if options.log_file is not None:
        check_log(options.log_file)
    sockets = open_sockets(host, PORT if options.port is None else options.port)
    log = None if options.log_file is None else Log(options.log_file, "serve", messages.err)
    pictures = Pictures(is_paid=settings.provider.hosted)
    try:
        service = Service(options, settings, access, pictures, log)
        _announce(address_of(sockets[0], host), settings, has_key=access.key is not None)
        cut = event_loop.run(_serve(service, sockets))
    finally:
        pictures.close()
    if cut:
        hint = "; flux recover looks for what they cost" if settings.provider.hosted else ""
        messages.err(f"flux: {cut} requests were cut short{hint}")
    return 0


def _flags(options: ServeOptions) -> dict[str, Json]:
    """The settings that options override."""
    flags: dict[str, Json] = {
        "model": options.model,
        "provider": options.provider,
        "base_url": options.base_url,
        "concurrency": options.concurrency,
        "max_cost": options.max_cost,
    }
    return offline_flags(flags) if options.offline else flags


def _check_money(settings: Settings) -> None:
    if is_remote(settings) and settings.max_cost is None:
        message = f"{settings.provider.name} costs money, so the server needs a limit"
        hint = "add --max-cost USD, for all its requests; or --offline for sketches that are free"
        raise UsageError(message, hint=hint)


def _key(options: ServeOptions) -> Secret | None:
    """The key that clients must send; None if there is none. Raises ConfigError."""
    environ = None if options.key_file is None else {f"{KEY_VARIABLE}_FILE": options.key_file}
    found, _ = keys.find(KEY_VARIABLE, folders.user_folder(), environ, form=keys.HEADER)
    if options.key_file is not None and found is None:
        raise ConfigError(f"--key-file {options.key_file!r} names no key")
    return found


def _announce(address: str, settings: Settings, *, has_key: bool) -> None:
    """Print the base URL, and on stderr a request to paste."""
    limit = settings.max_cost
    money = "" if limit is None else f", at most {show_amount(limit)} USD in all"
    messages.err(f"flux: serving with {settings.provider.name}{money}; Ctrl-C ends it")
    base_url = f"{address}/v1"
    messages.err(curl(base_url, settings.model, has_key=has_key))
    streams.out_data(base_url)


async def _serve(service: Service, sockets: list[socket]) -> int:
    """Serve until a signal comes. Returns how many requests a second signal has cut short."""
    from flux_cli.serve.web.app import make_app  # needs the optional libraries
    from flux_cli.serve.web.listening import Stops, listen

    stops = Stops(service.maker.stop, service.requests.cancel)
    with _on_signals(stops):
        await listen(make_app(service), sockets, stops)
        cut = await service.requests.finish()
        await service.maker.close()
    return cut


@contextlib.contextmanager
def _on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Call `stop` at every signal that ends a command."""
    loop = asyncio.get_running_loop()

    def handle(_number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(stop)

    with interrupts.handled_by(handle):
        yield
