"""Reads what a client asks for: the JSON of a generation, or the fields of an edit. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from flux_cli.core.model import Json
from flux_cli.core.values import parse_value
from flux_cli.images.formats import FORMATS
from flux_cli.request.expansion.strict_json import read_json
from flux_cli.serve.answering.refusals import Refusal

MOST = 10  # images of one request, as OpenAI takes
URL, DATA = "url", "b64_json"
DATA_ONLY = "gpt-image"  # models whose answers never have a URL, as OpenAI's clients expect
TEXTS = ("prompt", "model", "response_format", "output_format", "size", "user")
DEEPEST = 64  # levels of JSON


class Asked(NamedTuple):
    """One request. `values` are parameters of the model, under the names that the client used.

    `keys` are those of the answer: `url`, `b64_json`, or both. `images` and `mask` are paths of
    files that were uploaded.
    """

    prompt: str
    model: str | None = None
    n: int = 1
    values: Mapping[str, Json] = {}
    keys: tuple[str, ...] = (URL, DATA)
    output_format: str | None = None
    streams: bool = False
    images: tuple[str, ...] = ()
    mask: str | None = None


def read_body(data: bytes) -> dict[str, Json]:
    """The JSON object of a body, without what is null. Raises Refusal."""
    try:
        found = read_json(data.decode("utf-8-sig"))
    except RecursionError as fault:
        raise Refusal(400, "the body is nested too deeply", code="invalid_json") from fault
    except ValueError as fault:
        raise Refusal(400, f"the body is not valid JSON: {fault}", code="invalid_json") from fault
    if not isinstance(found, dict):
        raise Refusal(400, "the body is not a JSON object", code="invalid_json")
    if _depth(found) > DEEPEST:
        raise Refusal(400, "the body is nested too deeply", code="invalid_json")
    return {name: value for name, value in found.items() if value is not None}


def read_fields(fields: Mapping[str, str]) -> dict[str, Json]:
    """The fields of a form, in which everything is text, with the types of JSON."""
    typed: dict[str, Json] = {}
    for name, text in fields.items():
        if name in TEXTS:
            typed[name] = text
        elif text != "":
            typed[name] = _plain(parse_value(text))
    return typed


def read_asked(body: Mapping[str, Json]) -> Asked:
    """A request from its fields. Raises Refusal for one that no provider would understand."""
    rest = dict(body)
    prompt = rest.pop("prompt", "")
    if not isinstance(prompt, str):
        raise _wrong("prompt", prompt, "text")
    model = rest.pop("model", None)
    if model is not None and not isinstance(model, str):
        raise _wrong("model", model, "text")
    n = rest.pop("n", 1)
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= MOST:
        raise _wrong("n", n, f"a whole number from 1 to {MOST}")
    streams = rest.pop("stream", False)
    if not isinstance(streams, bool):
        raise _wrong("stream", streams, "true or false")
    rest.pop("partial_images", None)  # there are none: a provider sends the whole image
    keys = _keys(rest.pop("response_format", None), model or "")
    output_format = rest.pop("output_format", None)
    if output_format not in (None, *FORMATS):
        raise _wrong("output_format", output_format, ", ".join(FORMATS))
    if rest.get("size") == "auto":
        del rest["size"]
    chosen = None if output_format is None else str(output_format)
    return Asked(prompt, model or None, n, rest, keys, chosen, streams)


def _keys(asked: Json, model: str) -> tuple[str, ...]:
    """Which keys the images of the answer have."""
    if asked is None:
        return (DATA,) if model.startswith(DATA_ONLY) else (URL, DATA)
    if asked not in (URL, DATA):
        raise _wrong("response_format", asked, f"{URL} or {DATA}")
    return (str(asked),)


def _wrong(name: str, value: Json, expected: str) -> Refusal:
    message = f"{name} is {str(value)[:80]!r}, and must be {expected}"
    return Refusal(400, message, code="invalid_value", param=name)


def _plain(value: Json) -> Json:
    return str(value) if isinstance(value, str) else value


def _depth(value: Any) -> int:  # noqa: ANN401 - what JSON can be
    """How many levels a value has, counted without recursion."""
    deepest, todo = 0, [(value, 1)]
    while todo:
        one, level = todo.pop()
        deepest = max(deepest, level)
        inner = one.values() if isinstance(one, dict) else one
        if isinstance(one, dict | list):
            todo += [(item, level + 1) for item in inner]
    return deepest
