"""The record of how an image was made, and its JSON form: in XMP, sidecar files and on stdout."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping

from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json
from flux_cli.core.request import Attachment
from flux_cli.core.text import redact, redact_json
from flux_cli.core.values import read_integer, shorten

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from flux_cli.core.request import Reference, Request, Resolved, Value

SCHEMA = 1
SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
BY_MODEL, BY_ALGORITHM = "trainedAlgorithmicMedia", "algorithmicMedia"

SIGNED = "it carries signed content credentials (C2PA), which any change would break"

# Parameters with a field of their own, and those about how an image is transferred and stored, or
# whether a sketch is marked as one.
NOT_RECORDED = (
    "size",
    "seed",
    "n",
    "output_format",
    "output_compression",
    "response_format",
    "sync_mode",
    "badge",
)


class Record(NamedTuple):
    """How one image was made. Empty or None means unknown."""

    model: str = ""
    provider: str = ""
    upstream: str = ""  # the service behind the provider that made the image
    prompt: str = ""
    revised_prompt: str = ""
    negative_prompt: str = ""
    seed: int | None = None
    requested_seed: int | None = None  # if the provider reported another one
    size: str = ""  # as requested: "1920x1080", "16:9"
    parameters: dict[str, Json] = {}  # noqa: RUF012 - never changed; all other parameters
    finish: dict[str, Json] = {}  # noqa: RUF012 - never changed; how flux made files of the image
    request_digest: str = ""  # of all that decides the image, except the seed
    request_id: str = ""
    created: str = ""  # ISO 8601
    tool: str = ""  # name and version of the program that wrote the image
    source_type: str = ""  # from IPTC's vocabulary: BY_MODEL, BY_ALGORITHM, digitalCapture, ...

    @property
    def is_comparable(self) -> bool:
        """Whether it says enough about the request to tell it from every other one."""
        return bool(self.request_digest or self.prompt)

    @property
    def is_sketch(self) -> bool:
        """Whether flux drew the image offline, without a model."""
        return self.source_type == BY_ALGORITHM


TEXTS = tuple(name for name, kind in Record.__annotations__.items() if kind == "str")
SEEDS = ("seed", "requested_seed")
OBJECTS = ("parameters", "finish")


def known_fields(record: Record) -> dict[str, Any]:
    """The fields whose value is known."""
    return {name: value for name, value in record._asdict().items() if value not in ("", None, {})}


def record_of_run(
    resolved: Resolved, digest: str, provider: str, *, hosted: bool, created: str, tool: str
) -> Record:
    """What is known about every image of a run before it is made; each image adds the rest.

    `digest` is that of the request. The record of an offline sketch (not `hosted`) has no
    model, because none was used.
    """
    requested = resolved.request.parameters
    others = [name for name in requested if name not in NOT_RECORDED]
    asked = requested.get("size")
    size = asked if isinstance(asked, str) else ""
    parameters = {name: _recorded_value(requested[name]) for name in others}
    record = Record(
        provider=provider,
        prompt=resolved.prompt,
        size=size,
        parameters=parameters | _references(resolved.request),
        request_digest=digest,
        created=created,
        tool=tool,
        source_type=BY_ALGORITHM,
    )
    if not hosted:
        return record
    return record._replace(model=resolved.model_id, source_type=BY_MODEL)


def _references(request: Request) -> dict[str, Json]:
    """The images of a request by name and SHA-256. Paths and URLs are nobody's business."""
    if not request.references:
        return {}
    recorded: dict[str, Json] = {"image": [_identity(one) for one in request.references]}
    return recorded | ({"mask": _identity(request.mask)} if request.mask else {})


def _identity(reference: Reference) -> dict[str, Json]:
    identity: dict[str, Json] = {"name": reference.name}
    return identity | ({"sha256": reference.digest} if reference.digest else {})


