"""Servers for tests: `flux serve` as the installed command, and what clients send."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

FLUX = str(Path(sys.executable).parent / "flux")
SMALL = {"model": "sketch", "size": "256x256"}  # drawn as it is, because no catalog knows it


class Serving(NamedTuple):
    """A server under way. `url` is its base URL, and `home` the folder of its user."""

    process: subprocess.Popen
    url: str
    home: Path

    @property
    def origin(self) -> str:
        return self.url.removesuffix("/v1")

    def generate(self, prompt="a fox", *, headers=None, **fields):
        """Send a generation."""
        body = {"prompt": prompt, **SMALL, **fields}
        return httpx.post(f"{self.url}/images/generations", json=body, headers=headers, timeout=60)

    def stop(self, number=signal.SIGINT):
        """Send a signal, and return the exit code and what was logged."""
        self.process.send_signal(number)
        _, log = self.process.communicate(timeout=30)
        return self.process.returncode, log


@contextmanager
def serving(*words, env=None):
    """Start `flux serve` at a free port."""
    home = Path(tempfile.mkdtemp())
    variables = {"PATH": os.environ["PATH"], "HOME": str(home), "COLUMNS": "100", **(env or {})}
    with subprocess.Popen(
        [FLUX, "serve", "--port", "0", *words],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=home,
        text=True,
    ) as process:
        try:
            url = process.stdout.readline().strip()
            assert url, process.stderr.read()
            yield Serving(process, url, home)
        finally:
            process.kill()


@pytest.fixture(scope="module")
def offline():
    """A server without a provider."""
    with serving("--offline") as server:
        yield server


@pytest.fixture
def served():
    """Start servers: `with served("--offline") as server`."""
    return serving


@pytest.fixture
def paid(gateway):
    """Start a server whose provider is the fake gateway, with a key."""

    def start(*words, env=None):
        keyed = {"LUMENFALL_API_KEY": "lmnfl_canary.Sup3rS3cretV4lue"}
        keyed["LUMENFALL_BASE_URL"] = gateway.url
        return serving(*words, env=keyed | (env or {}))

    return start


def error_of(answer):
    """The error of an answer."""
    return json.loads(answer.content)["error"]
