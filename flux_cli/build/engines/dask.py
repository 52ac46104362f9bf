"""The one owner of Dask: runs parts of a build on its workers.

A part is `flux build --shard I/N` in the folder of the manifest, which all machines share. It is a
process of its own: it takes keys and settings from the environment of its worker, and ends with it.
Neither a key nor an image passes the scheduler.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Self

from flux_cli import __version__
from flux_cli.build.engines.patience import TICK, end_of, within
from flux_cli.core.errors import ConfigError, NetworkError, UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.text import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from types import ModuleType

    from distributed import Client, Future

LOCAL = "dask"
ADDRESS = re.compile(r"dask://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\]):([0-9]{1,5})", re.ASCII)
MISSING = "--on dask needs distributed, which is not installed"
SECONDS = 10  # until a scheduler must have answered
MOST_LOCAL = 4  # workers on this machine: they mostly wait for the provider


class Part(NamedTuple):
    """One part, as it is sent to a worker."""

    name: str  # such as 1/4
    folder: str
    words: list[str]  # the command line


class Ended(NamedTuple):
    """What became of a part. `error` says why there is nothing else."""

    name: str
    code: int = 1
    paths: list[str] | None = None
    cost_usd: float | None = None
    said: str = ""  # on stderr
    error: str = ""


def check_engine(text: str) -> str:
    """The address of the scheduler, "" for this machine. Raises UsageError, ConfigError."""
    found = ADDRESS.fullmatch(text)
    if text != LOCAL and not (found and 0 < int(found[2]) < 65536):
        raise UsageError(f"invalid --on {plain(text)}", hint="write dask, or dask://HOST:8786")
    _library()
    return f"{found[1]}:{found[2]}" if found else ""


class Workers:
    """The workers of a scheduler, or of this machine, while it is open."""

    def __init__(self, address: str) -> None:
        """Raises NetworkError if there is no scheduler."""
        self._address, self._stack, self._library = address, ExitStack(), _library()
        logging.getLogger("distributed").setLevel(logging.CRITICAL + 1)

    def __enter__(self) -> Self:
        try:
            self._client: Client = self._stack.enter_context(self._connected())
        except Exception:  # noqa: BLE001 - a server that is no scheduler can cause any error
            self._stack.close()
            message = f"no Dask scheduler answers at {self._address or 'this machine'}"
            raise NetworkError(message, hint="start one: dask scheduler") from None
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(Exception):  # the results are here
            self._stack.close()

    def _connected(self) -> Client:
        if self._address:
            # Dask heeds its timeout only until a connection stands.
            return within(
                SECONDS + 1, partial(self._library.Client, self._address, timeout=SECONDS)
            )
        folder = self._stack.enter_context(tempfile.TemporaryDirectory())
        # Ctrl-C is for the client alone, which tells the workers: they ignore it from birth.
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            cluster = self._library.LocalCluster(
                n_workers=max(2, min(MOST_LOCAL, os.cpu_count() or 1)),
                threads_per_worker=1,
                host="127.0.0.1",
                dashboard_address=None,
                local_directory=folder,
                silence_logs=logging.CRITICAL + 1,
            )
        finally:
            signal.signal(signal.SIGINT, before)
        self._stack.enter_context(cluster)
        return self._library.Client(cluster, timeout=SECONDS)

    @property
    def slots(self) -> int:
        """How many parts can run at once."""
        return sum(self._client.nthreads().values())

    def run(self, parts: Sequence[Part], must_stop: Callable[[], bool]) -> Iterator[Ended]:
        """Run all parts, and say of each how it ended. Once they must stop, no more begin."""
        token = os.urandom(8).hex()
        stop = self._library.Event(f"flux-stop-{token}", client=self._client)
        left: dict[Future[Any], Part] = {}
        for part in parts:
            work = (*part, __version__, token)
            left[self._client.submit(run_part, *work, pure=False)] = part
        is_told = False
        while left:
            if must_stop() and not is_told:
                stop.set()
                is_told = True
            with contextlib.suppress(self._library.TimeoutError):
                self._library.wait(list(left), timeout=TICK, return_when="FIRST_COMPLETED")
            ended = [future for future in left if future.done()]
            if is_told and not ended and not any(self._client.processing().values()):
                ended = list(left)  # no worker is there to begin them
            for future in ended:
                yield _result(future, left.pop(future))


def _result(future: Future[Any], part: Part) -> Ended:
    if not future.done():
        future.cancel()
        return Ended(part.name, error="no worker began it")
    try:
        return Ended(**future.result())
    except Exception as fault:  # noqa: BLE001 - of the worker, the scheduler, or the network
        reason = plain(type(fault).__name__)
        return Ended(part.name, error=f"its worker failed ({reason})")


def run_part(name: str, folder: str, words: list[str], version: str, token: str) -> dict[str, Any]:
    """Run a part, on a worker, and return the fields of `Ended`."""
    if version != __version__:
        error = f"its worker has flux {__version__}, not {version}"
        return Ended(name, cost_usd=0.0, error=error)._asdict()
    if not os.path.isfile(os.path.join(folder, words[1])):
        error = f"its worker has no {words[1]} in {folder}, a folder that all must share"
        return Ended(name, cost_usd=0.0, error=error)._asdict()
    stop = _library().Event(f"flux-stop-{token}")
    line = [sys.executable, "-m", "flux_cli.build.engines.child", *words]
    ours, theirs = os.pipe()
    try:
        pipe = subprocess.PIPE
        with subprocess.Popen(  # noqa: S603 - flux itself
            line, cwd=folder, stdin=ours, stdout=pipe, stderr=pipe
        ) as process:
            os.close(ours)
            out, said = end_of(process, stop.is_set)
    finally:
        os.close(theirs)
    text, code = said.decode("utf-8", "replace"), process.returncode
    if code < 0:
        return Ended(name, said=text, error="its process was killed")._asdict()
    found: dict[str, Any] = json.loads(out) if out else {}
    return Ended(name, code, found.get("paths"), found.get("cost_usd"), text)._asdict()


def _library() -> ModuleType:
    try:
        import distributed
    except ImportError:
        raise ConfigError(MISSING, hint="pip install 'flux-image-cli[dask]'") from None
    library: ModuleType = distributed
    return library