def _recorded_value(value: Value) -> Json:
    """A parameter as it is recorded: images by file name, data URIs by their beginning."""
    if isinstance(value, Attachment):
        return value.asked
    if isinstance(value, str) and value.startswith("data:"):
        return shorten(value)
    return value


def document(record: Record) -> dict[str, Json]:
    """The record as JSON: the known fields, by name."""
    return {"schema": SCHEMA, **known_fields(record)}


def sidecar_document(record: Record) -> dict[str, Json]:
    """The content of a sidecar file: the record, and the IPTC URL of its source type."""
    sidecar = document(record)
    if record.source_type:
        sidecar["digital_source_type"] = SOURCE_TYPES + record.source_type
    return sidecar


def from_document(value: Json) -> Record | None:
    """The record in a JSON document of flux; None for any other document.

    Values of a wrong type are ignored.
    """
    if not isinstance(value, Mapping) or value.get("schema") != SCHEMA:
        return None
    texts = {name: text for name in TEXTS if isinstance(text := value.get(name), str)}
    record = Record(**texts)  # type: ignore[arg-type] # neither seeds nor objects are texts
    for name in OBJECTS:
        part = value.get(name)
        if isinstance(part, Mapping):
            record = record._replace(**{name: dict(part)})  # type: ignore[arg-type] # see OBJECTS
    seed, requested_seed = (read_integer(value.get(name)) for name in SEEDS)
    return record._replace(seed=seed, requested_seed=requested_seed)


_INTEGER = re.compile(r"\d{1,19}", re.ASCII)
_SIZE = re.compile(r"\(?(\d{1,6}) ?([x\u00d7,:]) ?(\d{1,6})\)?", re.ASCII)


def record_of(metadata: Mapping[str, Json], parameters: Mapping[str, Json]) -> Record:
    """A record of another program's values; values of a wrong type are left out.

    So is a negative seed, which stands for any seed.
    """
    values = dict(metadata)
    seed, size = str(values.pop("seed", "")), _SIZE.fullmatch(str(values.pop("size", "")))
    texts = {name: value for name, value in values.items() if isinstance(value, str)}
    record = Record(**texts)  # type: ignore[arg-type] # neither seed nor parameters are texts
    kept: dict[str, Json] = {
        name: part for name, part in parameters.items() if isinstance(part, str | int | float)
    }
    record = record._replace(parameters=kept, source_type=BY_MODEL)
    if _INTEGER.fullmatch(seed):
        record = record._replace(seed=int(seed))
    if size:
        between = ":" if size[2] == ":" else "x"
        record = record._replace(size=f"{size[1]}{between}{size[3]}")
    return record


def parse_json(text: str) -> Json:
    """The value of a JSON text, if it can be written as JSON again.

    NaN and numbers without end, which Python's programs write, become None. None for text that is
    not JSON, or is nested too deeply.
    """
    try:
        value: Json = json.loads(text, parse_constant=_none, parse_float=_finite)
        json.dumps(value, allow_nan=False)
    except (ValueError, RecursionError):
        return None
    return value


def _none(_: str) -> None:
    return None


def _finite(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


def without_prompt(record: Record) -> Record:
    """The record without prompts, for `--no-prompt-metadata`."""
    parameters = record.parameters.items()
    kept = {name: value for name, value in parameters if not _is_prompt(name, value)}
    return record._replace(prompt="", revised_prompt="", negative_prompt="", parameters=kept)


def without_keys(record: Record) -> Record:
    """The record without the keys of this run: a server may send one back in any text."""
    texts = {name: redact(getattr(record, name)) for name in TEXTS}
    parameters = {redact(name): redact_json(part) for name, part in record.parameters.items()}
    record = record._replace(**texts)  # type: ignore[arg-type] # no seed is text
    return record._replace(parameters=parameters)


def _is_prompt(name: str, value: Json) -> bool:
    """Whether a parameter is a prompt, and not a number about one, such as its strength."""
    return "prompt" in name and not isinstance(value, bool | int | float)
