"""Clients that repeat, give up, and come back: the provider behind `flux serve` is paid once.

All clients carry out all tasks at once, at the beginning. The prompt says whose it is and what the
provider does with it.
"""

import json
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from _pytest.outcomes import Skipped
from fakes.gateway import Gateway, held, image, status
from fakes.images import look
from fakes.messages import Request
from fakes.server import Answer, hang_up
from fakes.steps import reset

from real.serving import Client, Outcome, Served, client, looks, serving

pytestmark = pytest.mark.slow

PAID_KEY = "lmnfl_canary.Sup3rS3cretV4lue"
NAMES = ("curl", "openai-python", "openai-node", "ai-sdk", "litellm")
SHAPE = {"model": "flux1.1-pro-ultra", "size": "1024x1024"}
JPEG = ("jpeg", (1024, 1024))
HELD = 4.0  # seconds that a slow provider takes
PATIENCE = 30.0  # seconds until an image is saved
TIMEOUT = 3.0  # seconds after which a client gives up on it
BUSY = status(429, "rate_limit_exceeded", retry_after="1")
AWAY = status(503, "overloaded", retry_after="1")


def slow(_request: Request) -> Answer:
    time.sleep(HELD)
    return image()


# What the provider answers, one after the other, and what a client does besides.
UNCLEAR: dict[str, Answer] = {
    "500": status(500),
    "502": status(502),
    "504": status(504),
    "dropped": hang_up,
    "reset": (reset,),
}
FREE: dict[str, Answer] = {"429": BUSY, "503": AWAY}
GIVING_UP = {"timeout": TIMEOUT, "max_retries": 0}
TASKS: dict[str, dict[str, Any]] = {
    **{name: {"again": 1} for name in UNCLEAR},
    **{name: {} for name in FREE},
    "slow": {"timeout": TIMEOUT, "max_retries": 4},  # the client repeats it
    "slow, asked again": GIVING_UP | {"again": 4},  # the application repeats it, at once
    "given up": GIVING_UP,
}


class Provider(Gateway):
    """A gateway that answers by the prompt, and counts by it."""

    def __init__(self) -> None:
        super().__init__()
        self.are_gone = threading.Event()  # all clients
        self._seen: Counter[str] = Counter()

    def answer(self, request: Request) -> Answer:
        if request.is_paid:
            prompt = str(request.json["prompt"])
            self._seen[prompt] += 1
            self.answers(self._answer_to(prompt.partition(": ")[2], self._seen[prompt]))
        return super().answer(request)

    def _answer_to(self, kind: str, count: int) -> Answer:
        if kind in UNCLEAR:
            return UNCLEAR[kind]
        if kind in FREE and count == 1:
            return FREE[kind]
        if kind == "given up":
            return held(self.are_gone)
        return slow if kind.startswith("slow") else image()

    def posts_of(self, prompt: str) -> int:
        return self._seen[prompt]


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with Provider() as server:
        yield server


def environment(provider: Provider) -> dict[str, str]:
    """That of a server with a key for the provider, which repeats nothing itself."""
    return {
        "LUMENFALL_API_KEY": PAID_KEY,
        "LUMENFALL_BASE_URL": provider.url,
        "FLUX_RETRIES": "0",
        "FLUX_METADATA": "none",
    }


@pytest.fixture(scope="module")
def served(provider, tmp_path_factory) -> Iterator[Served]:
    env = environment(provider)
    folder = tmp_path_factory.mktemp("serve")
    with serving(folder, "--max-cost", "1000", "--concurrency", "100", env=env) as server:
        prove_price(server)
        yield server


def prove_price(served: Served) -> None:
    """Have one image made: with a limit, requests go one by one until the price has proved true."""
    body = json.dumps(SHAPE | {"prompt": "first: good"}).encode()
    headers = {"Content-Type": "application/json"}
    post = urllib.request.Request(f"{served.base_url}/images/generations", body, headers)
    with urllib.request.urlopen(post, timeout=PATIENCE) as answer:
        assert answer.status == 200


