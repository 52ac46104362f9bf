"""A paid answer is never thrown away: kept as it came, followed, fetched late and with the key."""

import base64
import gzip
import json
from pathlib import Path

import pytest
from fakes.gateway import status
from fakes.images import pixels_as
from fakes.messages import redirect, reply
from fakes.steps import hold

from e2e.conftest import KEY
from e2e.recovery import files, folders, states

pytestmark = pytest.mark.slow

JPEG = pixels_as("jpeg")
IMAGE = reply(JPEG, content_type="image/jpeg")
TASKS = "/openai/v1/tasks/task_1"
TASK = reply({"data": [{"status": "submitted", "task_id": "task_1"}]})

UNREADABLE = {
    "JSON of an unknown shape": b'{ "made":\t{"of": "ch\\u00e9\xc3\xa8se"} }\n',
    "JSON with a broken character": b'{"made": "caf\xe9"}',
    "JSON as Windows writes it": '{"made": "café"}'.encode("utf-16"),
    "cut JSON": b'{"data": [{"url": "https://cdn.exam',
    "a web page": "<html>caf\xe9</html>".encode("latin-1"),
    "bytes": bytes(range(128, 256)) * 3,
    "bytes with zeros": bytes(range(256)) * 3,
}


@pytest.mark.parametrize("body", UNREADABLE.values(), ids=UNREADABLE)
def test_an_answer_that_is_not_understood_is_kept_byte_for_byte(
    generate, recover, gateway, state, flux, body
):
    gateway.answers(reply(body))
    result = generate("a fox", "--json")
    error = result.json["errors"][0]
    (folder,) = folders(state)
    (kept,) = folder.iterdir()
    assert kept.read_bytes() == body
    assert (result.code, error["code"], error["may_have_been_billed"]) == (1, "provider", True)
    assert f"the answer is kept in {kept}" in error["hint"]
    assert f"flux recover {folder.name}" in error["hint"]
    for _ in range(2):
        again = recover()
        assert (again.code, "nothing to save" in again.err) == (1, False)
        assert f"the answer is kept in {kept}" in again.err
        assert list(folder.iterdir()) == [kept]
    assert (kept.read_bytes(), states(flux)) == (body, ["recoverable"])


B64 = base64.b64encode(JPEG).decode()
WITH_IMAGES = {
    "partial images only": f'data: {{"type": "x.partial_image", "b64_json": "{B64}"}}\n\n',
    "JSON cut in its base64": f'{{"data": [{{"b64_json": "{B64[:9999]}',
    "an echo of the request": json.dumps({"request": {"image": B64}, "made": None}),
}


@pytest.mark.parametrize("body", WITH_IMAGES.values(), ids=WITH_IMAGES)
def test_an_answer_is_kept_with_the_base64_that_was_taken_out_of_it(
    generate, recover, gateway, state, body
):
    gateway.answers(reply(body))
    assert generate("a fox").code == 1
    (kept,) = state.rglob("answer1")
    assert kept.read_text() == body
    assert recover().code == 1
    assert kept.read_text() == body


def test_an_answer_that_cannot_be_decompressed_is_kept_as_it_came(generate, gateway, state):
    body = gzip.compress(b'{"data": []}')[:-6]
    gateway.answers(reply(body, content_encoding="gzip"))
    result = generate("a fox")
    ((kept,),) = (list(folder.iterdir()) for folder in folders(state))
    assert (result.code, kept.read_bytes()) == (1, body)
    assert "content encoding 'gzip'" in result.err


JSON = json.dumps({"data": [{"b64_json": B64}]}).encode()
EVENTS = b"event: image_generation.completed\ndata: " + JSON + b"\n\n"


@pytest.mark.parametrize("body", [JPEG, JSON, EVENTS], ids=["an image", "JSON", "events"])
def test_a_whole_answer_is_used_though_its_connection_broke(generate, gateway, flux, body):
    gateway.answers(reply(body, content_length=str(len(body) + 9)))
    result = generate("a fox", "-o", "fox.jpg")
    assert (result.code, Path("fox.jpg").read_bytes()) == (0, JPEG)
    assert states(flux) == ["complete"]


