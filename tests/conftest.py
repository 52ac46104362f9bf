"""What every test gets: a home of its own, no keys, and the installed command as a function."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import NamedTuple

import documents
import pytest
from hypothesis import HealthCheck, settings

from flux_cli.core import text

SCRIPTS = Path(sys.executable).parent

# Every run tries the same examples, and none fails because a machine is slow. `sealed` below is a
# function-scoped fixture of every test. A test sets `max_examples` itself only with a reason.
settings.register_profile(
    "flux",
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.load_profile("flux")

# Background shells and nohup start their children with signals ignored, and these pass that on to
# every flux the tests start. A handler is not inherited, so children get the default again.
signal.signal(signal.SIGINT, signal.default_int_handler)
for number in (getattr(signal, "SIGHUP", signal.SIGTERM), signal.SIGTERM):  # Windows has no SIGHUP
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, lambda _number, _frame: None)


def pytest_collection_modifyitems(config, items):
    """Leave out the whole corpus of images, unless `-m` names it: it takes minutes."""
    if "corpus" in config.option.markexpr:
        return
    whole = [item for item in items if item.get_closest_marker("corpus")]
    if whole:
        config.hook.pytest_deselected(items=whole)
        items[:] = [item for item in items if item not in whole]


OURS = ("FLUX_", "LUMENFALL_", "BFL_", "FAL_", "REPLICATE_", "OPENAI_", "TOGETHER_", "XDG_")
KEPT = ("PATH", "LANG", "LC_ALL", "SYSTEMROOT", "COVERAGE_PROCESS_START", "VIRTUAL_ENV")


class Result(NamedTuple):
    """One finished run of the installed command."""

    code: int
    out: str
    err: str
    raw: bytes  # stdout as bytes, for images

    @property
    def json(self) -> dict:
        """The document on stdout, which `flux schema` describes to the last key."""
        document = json.loads(self.out)
        documents.check(document)
        return document

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Flux = Callable[..., Result]


@pytest.fixture(scope="session")
def sealed_folders(tmp_path_factory) -> Path:
    """Where each test gets its folders.

    Making a numbered folder of pytest takes longer with every one there is.
    """
    return tmp_path_factory.mktemp("sealed")


@pytest.fixture(autouse=True)
def sealed(sealed_folders, monkeypatch):
    """Give each test its own HOME, XDG folders and working folder, no keys, and only loopback."""
    folder = Path(tempfile.mkdtemp(dir=sealed_folders))
    home, work = folder / "home", folder / "work"
    home.mkdir()
    work.mkdir()
    for name in list(os.environ):
        if name.startswith(OURS) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(home))
    for name in ("CI", "GITHUB_ACTIONS", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(work)
    for name in ("_KEYS", "_PIECES"):  # keys of the tests before would be searched for as well
        monkeypatch.setattr(text, name, ContextVar(name, default=()))

    connect = socket.socket.connect

    def guarded(self, address):
        if isinstance(address, tuple):  # a Unix socket has a path instead
            host = str(address[0])
            assert host.startswith("127.") or host == "::1", f"a test tried to reach {address}"
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)
    yield
    os.chdir(sealed_folders)  # Windows does not remove the working folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def home() -> Path:
    return Path(os.environ["HOME"])


@pytest.fixture
def work() -> Path:
    return Path.cwd()


@pytest.fixture
def environment():
    """The variables a child process starts with; change the copy a test got."""
    kept = {name: os.environ[name] for name in (*KEPT, "HOME") if name in os.environ}
    # Most tests compare bytes; tests/e2e/test_made.py tests the metadata written by default.
    return kept | {"COLUMNS": "100", "FLUX_METADATA": "none"}


@pytest.fixture
def command() -> str:
    """The path of the installed `flux`."""
    return str(SCRIPTS / "flux")


@pytest.fixture
def flux(environment, command) -> Flux:
    """Run the installed command in the working folder.

    As in `flux("sizes", "16:9", env={...}, input=b"...")`.
    """

    def run(
        *words: str,
        env: dict[str, str] | None = None,
        input: bytes = b"",  # noqa: A002
        timeout: float = 60,
    ) -> Result:
        done = subprocess.run(
            [command, *map(str, words)],
            env=environment | (env or {}),
            input=input,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
        text = done.stdout.decode("utf-8", "replace")
        return Result(done.returncode, text, done.stderr.decode("utf-8", "replace"), done.stdout)

    return run
