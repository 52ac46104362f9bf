"""What flux sends to OpenAI, checked by Prism against OpenAI's own description of its API.

Prism stands between flux and our server. It refuses requests that the description does not allow,
and answers of ours that it does not allow either.
"""

import json
from collections.abc import Iterator

import pytest
from fakes.images import look
from fakes.messages import reply

from real.answers import PNG, drawn
from real.description import read_description
from real.programs import NODE, Program, free_port, installed, running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def prism(upstream_of_all, tmp_path_factory) -> Iterator[Program]:
    command = installed("prism", NODE)
    folder, port = tmp_path_factory.mktemp("prism"), free_port()
    (folder / "openai.json").write_text(json.dumps(read_description()))
    words = (command, "proxy", "--errors", "-h", "127.0.0.1", "-p", str(port), "openai.json")
    with running(*words, upstream_of_all.origin, port=port, folder=folder) as program:
        yield program


@pytest.fixture
def ask(generate, prism):
    """Run `flux generate` for one of OpenAI's models, through Prism."""

    def run(model: str, *words: str, provider: str = "openai.com"):
        return generate(prism.origin, "-m", model, *words, provider=provider)

    return run


# A model, what is typed, and what is sent besides model and prompt.
LINES = [
    ("gpt-image-1", [], {}),
    ("gpt-image-1", ["-o", "fox.webp"], {}),
    ("gpt-image-1", ["-o", "fox.avif"], {}),
    ("gpt-image-1", ["--size", "1536x1024"], {"size": "1536x1024"}),
    ("gpt-image-1", ["--size", "auto"], {"size": "auto"}),
    ("gpt-image-1", ["-a", "16:9"], {"size": "1360x768"}),
    ("gpt-image-1", ["--response-format", "b64_json"], {}),
    ("gpt-image-1", ["-p", "quality=high"], {"quality": "high"}),
    ("gpt-image-1", ["-p", "background=transparent"], {"background": "transparent"}),
    ("gpt-image-1", ["-p", "moderation=low"], {"moderation": "low"}),
    ("gpt-image-1", ["-p", "user=user-7"], {"user": "user-7"}),
    ("gpt-image-1", ["-p", "stream=false"], {"stream": False}),
    (
        "gpt-image-1",
        ["-p", "output_format=jpeg", "-p", "output_compression=60", "-o", "fox.jpg"],
        {"output_format": "jpeg", "output_compression": 60},
    ),
    ("gpt-image-1-mini", ["--size", "1024x1536"], {"size": "1024x1536"}),
    ("dall-e-3", [], {}),
    ("dall-e-3", ["-o", "fox.webp"], {}),
    ("dall-e-3", ["--size", "1792x1024"], {"size": "1792x1024"}),
    ("dall-e-3", ["-p", "quality=hd"], {"quality": "hd"}),
    ("dall-e-3", ["-p", "style=natural"], {"style": "natural"}),
    ("dall-e-2", ["--size", "256x256"], {"size": "256x256"}),
    ("dall-e-2", ["-o", "fox.png"], {}),
]  # fmt: skip
IDS = [" ".join([model, *words]) for model, words, _ in LINES]
CAN_BE_ADDED = {"gpt-image": {"output_format"}}  # by flux itself, where the model knows it


@pytest.mark.parametrize(("model", "words", "expected"), LINES, ids=IDS)
def test_openai_would_accept_what_is_sent(ask, upstream, model, words, expected):
    result = ask(model, *words)
    assert result.code == 0, result.err
    assert look(result.lines[0])[1] == (64, 64)
    (body,) = upstream.posts
    added = {*body} - {*expected, "model", "prompt"}
    assert added <= CAN_BE_ADDED.get(model[:9], set())
    assert body == body | expected | {"model": model, "prompt": "a red fox"}


def test_several_images_are_requests_for_one(ask, upstream):
    result = ask("gpt-image-1", "-n", "3")
    assert (result.code, len(result.lines)) == (0, 3), result.err
    assert len(upstream.posts) == 3
    assert all(body.get("n", 1) == 1 for body in upstream.posts)


def test_the_key_reaches_the_server_as_openai_wants_it(ask, upstream):
    assert ask("gpt-image-1").code == 0
    (request,) = upstream.paid
    assert request.headers["authorization"].startswith("Bearer sk-")
    assert request.headers["content-type"] == "application/json"


REFUSED = {
    "an unknown parameter": ["-p", "sampler=euler"],
    "a number instead of a text": ["-p", "quality=3"],
    "a number beyond its range": ["-p", "partial_images=9"],
    "a value that is not in the list": ["-p", "background=blue"],
}


@pytest.mark.parametrize("words", REFUSED.values(), ids=REFUSED)
def test_the_validator_is_strict_and_its_reason_is_said(ask, upstream, words):
    """Else the tests above would show nothing."""
    result = ask("gpt-image-1", *words, "--json", provider="openai")
    (error,) = result.json["errors"]
    assert (result.code, error["code"], error["http_status"]) == (1, "validation", 422)
    assert not error["may_have_been_billed"]
    assert upstream.paid == []


def test_the_validator_also_reads_what_our_server_answers(ask, upstream):
    """Prism replaces an answer that OpenAI would never give. The image in it was drawn, however."""

    def surprising(request):
        body = json.loads(drawn(request).body)
        return reply(body | {"created": "yesterday"})

    upstream.answers(surprising)
    result = ask("gpt-image-1", "--json")
    (error,) = result.json["errors"]
    assert (result.code, error["may_have_been_billed"], len(upstream.paid)) == (1, True, 1)


def test_an_image_by_url_is_fetched_from_where_it_is(ask, upstream):
    def by_url(_request):
        return reply({"created": 1, "data": [{"url": f"{upstream.origin}/drawn.png"}]})

    upstream.answers(by_url)
    result = ask("dall-e-3", "-o", "fox.png")
    assert result.code == 0, result.err
    with open("fox.png", "rb") as file:
        assert file.read() == PNG
