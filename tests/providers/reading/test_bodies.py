"""Bodies that are JSON, streams of events, or lines of JSON."""

import json

import pytest

from flux_cli.http.replies import MARK
from flux_cli.providers.reading.bodies import read_body, whole_body
from flux_cli.providers.reading.finder import find_images

URL, OTHER = "https://cdn.example/p", "https://cdn.example/q"


def event(kind: str, body: object, end: str = "\n") -> str:
    named = f"event: {kind}{end}" if kind else ""
    return f"{named}data: {json.dumps(body)}{end}{end}"


PARTIAL = event("image_generation.partial_image", {"url": OTHER, "partial_image_index": 0})
DONE = {"type": "image_generation.completed", "url": URL, "usage": {"cost": 0.04}}
STREAMS = {
    "one event": (event("", DONE), [URL]),
    "partial images before it": (PARTIAL + PARTIAL + event("", DONE), [URL]),
    "a partial image after it": (event("", DONE) + PARTIAL, [URL]),
    "the type only as the event's name": (PARTIAL + event("completed", {"url": URL}), [URL]),
    "no types: the last has the image": (event("", {"url": OTHER}) + event("", {"url": URL}), [URL]),
    "two images": (event("", DONE) + event("", {**DONE, "url": OTHER}), [URL, OTHER]),
    "Volcengine": (event("image_generation.partial_succeeded", {"url": URL}) + event("image_generation.completed", {"usage": {}}), [URL]),
    "a running task": (event("", {"status": "in_progress", "image": URL}), []),
    "comments, ids and an end mark": (f": hello\nid: 1\n{event('', DONE)}data: [DONE]\n\n", [URL]),
    "lines of Windows": (event("x", DONE, "\r\n"), [URL]),
    "no blank line at the end": (event("", DONE).rstrip("\n"), [URL]),
    "JSON in several lines": ('data: {"url":\ndata: "https://cdn.example/p"}\n\n', [URL]),
    "a byte order mark": ("\ufeff" + event("", DONE), [URL]),
    "lines of JSON": ('{"status": "drawing"}\n{"url": "https://cdn.example/p"}\n', [URL]),
    "partial images only": (PARTIAL, []),
    "an error": (event("error", {"error": {"message": "it fell"}}), []),
}  # fmt: skip


@pytest.mark.parametrize(("text", "urls"), STREAMS.values(), ids=STREAMS)
def test_the_image_of_a_stream_is_that_of_its_last_whole_event(text, urls):
    found = find_images(read_body(text.encode()))
    assert [image.sources[0] for image in found] == urls


def test_a_stream_without_an_image_still_says_why():
    text = PARTIAL + event("error", {"error": {"message": "it fell"}})
    assert read_body(text.encode())["error"] == {"message": "it fell"}


def test_what_is_beside_the_image_of_a_stream_is_kept():
    assert read_body((PARTIAL + event("", DONE)).encode())["usage"] == {"cost": 0.04}


@pytest.mark.parametrize(
    "data", [b"", b"ok", b"<html>", b'{"data": [{"url', b"\x80\xff", b"data: x"]
)
def test_other_bodies_are_none(data):
    assert read_body(data) is None


def test_json_is_itself():
    assert read_body(b'{"data": []}') == {"data": []}


def test_a_whole_body_is_known_by_its_mark():
    assert whole_body(read_body(json.dumps(f"{MARK}abc").encode())) == f"{MARK}abc"
    assert [whole_body(body) for body in ("abc", None, {"a": f"{MARK}abc"})] == ["", "", ""]
