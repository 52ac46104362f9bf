"""Programs of others: where they are, and one of them running while a test talks to it."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest
from fakes.proxy import closed_port

ROOT = Path(__file__).parents[2]
# Read here, because tests run without variables that begin with FLUX_.
FOLDER = Path(os.environ.get("FLUX_TEST_SERVERS", ROOT / ".servers"))
PYTHON = FOLDER / "python" / "bin"  # a virtual environment of its own
NODE = FOLDER / "node" / "node_modules" / ".bin"
PATIENCE = 300.0  # seconds until a program listens; the first start of LiteLLM compiles it
TICK = 0.05  # seconds
SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Program(NamedTuple):
    """A program that listens on the loopback."""

    port: int
    log: Path

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def installed(name: str, folder: Path | None = None) -> str:
    """The path of a program. Skips the test if it is not there."""
    path = f"{folder}" if folder else SYSTEM
    if found := shutil.which(name, path=path):
        return found
    script = "install-servers" if folder else "install-tools"
    pytest.skip(f"{name} is not installed: run .ci/{script}")


def free_port() -> int:
    """A port for a program that cannot choose one itself."""
    return closed_port()


@contextlib.contextmanager
def running(
    *words: str | Path, port: int, folder: Path, env: Mapping[str, str] | None = None
) -> Iterator[Program]:
    """Run a program until the block ends. What it prints is in `folder`, which is its home too."""
    log = folder / "log.txt"
    variables = {"PATH": f"{PYTHON}:{SYSTEM}", "HOME": str(folder), **(env or {})}
    with (
        log.open("wb") as stream,
        subprocess.Popen(
            words, cwd=folder, env=variables, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream
        ) as process,
    ):
        program = Program(port, log)
        try:
            wait_until_it_listens(program, process)
            yield program
        finally:
            stop(process)


def wait_until_it_listens(program: Program, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_listening(program.port):
        assert process.poll() is None, f"it ended: {program.log.read_text()[-2000:]}"
        assert time.monotonic() < end, f"it does not listen: {program.log.read_text()[-2000:]}"
        time.sleep(TICK)


def is_listening(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
