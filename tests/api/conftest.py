"""A gateway for programs, and its key in the environment."""

from collections.abc import Iterator

import pytest
from fakes.gateway import Gateway

KEY = "lmnfl_canary.Sup3rS3cretV4lue"


@pytest.fixture
def gateway(monkeypatch) -> Iterator[Gateway]:
    with Gateway() as server:
        monkeypatch.setenv("LUMENFALL_API_KEY", KEY)
        monkeypatch.setenv("LUMENFALL_BASE_URL", server.url)
        yield server


@pytest.fixture
def key() -> str:
    return KEY
