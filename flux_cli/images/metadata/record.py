"""What is known of how an image was made, and its one form as JSON: in XMP, in sidecars, on stdout."""

from __future__ import annotations

import json
from collections.abc import Mapping

from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.values import read_integer

SCHEMA = 1
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
BY_MODEL, BY_ALGORITHM = "trainedAlgorithmicMedia", "algorithmicMedia"

SIGNED = "it carries signed content credentials (C2PA), which any change would break"
SIGNATURE_LOST = "the conversion drops the content credentials (C2PA) that the provider signed"


class Record(NamedTuple):
    """How one image was made. Empty or None: not known."""

    model: str = ""
    provider: str = ""
    upstream: str = ""  # who did the work behind the provider
    prompt: str = ""
    revised_prompt: str = ""
    negative_prompt: str = ""
    seed: int | None = None
    size: str = ""  # as asked: "1920x1080", "16:9"
    parameters: dict[str, Json] = {}  # noqa: RUF012 - never written to; everything else that was asked
    request_id: str = ""
    created: str = ""  # ISO 8601
    tool: str = ""  # name and version of the program that wrote the image
    source_type: str = ""  # a word of the IPTC's vocabulary: BY_MODEL, BY_ALGORITHM, digitalCapture, ...


TEXTS = tuple(name for name, kind in Record.__annotations__.items() if kind == "str")


def document(record: Record) -> dict[str, Json]:
    """The record as JSON: what is known, by the names of its fields."""
    said = {name: value for name, value in record._asdict().items() if value not in ("", None, {})}
    return {"schema": SCHEMA, **said}


def sidecar_document(record: Record) -> dict[str, Json]:
    """The content of a sidecar file: the record, and its source type as the address the IPTC gives it."""
    kind = {"digital_source_type": SOURCE_TYPES + record.source_type} if record.source_type else {}
    return {**document(record), **kind}


def from_document(said: Json) -> Record | None:
    """The record in a JSON document of ours; None where it is none. Values of a wrong type are left out."""
    if not isinstance(said, Mapping) or said.get("schema") != SCHEMA:
        return None
    texts = {name: value for name in TEXTS if isinstance(value := said.get(name), str)}
    parameters = said.get("parameters")
    return Record(**texts)._replace(  # type: ignore[arg-type] # neither seed nor parameters is among them
        seed=read_integer(said.get("seed")),
        parameters=dict(parameters) if isinstance(parameters, Mapping) else {},
    )


def parsed(text: str) -> Json:
    """JSON that can be written again; None for what is none, too deep, or holds numbers that JSON has not."""
    try:
        value: Json = json.loads(text)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return None
    return value


def without_prompt(record: Record) -> Record:
    """The record without the words of the person who asked, for `--no-prompt-metadata`."""
    kept = {name: value for name, value in record.parameters.items() if "prompt" not in name or _is_figure(value)}
    return record._replace(prompt="", revised_prompt="", negative_prompt="", parameters=kept)


def _is_figure(value: Json) -> bool:
    return isinstance(value, bool | int | float)
