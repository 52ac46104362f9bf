"""A gateway for every test, and the installed command pointed at it.

What holds for every run is checked every time.
"""

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fakes.gateway import Gateway

KEY = "lmnfl_canary.Sup3rS3cretV4lue"


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as server:
        yield server


@pytest.fixture
def other() -> Iterator[Gateway]:
    """A second server: another host, as far as keys are concerned."""
    with Gateway() as server:
        yield server


@pytest.fixture
def keyed(gateway, environment) -> dict[str, str]:
    """The environment of somebody with a key for the gateway."""
    return environment | {"LUMENFALL_API_KEY": KEY, "LUMENFALL_BASE_URL": gateway.url}


@pytest.fixture
def generate(flux, keyed):
    """Run `flux generate` with a key against the gateway: `generate("a fox", "-n", "3")`."""

    def run(*words, env=None, **more):
        result = flux("generate", *words, env=keyed | (env or {}), **more)
        assert KEY not in result.out + result.err
        assert "\x1b" not in result.err
        assert "Traceback" not in result.err
        return result

    return run


@pytest.fixture
def release() -> Iterator[threading.Event]:
    """The event the gateway waits for; set at the end, so that its threads end."""
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def state(home) -> Path:
    """Where the journals are."""
    return home / ".local" / "state" / "flux-image-cli" / "runs"


@pytest.fixture
def recover(flux, keyed, gateway):
    """Run `flux recover`. It never POSTs, never shows a key, and finishes what it begins."""

    def run(*words: str, env: dict[str, str] | None = None):
        before = len(gateway.posts)
        result = flux("recover", *words, env=keyed | (env or {}))
        assert len(gateway.posts) == before
        assert KEY not in result.out + result.err
        assert "Traceback" not in result.err
        assert "internal error" not in result.err
        return result

    return run


@pytest.fixture
def killed(command, keyed):
    """Run `flux generate` and kill it as soon as something is true."""

    def run(*words: str, when: Callable[[], object], env: dict[str, str] | None = None) -> None:
        line, tick = [command, "generate", "a fox", *words], threading.Event()
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(line, env=keyed | (env or {}), **quiet) as flux:
            while not when():
                assert flux.poll() is None
                tick.wait(0.005)
            flux.kill()
        assert flux.returncode == -signal.SIGKILL

    return run


@pytest.fixture(autouse=True)
def no_leftovers(work) -> Iterator[None]:
    """No run leaves files behind that it was still writing."""
    yield
    assert [path for path in work.rglob("*") if path.name.startswith(".flux-")] == []
