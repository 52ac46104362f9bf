"""A gateway for every test, and the installed command pointed at it.

What holds for every run is checked every time.
"""

from collections.abc import Iterator

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


@pytest.fixture(autouse=True)
def no_leftovers(work) -> Iterator[None]:
    """No run leaves files behind that it was still writing."""
    yield
    assert [path for path in work.rglob("*") if path.name.startswith(".flux-")] == []