HALVES = {"an image": JPEG[: len(JPEG) // 2], "JSON": JSON[: len(JSON) // 2], "events": EVENTS[:-9]}


@pytest.mark.parametrize("half", HALVES.values(), ids=HALVES)
def test_half_an_answer_is_kept_and_not_paid_again(generate, recover, gateway, state, flux, half):
    gateway.answers(reply(half, content_length=str(len(half) + 9)))
    result = generate("a fox", "--json")
    error = result.json["errors"][0]
    (folder,) = folders(state)
    kept = [path for path in folder.iterdir() if path.read_bytes() == half]
    assert (result.code, len(kept), error["may_have_been_billed"]) == (1, 1, True)
    assert "broke before the answer was complete" in error["message"]
    assert f"the answer is kept in {kept[0]}" in error["hint"]
    assert f"flux recover {folder.name}" in error["hint"]
    assert gateway.charges == 1
    again = recover()
    assert (again.code, "broke before the answer was complete" in again.err) == (1, True)
    assert (kept[0].read_bytes(), states(flux)) == (half, ["recoverable"])


def test_what_has_arrived_by_the_deadline_is_recovered(generate, recover, gateway):
    gateway.answers((reply(JSON, content_length=str(len(JSON) + 9)), hold))
    result = generate("a fox", "-o", "fox.jpg", "--timeout", "1")
    assert (result.code, files(), "flux recover" in result.err) == (1, [], True)
    assert (recover().code, Path("fox.jpg").read_bytes()) == (0, JPEG)


def test_no_key_is_kept_with_an_answer(generate, gateway, state):
    for number, body in enumerate((f"<p>{KEY}</p>", json.dumps({"auth": f"Bearer {KEY}"}))):
        gateway.answers(reply(body))
        assert generate("a fox", "-o", f"{number}.jpg").code == 1
    texts = [path.read_text() for path in state.rglob("*") if path.is_file()]
    assert len(texts) == 4
    assert [text for text in texts if KEY in text] == []


def test_no_prompt_is_kept_with_an_answer_for_those_who_want_none(generate, gateway, state):
    for number, body in enumerate(("<p>a purple fox</p>", json.dumps({"made": "a purple fox"}))):
        gateway.answers(reply(body))
        words = ("a purple fox", "-o", f"{number}.jpg")
        assert generate(*words, env={"FLUX_JOURNAL_PROMPTS": "false"}).code == 1
    texts = [path.read_text() for path in state.rglob("*") if path.is_file()]
    assert [text for text in texts if "purple" in text] == []


def test_an_answer_that_is_understood_later_is_saved_and_no_longer_kept(
    generate, recover, gateway, state, flux
):
    """Here, because the server has learned to tell of its tasks."""
    gateway.answers(TASK)
    result = generate("a fox", "-o", "fox.jpg")
    assert (result.code, "task_1" in result.err) == (1, True)
    (folder,) = folders(state)
    assert (folder / "answer1").is_file()
    url = gateway.serves("/media/p", IMAGE)
    gateway.serves(TASKS, reply({"data": {"status": "completed", "output": [url]}}))
    again = recover()
    assert (again.code, files()) == (0, ["fox.jpg"])
    assert Path("fox.jpg").read_bytes() == JPEG
    assert (folders(state), states(flux)) == ([], ["complete"])
    assert "nothing to save" in recover().err


def test_a_task_is_followed_with_the_key_and_its_cost_is_read(generate, gateway):
    url = gateway.serves("/media/p", IMAGE)
    working = reply({"data": {"id": "task_1", "status": "processing"}})
    done = reply({"data": {"status": "completed", "url": url}, "usage": {"cost": 0.04}})
    gateway.serves(TASKS, working, done)
    gateway.answers(TASK)
    result = generate("a fox", "-o", "fox.jpg", "--json")
    (file,) = result.json["files"]
    assert (result.code, file["request_id"], file["cost_usd"]) == (0, "task_1", 0.04)
    polls = [request for request in gateway.requests if request.path == TASKS]
    assert [request.headers["authorization"] for request in polls] == 2 * [f"Bearer {KEY}"]


COSTS = {
    "usage": ({"usage": {"cost": 0.04}}, {}),
    "usage, as text": ({"usage": {"cost": "0.04"}}, {}),
    "the gateway before usage": ({"metadata": {"cost": 0.04}, "usage": {"cost": 9}}, {}),
    "a header": ({}, {"x_litellm_response_cost": "0.04"}),
}


@pytest.mark.parametrize(("body", "headers"), COSTS.values(), ids=COSTS)
def test_the_cost_of_an_answer_is_read_wherever_it_is(generate, gateway, body, headers):
    url = gateway.serves("/media/p", IMAGE)
    gateway.answers(reply({"data": [{"url": url}], **body}, **headers))
    assert generate("a fox", "--json").json["cost_usd"] == 0.04


# --- images on the server itself ------------------------------------------------------------------


def locked(request):
    """An image behind the key."""
    return IMAGE if "authorization" in request.headers else status(401)


def keys_of(server, path: str) -> list[str]:
    return [
        request.headers.get("authorization", "")
        for request in server.requests
        if request.path == path
    ]


@pytest.mark.parametrize("number", [401, 403])
def test_an_image_on_the_server_gets_the_key_if_it_asks_for_it(generate, gateway, number):
    def answer(request):
        return IMAGE if "authorization" in request.headers else status(number)

    gateway.answers(reply({"data": [{"url": gateway.serves("/media/p", answer)}]}))
    assert generate("a fox", "-o", "fox.jpg", "--retries", "0").code == 0
    assert keys_of(gateway, "/media/p") == ["", f"Bearer {KEY}"]
    assert Path("fox.jpg").read_bytes() == JPEG


def test_an_image_on_the_server_that_needs_no_key_gets_none(generate, gateway):
    gateway.answers(reply({"data": [{"url": gateway.serves("/media/p", IMAGE)}]}))
    assert generate("a fox").code == 0
    assert keys_of(gateway, "/media/p") == [""]


def test_another_server_never_gets_the_key(generate, gateway, other):
    gateway.answers(reply({"data": [{"url": other.serves("/p", locked)}]}))
    assert generate("a fox", "--retries", "1").code == 1
    assert set(keys_of(other, "/p")) == {""}


@pytest.mark.parametrize("is_own", [False, True])
def test_the_target_of_a_redirect_never_gets_the_key(generate, gateway, other, is_own):
    """Not even on the server itself: others may have named it."""
    server = gateway if is_own else other
    target = server.serves("/target", locked)
    for place in ("/open", "/locked"):
        step = redirect(target)

        def answer(request, step=step, place=place):
            is_let_in = place == "/open" or "authorization" in request.headers
            return step if is_let_in else status(401)

        gateway.answers(reply({"data": [{"url": gateway.serves(place, answer)}]}))
        assert generate("a fox", "--retries", "0").code == 1
    assert set(keys_of(server, "/target")) == {""}
    assert keys_of(gateway, "/locked") == ["", f"Bearer {KEY}"]


def test_without_a_key_none_is_sent(flux, gateway):
    gateway.answers(reply({"data": [{"url": gateway.serves("/media/p", locked)}]}))
    line = ("generate", "a fox", "-m", "x", "--base-url", gateway.url, "--no-key")
    assert flux(*line, "--retries", "0").code == 1
    assert keys_of(gateway, "/media/p") == [""]


# --- images that are late or cannot be fetched ----------------------------------------------------


@pytest.mark.parametrize("number", [403, 404])
def test_an_image_that_is_late_gets_more_time_than_one_that_fails(generate, gateway, number):
    late = [*[status(number)] * 4, IMAGE]
    gateway.answers(reply({"data": [{"url": gateway.serves("/media/p", *late)}]}))
    assert generate("a fox", "--retries", "1").code == 0
    failing = [*[status(500)] * 4, IMAGE]
    gateway.answers(reply({"data": [{"url": gateway.serves("/media/q", *failing)}]}))
    assert generate("a fox", "--retries", "1").code == 1


def test_an_image_that_was_late_once_already_is_not_waited_for_again(generate, recover, gateway):
    gateway.answers(reply({"data": [{"url": gateway.serves("/media/p", status(404))}]}))
    assert generate("a fox", "--retries", "0").code == 1
    assert recover(env={"FLUX_RETRIES": "1"}).code == 1
    assert gateway.fetched == 3 * ["/media/p"]


@pytest.mark.parametrize("url", ["{origin}/none", "ftp://example.org/p"])
def test_an_address_that_does_not_work_is_followed_by_the_way_without_one(generate, gateway, url):
    gateway.answers(reply({"data": [{"url": url}]}))
    result = generate("a fox", "--retries", "0")
    assert (result.code, "--response-format b64_json" in result.err) == (1, True)
