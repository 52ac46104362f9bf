"""The id of a request, as providers, gateways and their fronts name it."""

from __future__ import annotations

from flux_cli.core.model import Json
from flux_cli.core.outcome import Reply
from flux_cli.core.text import plain
from flux_cli.http.replies.parse import parse_json

# The nearest to the model first: a front's id helps only if nobody else gave one.
HEADERS = (
    "x-lumenfall-request-id",
    "x-request-id",
    "x-fal-request-id",
    "x-litellm-call-id",
    "request-id",
    "x-requestid",
    "requestid",
    "x-oneapi-request-id",
    "x-portkey-trace-id",
    "x-generation-id",
    "helicone-id",
    "x-siliconcloud-trace-id",
    "apim-request-id",
    "x-ms-request-id",
    "x-amzn-requestid",
    "x-amz-request-id",
    "x-goog-request-id",
    "x-correlation-id",
    "x-trace-id",
    "trace-id",
    "x-kong-request-id",
    "x-vercel-id",
    "x-amzn-trace-id",
    "x-cloud-trace-context",
    "cf-ray",
)
FIELDS = ("request_id", "requestid", "request-id", "id")


def request_id_of(reply: Reply, body: Json = None) -> str:
    """The provider's id of this request, from a header or the body; "" if there is none."""
    for name in HEADERS:
        if value := reply.headers.get(name):
            return plain(value, 100)
    return _id_in(body)


def id_of_failure(reply: Reply) -> str:
    """The id of a request that failed, which may also stand inside the error; "" without one."""
    body = parse_json(reply.data)
    error = body.get("error") if isinstance(body, dict) else None
    return request_id_of(reply, body) or _id_in(error)


def _id_in(body: Json) -> str:
    if not isinstance(body, dict):
        return ""
    named = {name.lower(): value for name, value in body.items()}
    found = [value for value in map(named.get, FIELDS) if isinstance(value, str) and value]
    return plain(found[0], 100) if found else ""
