"""Reads the body of a good answer: JSON, a stream of events, or lines of JSON."""

from __future__ import annotations

from collections.abc import Iterator

from flux_cli.core.model import Json
from flux_cli.http.replies import MARK, parse_json
from flux_cli.providers.reading.finder import find_images

PARTIAL = ("partial", "progress", "preview")  # words in the type of an event before the image
FINAL = ("complete", "done", "final", "result", "succe")  # words in the type of one with an image
SETTLED = ("succe", "fail")  # one of several images is there, or will not be
PARTIAL_FIELDS = ("partial_image_index", "partial_image")
LAST_EVENT = b"[DONE]"
MAX_EVENTS = 10_000


def read_body(data: bytes) -> Json:
    """The JSON of a body; of several events, the one that has the image. None for other bodies."""
    body = parse_json(data)
    if body is None and data:
        return _result(list(_events(data)))
    return body


def has_end(data: bytes) -> bool:
    """Whether a body is whole, as far as it shows: JSON, or events up to a final one."""
    if parse_json(data) is not None or data.rstrip().endswith(LAST_EVENT):
        return True
    return any(_has_word(event, FINAL) for event in _events(data))


def whole_body(body: Json) -> str:
    """The mark of the file with a body that is not JSON; "" if the body is JSON."""
    return body if isinstance(body, str) and body.startswith(MARK) else ""


def _result(events: list[dict[str, Json]]) -> Json:
    """The event with the image. Several that are final, each with an image, become a list.

    If none has an image, the last one, which may say why. An unfinished image is no image.
    """
    if not events:
        return None
    whole = [event for event in events if not _is_partial(event) and find_images(event)]
    final = [event for event in whole if _has_word(event, FINAL)]
    if len(final) > 1:
        return {**final[-1], "data": list(final)}
    if whole:
        return whole[-1]
    telling = [event for event in events if not _is_partial(event)]
    return telling[-1] if telling else {}


def _is_partial(event: dict[str, Json]) -> bool:
    if _has_word(event, SETTLED):
        return False
    return _has_word(event, PARTIAL) or any(name in event for name in PARTIAL_FIELDS)


def _has_word(event: dict[str, Json], words: tuple[str, ...]) -> bool:
    kind = str(event.get("type") or event.get("event") or "").lower()
    return any(word in kind for word in words)


def _events(data: bytes) -> Iterator[dict[str, Json]]:
    """The JSON objects of `text/event-stream`, or of lines that are JSON each."""
    text = data.decode("utf-8", "replace").removeprefix("\ufeff")
    kind, payload, count = "", "", 0
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for line in (*lines, ""):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line.startswith(("{", "[")):
            kind, payload, line = "", line, ""  # noqa: PLW2901 - a line of its own is an event
        elif name == "event":
            kind = value
        elif name == "data":
            payload += value
        if line:
            continue
        body = parse_json(payload.encode()) if payload else None
        if isinstance(body, dict) and count < MAX_EVENTS:
            count += 1
            yield {"type": kind, **body} if kind else body
        kind, payload = "", ""
