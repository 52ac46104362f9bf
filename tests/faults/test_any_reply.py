"""Any JSON at all in any answer of any provider ends in a message or a whole image."""

import json
from pathlib import Path

import pytest
from fakes.messages import Request, message, reply
from fakes.providers import ENDPOINTS
from fakes.server import Answer, Server
from hypothesis import given, settings
from hypothesis import strategies as st

from faults.batch import Batch
from faults.row import JPEG

pytestmark = pytest.mark.slow

TRIES = settings(max_examples=60)
ADDRESSES = (
    "{origin}/p",
    "{origin}/poll",
    "{origin}/nowhere",
    "file:///etc/passwd",
    "http://[::1",
    "data:,x",
    "//",
    "\ud800",
)
WORDS = (
    "COMPLETED",
    "Ready",
    "succeeded",
    "IN_QUEUE",
    "Pending",
    "starting",
    "Error",
    "Request Moderated",
    "failed",
)
KEYS = (
    "data", "images", "url", "b64_json", "error", "message", "code", "detail", "id", "request_id",
    "polling_url", "status", "status_url", "response_url", "urls", "get", "cancel", "result",
    "sample", "output", "seed", "cost", "metadata", "has_nsfw_concepts", "loc", "msg",
    "revised_prompt", "undrawn",
)  # fmt: skip
LEAVES = (
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6)
    | st.sampled_from([*ADDRESSES, *WORDS, 10**400, "A" * 64])
)  # fmt: skip
JSON = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=5)
    ),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.sampled_from(KEYS), JSON, min_size=1, max_size=8)
STATUSES = st.sampled_from([200, 200, 200, 201, 202, 400, 404, 422, 500])


class Anything(Server):
    """Answers every POST and every GET but the image with what was made up last."""

    def __init__(self) -> None:
        super().__init__()
        self.says: Answer = ()

    def answer(self, request: Request) -> Answer:
        if request.target == "/p":
            return (message(JPEG, content_type="image/jpeg"),)
        return self.says


@pytest.fixture(scope="module")
def anything(tmp_path_factory):
    with Anything() as server, Batch(tmp_path_factory.mktemp("batch"), server) as batch:
        yield server, batch


@pytest.mark.parametrize("provider", ENDPOINTS)
def test_any_json_ends_in_words_or_an_image(anything, provider):
    server, batch = anything
    count = iter(range(10_000))

    @given(OBJECTS | JSON, STATUSES)
    @TRIES
    def tried(body: object, status: int) -> None:
        server.says = (reply(json.dumps(body, allow_nan=True), status),)
        path, name = ENDPOINTS[provider].base_path, f"{provider}-{next(count)}.jpg"
        line = (
            "--timeout",
            "0.2",
            "--retries",
            "0",
            "--provider",
            provider,
            "--base-url",
            server.origin + path,
        )
        seen = batch("generate", "a fox", "-o", name, *line, "--json")
        assert seen["code"] in (0, 1, 3, 4, 5), (body, seen)
        assert (seen["code"] in (0, 3)) == bool(
            list(Path(batch.work).glob(f"{provider}-*{name.split('-')[1]}"))
        )
        assert json.loads(seen["out"])["exit_code"] == seen["code"]
        # On a busy machine, the deadline can pass before the request is sent.
        assert seen["posts"] == 1 or "timeout" in seen["out"]

    tried()
