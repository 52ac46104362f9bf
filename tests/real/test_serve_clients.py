"""Clients of OpenAI's API, and the examples of the model page, against `flux serve --offline`."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes.images import look
from PIL import Image

from real.programs import PYTHON, installed
from real.serving import CLIENTS, KEY, Outcome, Served, client, looks, serving, start

pytestmark = pytest.mark.slow

PAGE = "https://api.lumenfall.ai/openai/v1"  # the base URL in the examples of the page
SMALL = {"model": "any", "prompt": "a red fox", "size": "64x64"}
GPT = SMALL | {"model": "gpt-image-1-small"}  # clients know what begins like this by its name
EDIT = GPT | {"prompt": "in the snow"}
LARGE = ("jpeg", (2048, 2048))  # of the model of the page
SMALL_JPEG = ("jpeg", (64, 64))


@pytest.fixture(scope="module")
def served(tmp_path_factory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("serve"), "--offline") as server:
        yield server


@pytest.fixture(scope="module")
def photo(tmp_path_factory) -> Path:
    """An image of 2 MB, which curl announces before it sends it."""
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    Image.frombytes("RGB", (840, 840), random.Random(1).randbytes(3 * 840 * 840)).save(path)
    assert path.stat().st_size > 2_000_000
    return path


def fetch(folder: Path, url: str) -> tuple[str, tuple[int, int]]:
    """The image at a URL."""
    done = start([installed("curl"), "-sSf", url], folder)
    assert done.returncode == 0, done.stderr
    return look(done.stdout)


def keys_of(outcome: Outcome) -> list[list[str]]:
    """In which forms a client got each image."""
    return [sorted({"url", "b64_json"} & image.keys()) for image in outcome["images"]]


# --- the examples of the model page, with another base URL ----------------------------------------


def example(name: str, served: Served) -> str:
    text = (CLIENTS / name).read_text()
    assert text.count(PAGE) == 1
    return text.replace(PAGE, f"{served.origin}/openai/v1")


def test_the_example_for_curl_gets_an_image(served, tmp_path):
    script = f"export LUMENFALL_API_KEY=any\n{example('page_curl.txt', served)}"
    installed("curl")
    done = start(["sh", "-c", script], tmp_path)
    answer = json.loads(done.stdout)
    assert isinstance(answer["created"], int)
    assert fetch(tmp_path, answer["data"][0]["url"]) == LARGE


def test_the_example_for_node_gets_an_image(served, tmp_path):
    node = client("openai-node", tmp_path).words[0]
    (tmp_path / "page.mjs").write_text(example("page_node.txt", served))
    done = start([node, "page.mjs"], tmp_path)
    assert fetch(tmp_path, done.stdout.decode().strip()) == LARGE, done.stderr


def test_the_example_for_python_gets_an_image(served, tmp_path):
    installed("litellm", PYTHON)  # brings OpenAI's client
    done = start([PYTHON / "python", "-c", example("page_python.txt", served)], tmp_path)
    assert fetch(tmp_path, done.stdout.decode().strip()) == LARGE, done.stderr


# --- what clients make of the answers -------------------------------------------------------------


@pytest.mark.parametrize("name", ["openai-python", "openai-node"])
def test_an_official_client_reads_every_answer(served, tmp_path, photo, name):
    tasks = [
        {"parameters": SMALL},
        {"parameters": SMALL | {"n": 2, "response_format": "url"}},
        {"parameters": SMALL | {"response_format": "b64_json", "output_format": "webp"}},
        {"parameters": GPT},
        {"parameters": EDIT, "image": str(photo)},
        {"parameters": SMALL | {"stream": True, "n": 2}},
        {"parameters": EDIT | {"stream": True}, "image": str(photo)},
        {"parameters": SMALL | {"prompt": "flux:error:moderation"}},
        {"parameters": SMALL | {"prompt": "flux:error:429"}, "max_retries": 0},
    ]
    outcomes = client(name, tmp_path).carry_out(served, tmp_path, tasks)
    plain, urls, webp, gpt, edit, stream, edit_stream, *errors = outcomes
    assert looks(plain) == [fetch(tmp_path, plain["images"][0]["url"])] == [SMALL_JPEG]
    assert keys_of(urls) == 2 * [["url"]]
    assert [fetch(tmp_path, image["url"]) for image in urls["images"]] == 2 * [SMALL_JPEG]
    assert keys_of(webp) == [["b64_json"]]
    assert looks(webp) == [("webp", (64, 64))]
    assert keys_of(gpt) == [["b64_json"]]
    assert looks(gpt) == [SMALL_JPEG]
    assert looks(edit) == [SMALL_JPEG]
    types = [event["type"] for event in stream["images"] + edit_stream["images"]]
    assert types == 2 * ["image_generation.completed"] + ["image_edit.completed"]
    assert looks(stream) == 2 * [SMALL_JPEG]
    assert looks(edit_stream) == [SMALL_JPEG]
    assert [error["status"] for error in errors] == [422, 429]


def test_the_ai_sdk_reads_every_answer(served, tmp_path, photo):
    tasks = [
        {"parameters": SMALL},
        {"parameters": SMALL | {"n": 3}},
        {"parameters": EDIT, "image": str(photo)},
        {"parameters": GPT, "provider": "openai"},
        {"parameters": SMALL, "provider": "openai"},
        {"parameters": EDIT, "image": str(photo), "provider": "openai"},
    ]
    outcomes = client("ai-sdk", tmp_path).carry_out(served, tmp_path, tasks)
    expected = [
        [SMALL_JPEG],
        3 * [SMALL_JPEG],
        [SMALL_JPEG],
        [SMALL_JPEG],
        [SMALL_JPEG],
        [SMALL_JPEG],
    ]
    assert [looks(outcome) for outcome in outcomes] == expected


def test_litellm_reads_every_answer(served, tmp_path):
    tasks = [{"parameters": SMALL}, {"parameters": SMALL | {"n": 2}}, {"parameters": GPT}]
    outcomes = client("litellm", tmp_path).carry_out(served, tmp_path, tasks)
    assert [looks(outcome) for outcome in outcomes] == [
        [SMALL_JPEG],
        2 * [SMALL_JPEG],
        [SMALL_JPEG],
    ]
    assert fetch(tmp_path, outcomes[0]["images"][0]["url"]) == SMALL_JPEG
    assert outcomes[2]["images"][0]["url"] is None


def test_curl_sends_a_large_edit_that_it_announces(served, tmp_path, photo):
    fields = [word for name, value in EDIT.items() for word in ("-F", f"{name}={value}")]
    line = [installed("curl"), "-sSv", "-H", "Expect: 100-continue", *fields]
    line += ["-F", f"image=@{photo}", f"{served.base_url}/images/edits"]
    done = start(line, tmp_path)
    assert b"HTTP/1.1 100 Continue" in done.stderr
    assert looks({"images": json.loads(done.stdout)["data"], "error": None}) == [SMALL_JPEG]


def test_curl_uploads_a_body_from_a_pipe_in_chunks(served, tmp_path):
    line = [installed("curl"), "-sS", "-T", "-", "-X", "POST", "--retry", "2"]
    line += ["-H", "Content-Type: application/json", f"{served.base_url}/images/generations"]
    done = start(line, tmp_path, input=json.dumps(SMALL).encode())
    assert len(json.loads(done.stdout)["data"]) == 1


def test_curl_asks_for_the_size_of_an_image_without_the_image(served, tmp_path):
    answer = client("curl", tmp_path).carry_out(served, tmp_path, [{"parameters": SMALL}])
    url = answer[0]["images"][0]["url"]
    whole = start([installed("curl"), "-sSf", url], tmp_path).stdout
    head = start([installed("curl"), "-sSf", "--head", url], tmp_path).stdout.decode().lower()
    assert f"content-length: {len(whole)}\r\n" in head
    assert "content-type: image/jpeg\r\n" in head
    part = start([installed("curl"), "-sSf", "-r", "0-9", url], tmp_path).stdout
    assert part == whole[:10]


def test_no_client_shows_its_key_in_the_log(served):
    assert KEY not in served.log
