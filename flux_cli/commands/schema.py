"""`flux schema`: the JSON Schema of what `--json` prints, made from shapes.

Each shape stands beside the function that makes its document. A shape is plain data, so that it
costs nothing in commands that print no schema:

    "text"              also "integer", "number", "boolean", "object", "null", and "any"
    "text?"             text or null
    "#file"             the definition of that name; "#error?" may be null as well
    ("ok", "failed")    one of these words, or of these definitions
    ["text"]            a list of texts; [] is an empty list
    {"path": "text"}    an object with these keys, and any that a later version of flux adds
    {"html?": "text"}   a key that is present only if it was requested
    {"...": "any"}      an object with any other keys, each with such a value

Described keys stay; new keys may be added.
"""

from __future__ import annotations

from flux_cli.build.planning import document as build
from flux_cli.commands import convert, models, providers, show, sizes
from flux_cli.commands.config.show import SETTINGS_DOCUMENT
from flux_cli.commands.gateway import show as gateway
from flux_cli.commands.history import runs
from flux_cli.commands.setup import shapes as doctor
from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.runs import documents, fields
from flux_cli.runs.combined.documents import ABOUT, PART

TYPE_CHECKING = False
if TYPE_CHECKING:
    from flux_cli.core.model import Json

Node = dict[str, "Json"]

DOCUMENTS = {  # by command, what it prints unless it fails
    "generate": ("report", "dry_run"),
    "edit": ("report", "dry_run"),
    "resolve": ("resolution",),
    "sizes": ("size_table",),
    "models": ("model_list",),
    "providers": ("provider_list",),
    "config": ("settings",),
    "runs": ("run_list",),
    "recover": ("recovery",),
    "show": ("images",),
    "convert": ("conversion",),
    "build": ("build",),
    "doctor": ("diagnosis",),
}
COMMANDS = tuple(DOCUMENTS)
SHAPES: dict[str, object] = {
    "report": {**documents.REPORT, "html?": "text", "sheet?": "text"},
    "dry_run": documents.DRY_RUN,
    "failure": documents.FAILURE,
    "resolution": documents.RESOLUTION,
    "recovery": documents.RECOVERY,
    "recovered": documents.RECOVERED,
    "run_list": runs.RUN_LIST,
    "run": runs.RUN,
    "entry": runs.ENTRY,
    "canceled_job": documents.CANCELED_JOB,
    "part": PART,
    "request": fields.REQUEST,
    "resolved": fields.RESOLVED,
    "note": fields.NOTE,
    "send": fields.SEND,
    "file": {**fields.FILE, **ABOUT},
    "planned_file": {**fields.PLANNED_FILE, **ABOUT},
    "skipped": {**fields.SKIPPED, **ABOUT},
    "outdated": fields.OUTDATED,
    "error": fields.ERROR,
    "request_error": {**fields.REQUEST_ERROR, **ABOUT},
    "size_table": sizes.SIZE_TABLE,
    "size": sizes.SIZE,
    "size_match": sizes.MATCH,
    "model_list": models.MODEL_LIST,
    "model": models.MODEL,
    "parameter": models.PARAMETER,
    "gateway_schema": gateway.SCHEMA,
    "schema_parameter": gateway.PARAMETER,
    "provider_list": providers.PROVIDER_LIST,
    "provider": providers.PROVIDER,
    "settings": SETTINGS_DOCUMENT,
    "images": show.IMAGES,
    "image": show.IMAGE,
    "conversion": convert.CONVERSION,
    "build": build.BUILD,
    "build_step": build.STEP,
    "build_change": build.CHANGE,
    "build_move": build.MOVE,
    "diagnosis": doctor.DIAGNOSIS,
    "check": doctor.FOUND,
}


def schema_document(command: str | None = None) -> Node:
    """The schema of everything that one command (None: any command) prints with `--json`.

    Raises UsageError for a command that prints no JSON.
    """
    if command is not None and command not in COMMANDS:
        hint = did_you_mean(command, COMMANDS) or f"commands: {', '.join(COMMANDS)}"
        raise UsageError(f"{command!r} prints no JSON", hint=hint)
    definitions: Node = {}
    for name, kinds in DOCUMENTS.items():
        definitions[name] = _any_of([*kinds, "failure"])
    for name, shape in SHAPES.items():
        definitions[name] = schema_of(shape)
    top = _reference(command) if command else _any_of(COMMANDS)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "flux --json",
        **top,
        "$defs": definitions,
    }


def schema_of(shape: object) -> Node:
    """The JSON Schema of a shape. Raises TypeError for anything else."""
    if isinstance(shape, str):
        return _schema_of_word(shape)
    if isinstance(shape, tuple):
        return _schema_of_choice(shape)
    if isinstance(shape, list):
        return {"type": "array", "items": schema_of(shape[0])} if shape else {"const": []}
    if isinstance(shape, dict):
        return _schema_of_object(shape)
    raise TypeError(f"{shape!r} is not a shape")


TYPES = {
    "text": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "object": "object",
    "null": "null",
}


def _schema_of_word(word: str) -> Node:
    if word == "any":
        return {}
    name = word.removesuffix("?")
    may_be_null = name != word
    if name.startswith("#"):
        reference = _reference(name[1:])
        return {"anyOf": [reference, {"type": "null"}]} if may_be_null else reference
    return {"type": [TYPES[name], "null"] if may_be_null else TYPES[name]}


def _schema_of_choice(choices: tuple[object, ...]) -> Node:
    names = [one[1:] for one in choices if isinstance(one, str) and one.startswith("#")]
    if names:
        return _any_of(names)
    constants: list[Json] = [one for one in choices if isinstance(one, str | int)]
    return {"enum": constants}


def _schema_of_object(shape: dict[str, object]) -> Node:
    properties: Node = {}
    required: list[Json] = []
    for key, value in shape.items():
        if key == "...":
            continue
        name = key.removesuffix("?")
        properties[name] = schema_of(value)
        if name == key:
            required.append(name)
    if "..." not in shape:
        return {"type": "object", "properties": properties, "required": required}
    others = schema_of(shape["..."])
    if not properties:
        return {"type": "object", "additionalProperties": others}
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": others,
    }


def _any_of(names: list[str] | tuple[str, ...]) -> Node:
    """Any of these definitions. Not `oneOf`: a failed report is a `report` and a `failure`."""
    return {"anyOf": [_reference(name) for name in names]}


def _reference(name: str) -> Node:
    return {"$ref": f"#/$defs/{name}"}
