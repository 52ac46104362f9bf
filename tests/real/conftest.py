"""An upstream of our own for every program, and the installed command."""

from collections.abc import Iterator

import pytest
from fakes.messages import reply
from fakes.server import Server

from real.answers import NAME, PNG, drawn

KEY = "sk-canary-Sup3rS3cretV4lue"


@pytest.fixture(scope="module")
def upstream_of_all() -> Iterator[Server]:
    """One server for all tests of a module: the programs before it know its port."""
    with Server() as server:
        yield server


@pytest.fixture
def upstream(upstream_of_all) -> Server:
    """The server behind the program, which draws what is asked for until a test says otherwise."""
    upstream_of_all.requests.clear()
    upstream_of_all.answers(drawn)
    upstream_of_all.serves(NAME, reply(PNG, content_type="image/png"))
    return upstream_of_all


@pytest.fixture
def generate(flux):
    """Run `flux generate` against a base URL: `generate(url, "-n", "3")`. No key is ever shown."""

    def run(base: str, *words: str, provider: str = "openai", key: str = KEY, env=None):
        variable = {"openai": "FLUX_API_KEY", "openai.com": "OPENAI_API_KEY"}[provider]
        line = ["generate", "a red fox", "--provider", provider, "--base-url", base]
        result = flux(*line, *words, env={variable: key} | (env or {}))
        assert key not in result.out + result.err
        assert "Traceback" not in result.err
        assert "internal error" not in result.err
        return result

    return run


@pytest.fixture(autouse=True)
def no_leftovers(work) -> Iterator[None]:
    """No run leaves files behind that it was still writing."""
    yield
    assert [path for path in work.rglob("*") if path.name.startswith(".flux-")] == []
