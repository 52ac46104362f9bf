"""A server in the place of a provider, used by the installed command or by a single call."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from fakes.providers import DIRECT_ENDPOINTS, KEY
from fakes.server import Server

from flux_cli.catalog.find import find_model
from flux_cli.core.auth import Auth
from flux_cli.core.outcome import Facts
from flux_cli.core.request import Request
from flux_cli.core.text import Secret
from flux_cli.http.client import Http
from flux_cli.providers.rows import ROWS, connect
from flux_cli.request.plan import plan
from flux_cli.request.resolve import resolve

NOW = 1_700_000_000.0


class Got(NamedTuple):
    """One image a provider brought."""

    data: bytes
    facts: Facts


@pytest.fixture
def upstream() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture
def other() -> Iterator[Server]:
    """A second server: another host, as far as keys are concerned."""
    with Server() as server:
        yield server


@pytest.fixture
def line(upstream) -> Callable[..., list[str]]:
    """The words of a `flux generate` that asks a provider on the loopback."""

    def words(provider: str, *more: str, prompt: str = "a red fox") -> list[str]:
        base = upstream.origin + DIRECT_ENDPOINTS[provider].base_path
        return ["generate", prompt, "--provider", provider, "--base-url", base, *map(str, more)]

    return words


@pytest.fixture
def ask(flux, line):
    """Run `flux generate` with a key: `ask("bfl", "-n", "3")`. No output may show the key."""

    def run(
        provider: str, *more: str, env: dict[str, str] | None = None, prompt: str = "a red fox"
    ):
        key = {DIRECT_ENDPOINTS[provider].key_variable: KEY}
        result = flux(*line(provider, *more, prompt=prompt), env=key | (env or {}))
        assert KEY not in result.out + result.err
        assert "Traceback" not in result.err
        assert "internal error" not in result.err
        return result

    return run


@pytest.fixture
def make(upstream, tmp_path):
    """One call in this process, where waiting takes no time. Returns its images.

    `pauses` lists how long it would have waited.
    """

    class Make:
        def __init__(self) -> None:
            self.pauses: list[float] = []

        def __call__(
            self, name: str, *, retries: int = 0, timeout: float = 20, **said: Any
        ) -> list[Got]:
            endpoint, row = DIRECT_ENDPOINTS[name], ROWS[name]
            base = upstream.origin + endpoint.base_path
            model = find_model("flux1.1-pro-ultra")
            request = Request(model.id, said, "a red fox")
            call = plan(resolve(request, model, model.dialects[name])).calls[0]
            variable = endpoint.key_variable
            auth = Auth(Secret(KEY), variable, base, row.key_header, row.key_prefix, row.hosts)
            provider = connect(row, base, auth)

            async def pause(seconds: float) -> None:
                self.pauses.append(seconds)
                await asyncio.sleep(0)

            async def go() -> list[Got]:
                async with Http(
                    timeout=timeout,
                    retries=retries,
                    folder=tmp_path,
                    pause=pause,
                    clock=lambda: NOW,
                    jitter=lambda: 0.0,
                ) as http:
                    found = await provider.images(await http.post(provider.request(call)), http)
                    return [Got(Path(one.file).read_bytes(), one.facts) for one in found]  # noqa: ASYNC240

            return asyncio.run(go())

    return Make()


@pytest.fixture(autouse=True)
def no_leftovers(work) -> Iterator[None]:
    """No run leaves files behind that it was still writing."""
    yield
    assert [path for path in work.rglob("*") if path.name.startswith(".flux-")] == []
