"""Of all images that an answer names, those that were made are saved, from any place that works."""

import base64
import json
from pathlib import Path

import pytest
from fakes.gateway import status
from fakes.images import pixels_as
from fakes.messages import reply

from e2e.recovery import files

pytestmark = pytest.mark.slow

MADE, SENT = pixels_as("jpeg"), pixels_as("png", 300, 300)  # long enough to be moved into files
IMAGE = reply(MADE, content_type="image/jpeg")
MADE64, SENT64 = (base64.b64encode(data).decode() for data in (MADE, SENT))


@pytest.fixture
def edit(generate):
    """Send the image `ref.png` with a prompt."""

    def run(*words: str):
        Path("ref.png").write_bytes(SENT)
        return generate("a fox", "-p", "image=@ref.png", "-o", "fox.jpg", "--retries", "0", *words)

    return run


ECHOES = {
    "beside the result": {"data": [{"b64_json": SENT64}], "images": [MADE64]},
    "before the result": {"images": [SENT64, MADE64]},
    "under the name of a result": {"image": SENT64, "output": MADE64},
    "with an address": {"data": [{"b64_json": SENT64, "url": "{origin}/media/p"}]},
    "at an address": {"data": [{"url": "{origin}/media/ref"}], "output": "{origin}/media/p"},
}


@pytest.mark.parametrize("body", ECHOES.values(), ids=ECHOES)
def test_an_image_of_the_request_is_never_saved_as_the_result(edit, gateway, body):
    gateway.serves("/media/p", IMAGE)
    gateway.serves("/media/ref", reply(SENT, content_type="image/png"))
    gateway.answers(reply(json.loads(json.dumps(body).replace("{origin}", gateway.origin))))
    result = edit()
    assert (result.code, Path("fox.jpg").read_bytes()) == (0, MADE), result.err


def test_an_answer_with_only_the_image_of_the_request_has_none_also_later(edit, recover, gateway):
    gateway.answers(reply({"data": [{"b64_json": SENT64}], "status": "ok"}))
    result = edit()
    assert (result.code, "the answer has no image" in result.err) == (1, True)
    again = recover()
    assert (again.code, files()) == (1, ["ref.png"]), again.err


SECOND_PLACES = {
    "a list": {"data": [{"url": "{origin}/none"}], "images": ["{origin}/media/p"]},
    "base64": {"data": [{"b64_json": f"%%%{MADE64}"}], "images": [MADE64]},
}


@pytest.mark.parametrize("body", SECOND_PLACES.values(), ids=SECOND_PLACES)
def test_an_image_that_cannot_be_fetched_is_looked_for_in_other_places(generate, gateway, body):
    gateway.serves("/media/p", IMAGE)
    gateway.answers(reply(json.loads(json.dumps(body).replace("{origin}", gateway.origin))))
    result = generate("a fox", "-o", "fox.jpg", "--retries", "0")
    assert (result.code, files()) == (0, ["fox.jpg"]), result.err
    assert Path("fox.jpg").read_bytes() == MADE


def test_the_image_of_a_running_task_is_a_preview(generate, gateway):
    address = gateway.serves(
        "/state",
        status(404),  # not known everywhere yet
        reply({"status": "processing", "image": SENT64}),
        reply({"status": "blue", "id": "t"}),  # a word of its own
        reply({"status": "succeeded", "output": [gateway.serves("/media/p", IMAGE)]}),
    )
    gateway.answers(reply({"status": "processing", "image": SENT64, "status_url": address}))
    result = generate("a fox", "-o", "fox.jpg")
    assert (result.code, Path("fox.jpg").read_bytes()) == (0, MADE), result.err


def test_a_task_whose_address_is_in_a_header_can_be_recovered(generate, recover, gateway):
    address = gateway.serves("/state", reply({"status": "running"}))
    gateway.answers(reply({"id": "t"}, operation_location=address))
    assert generate("a fox", "-o", "fox.jpg", "--timeout", "1").code == 1
    gateway.serves("/state", reply({"status": "succeeded", "data": [{"b64_json": MADE64}]}))
    result = recover()
    assert (result.code, files(), len(gateway.paid)) == (0, ["fox.jpg"], 1), result.err