@pytest.fixture(scope="module")
def outcomes(served, provider, tmp_path_factory) -> dict[str, dict[str, Outcome] | str]:
    """What became of every task of every client, or why a client is not there."""

    def carry_out(one: Client, folder: Path) -> dict[str, Outcome]:
        tasks = [
            {"parameters": SHAPE | {"prompt": f"{one.name}: {kind}"}, **more}
            for kind, more in TASKS.items()
        ]
        return dict(zip(TASKS, one.carry_out(served, folder, tasks), strict=True))

    found: dict[str, Any] = {}
    with ThreadPoolExecutor(len(NAMES)) as threads:
        for name in NAMES:
            folder = tmp_path_factory.mktemp(name)
            try:
                found[name] = threads.submit(carry_out, client(name, folder), folder)
            except Skipped as skipped:
                found[name] = str(skipped)
    results = {name: one if isinstance(one, str) else one.result() for name, one in found.items()}
    provider.are_gone.set()
    return results


@pytest.fixture(params=NAMES)
def name(request, outcomes) -> str:
    """A client that is there."""
    if isinstance(outcomes[request.param], str):
        pytest.skip(outcomes[request.param])
    return request.param


@pytest.mark.parametrize("kind", UNCLEAR)
def test_what_may_have_been_billed_is_sent_once(outcomes, provider, name, kind):
    """The client reads an error that it does not repeat, and its application repeats in vain."""
    outcome = outcomes[name][kind]
    assert (outcome["images"], outcome["status"]) == ([], 424), outcome
    assert provider.posts_of(f"{name}: {kind}") == 1


@pytest.mark.parametrize("kind", FREE)
def test_what_cost_nothing_is_repeated_by_the_client(outcomes, provider, name, kind):
    assert looks(outcomes[name][kind]) == [JPEG]
    assert provider.posts_of(f"{name}: {kind}") == 2


@pytest.mark.parametrize("kind", ["slow", "slow, asked again"])
def test_a_client_that_gave_up_gets_the_image_of_its_first_request(outcomes, provider, name, kind):
    assert provider.posts_of(f"{name}: {kind}") == 1
    if (name, kind) == ("ai-sdk", "slow"):
        pytest.skip("the AI SDK repeats nothing after its timeout")
    assert looks(outcomes[name][kind]) == [JPEG]


def test_an_image_that_nobody_waits_for_is_kept(outcomes, provider, served, flux, name):
    prompt = f"{name}: given up"
    assert outcomes[name]["given up"]["images"] == []
    (saved,) = saved_images(flux, served, prompt)
    assert saved.parent == served.state / "served"
    assert look(saved) == JPEG
    assert provider.posts_of(prompt) == 1


def saved_images(flux, served: Served, prompt: str) -> list[Path]:
    """The images of a prompt in the journal, once they are there."""
    end, env = time.monotonic() + PATIENCE, {"FLUX_STATE": str(served.state)}
    while True:
        runs = flux("runs", "--limit", "all", "--json", env=env).json["runs"]
        entries = [entry for run in runs for entry in run["entries"] if entry["prompt"] == prompt]
        if all(entry["state"] == "saved" for entry in entries) or time.monotonic() > end:
            return [Path(file["path"]) for entry in entries for file in entry["files"]]


def test_two_clients_that_wait_get_two_images(served, provider, tmp_path):
    tasks = 2 * [{"parameters": SHAPE | {"prompt": "two: slow"}}]
    outcomes = client("openai-python", tmp_path).carry_out(served, tmp_path, tasks)
    assert [looks(outcome) for outcome in outcomes] == 2 * [[JPEG]]
    assert provider.posts_of("two: slow") == 2


def test_a_hundred_requests_at_once(served, provider, tmp_path):
    task = {"parameters": SHAPE | {"prompt": "many: good"}, "parallel": 100}
    (outcome,) = client("openai-python", tmp_path).carry_out(served, tmp_path, [task])
    assert looks(outcome) == 100 * [JPEG]
    assert len({image["url"] for image in outcome["images"]}) == 100
    assert provider.posts_of("many: good") == 100
