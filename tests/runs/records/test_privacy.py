"""`journal_prompts = false` keeps answers without words of the user, and recoverable."""

import base64
import json

import pytest
from fakes.images import pixels_as

from flux_cli.http.replies import MARK
from flux_cli.runs.records.privacy import (
    PARTS,
    headers_without_prompts,
    is_private_text,
    is_text,
    without_prompts,
)

WORDS = "secret fox"
ECHOES = {
    "prompt": {"prompt": WORDS},
    "negative prompt": {"negative_prompt": WORDS},
    "revised prompt": {"data": [{"revised_prompt": WORDS}]},
    "a prompt in another spelling": {"originalPrompt": WORDS, "Prompts": [WORDS]},
    "the request": {"input": {"text": WORDS, "image": "https://a/secret fox.png"}},
    "messages": {"messages": [{"role": "user", "content": WORDS}]},
    "a caption": {"images": [{"caption": WORDS, "alt": WORDS, "title": WORDS}]},
    "logs": {"logs": f"Using seed: 7\nprompt: {WORDS}"},
    "a list of texts": {"tags": [WORDS, WORDS]},
    "an error as text": {"error": f"flagged: {WORDS}"},
    "an error as an object": {"error": {"code": "MODERATION_BLOCKED", "message": WORDS}},
    "details": {"detail": [{"msg": WORDS, "input": WORDS}]},
}


def kept(answer):
    return json.loads(without_prompts(json.dumps(answer).encode()))


@pytest.mark.parametrize("answer", ECHOES.values(), ids=ECHOES)
def test_no_echo_of_the_user_is_kept(answer):
    text = json.dumps(kept(answer))
    assert [word for word in WORDS.split() if word in text] == []


ANSWERS = {
    "gateway": {"data": [{"url": "https://c/d"}], "metadata": {"cost": 0.06, "provider": "fal"}},
    "inline": {"data": [{"b64_json": "iVBORw0KGgoAAAANSUhEUg=="}]},
    "spooled": {"data": [{"b64_json": f"{MARK}abc"}]},
    "bfl": {
        "id": "x",
        "polling_url": "https://a/b",
        "cost": 6.0,
        "status": "Ready",
        "result": {"sample": "https://c/d"},
    },
    "fal": {
        "request_id": "r",
        "status": "COMPLETED",
        "status_url": "https://a/b",
        "images": [{"url": "data:;base64,iVBORw0KGgoAAAANSUhEUg=="}],
    },
    "replicate": {
        "id": "x",
        "status": "succeeded",
        "urls": {"get": "https://a/b"},
        "output": ["https://c/d"],
    },
    "figures": {"seed": 7, "created": 1.5, "nsfw": [False], "error": None},
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_what_leads_to_an_image_is_kept(answer):
    assert kept(answer) == answer


IMAGE = pixels_as("png", 8, 8)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="8"><title>fox</title></svg>'


def encoded(data):
    return base64.b64encode(data).decode()


INLINE = {
    "base64 of text": encoded(WORDS.encode() * 30),
    "base64 of UTF-16": encoded((WORDS * 30).encode("utf-16")),
    "base64 of a cut SVG": encoded(SVG[:-6]),
    "text that is not base64": f"{WORDS} @@@{'A' * 200}",
    "a data URI of text": f"data:text/plain,{WORDS}",
    "a data URI with base64 of text": f"data:image/png;base64,{encoded(WORDS.encode() * 30)}",
}


@pytest.mark.parametrize("text", INLINE.values(), ids=INLINE)
def test_text_in_the_place_of_an_image_is_not_kept(text):
    assert kept({"data": [{"b64_json": text}]}) == {"data": [{"b64_json": MARK}]}


@pytest.mark.parametrize("image", [IMAGE, IMAGE[:-9], SVG], ids=["whole", "cut", "SVG"])
def test_an_image_in_base64_is_kept(image):
    for answer in ({"b64_json": encoded(image)}, {"url": f"data:;base64,{encoded(image)}"}):
        assert kept(answer) == answer
    for text in (encoded(image), f"data:image/png;base64,{encoded(image)}"):
        assert not is_private_text(text.encode())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("text", [WORDS, "ein Füchslein\n", "狐と雪" * 500 + "🦊" * 300])
def test_text_is_known_in_every_encoding(text, encoding):
    assert is_text(text.encode(encoding))


def test_binary_data_is_not_text():
    assert not is_text(IMAGE)
    assert not is_text(b"\0" * 20 + b"fox")
    assert not is_text(bytes(range(256)) * 8)


def test_an_answer_that_says_error_still_says_so():
    assert kept({"error": WORDS})["error"]
    assert kept({"error": {"message": WORDS}})["error"]
    assert kept({"error": {"code": "MODERATION_BLOCKED", "message": WORDS}}) == {
        "error": {"code": "MODERATION_BLOCKED"}
    }


def test_what_is_not_json_is_not_kept():
    assert without_prompts(b"<html>secret fox") == b"null"


def test_headers_that_repeat_a_prompt_are_not_kept():
    headers = {"x-request-id": "q", "x-revised-prompt": WORDS}
    assert headers_without_prompts(headers) == {"x-request-id": "q"}


@pytest.mark.parametrize("filler", ["[]", "1", '{"a": {}}', '["a", [1, [2]]]', '{"prompt": "x"}'])
def test_of_an_answer_of_millions_of_values_only_the_first_are_kept(filler):
    """To look at all of them would take longer than the image."""
    image = '{"url": "https://host/fox.png", "revised_prompt": "a fox"}'
    body = f'{{"data": [{image}], "more": [{", ".join([filler] * 300_000)}]}}'
    kept = without_prompts(body.encode())
    assert json.loads(kept)["data"] == [{"url": "https://host/fox.png"}]
    assert kept.count(b",") < PARTS
