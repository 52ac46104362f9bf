"""Digests of what was requested: equal for equal requests, whoever sends them and however. Pure."""

from __future__ import annotations

import json
from hashlib import sha256

from flux_cli.core.errors import ImageError
from flux_cli.core.request import ADDRESSES, COUNTS, Attachment
from flux_cli.http.datauri import decode_data_uri
from flux_cli.images.metadata.record import NOT_RECORDED
from flux_cli.request.size import NAMES as SHAPE
from flux_cli.request.size import own_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Json
    from flux_cli.core.request import Reference, Request, Resolved, Value

SCHEMA = 1  # increased when the digests of the same facts change
DIGITS = 16  # hex digits
# `json.dumps` would make an encoder for each value.
ENCODER = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))
LEFT_OUT = frozenset((*NOT_RECORDED, *COUNTS))  # none of them changes the image, except the size


def digest_of_json(facts: dict[str, Json], digits: int = DIGITS) -> str:
    """The beginning of the SHA-256 of canonical JSON in UTF-8.

    The schema version is part of it. Text that is not valid Unicode counts by its code points.
    """
    text = canonical({"schema": SCHEMA, **facts})
    return sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:digits]


def canonical(value: Json) -> str:
    """Canonical JSON: sorted keys, no spaces."""
    return ENCODER.encode(value)


def resolved_digest(resolved: Resolved) -> str:
    """The digest of what decides an image, except the seed: 16 hex digits."""
    return digest_of_json(resolved_facts(resolved))


def resolved_facts(resolved: Resolved) -> dict[str, Json]:
    """What decides an image, except the seed: model, prompt, size, other parameters, references.

    Only what the user wrote counts, resolved against the catalog alone: defaults, the provider and
    its upstreams change nothing. A reference counts by the bytes of its file, or as a URL by its
    text.
    """
    typed = resolved.request.parameters
    parameters: dict[str, Json] = {
        name: _reference(typed.get(name), value)
        for name, value in resolved.parameters.items()
        if name not in LEFT_OUT
    }
    facts: dict[str, Json] = {
        "model": resolved.model_id,
        "prompt": resolved.prompt,
        "size": _nominal_size(resolved),
        "parameters": parameters,
    }
    return facts | references_of(resolved.request)


def references_of(request: Request) -> dict[str, Json]:
    """The references and the mask of a request as they count, if it has any."""
    if not request.references:
        return {}
    facts: dict[str, Json] = {"references": [_counted(one) for one in request.references]}
    return facts | ({"mask": request.mask.digest} if request.mask else {})


def _counted(reference: Reference) -> str:
    """A URL counts by its text, whether flux or the provider reads it."""
    is_file = reference.digest and not reference.asked.startswith(ADDRESSES)
    return reference.digest if is_file else reference.asked


def _nominal_size(resolved: Resolved) -> Json:
    """The model's size for what was written, whoever makes the image; None if nothing was.

    The sizes of a model that is not in the catalog are unknown: its size is what is sent.
    """
    if not resolved.model:
        return resolved.parameters.get("size")
    typed = {name: resolved.request.parameters.get(name) for name in SHAPE}
    if not any(typed.values()):
        return None
    return own_size(typed, resolved.model).name


def _reference(typed: Value, value: Json) -> Json:
    """A parameter as it counts: an image by the SHA-256 of its bytes, or by its URL."""
    if isinstance(typed, Attachment) and typed.asked.startswith(ADDRESSES):
        return typed.asked  # downloaded for a provider that takes no URLs
    if isinstance(typed, Attachment) and typed.digest:
        return typed.digest
    if not isinstance(value, str) or not value.startswith("data:"):
        return value
    try:
        return sha256(decode_data_uri(value, len(value))).hexdigest()
    except ImageError:  # nobody checks the data URIs that users write themselves
        return value
