"""The JSON documents flux prints, described. A key that is described stays; new ones may come."""

from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.lite import SCHEMA
from flux_cli.core.model import Json

Node = dict[str, Json]
ANY: Node = {}
TEXT: Node = {"type": "string"}
WHOLE: Node = {"type": "integer"}
NUMBER: Node = {"type": "number"}
FLAG: Node = {"type": "boolean"}
MAYBE_TEXT: Node = {"type": ["string", "null"]}
MAYBE_WHOLE: Node = {"type": ["integer", "null"]}
MAYBE_NUMBER: Node = {"type": ["number", "null"]}


def _object(**properties: Node) -> Node:
    """An object with these keys, all of them always there."""
    return {"type": "object", "properties": dict(properties), "required": list(properties)}


def _optional(node: Node, **properties: Node) -> Node:
    """The object with some more keys that are only there where they were asked for."""
    known = node["properties"]
    return node | {"properties": {**(known if isinstance(known, dict) else {}), **properties}}


def _list(items: Node) -> Node:
    return {"type": "array", "items": items}


def _map(values: Node) -> Node:
    return {"type": "object", "additionalProperties": values}


def _any_of(*names: str) -> Node:
    """One of these. A failure is part of what a run says that failed as a whole: a document may be both."""
    return {"anyOf": [{"$ref": f"#/$defs/{name}"} for name in names]}


def _words(*words: str | int) -> Node:
    return {"enum": list(words)}


def _ref(name: str) -> Node:
    return {"$ref": f"#/$defs/{name}"}


NOTE = _object(
    parameter=TEXT, asked=ANY, used=ANY, reason=TEXT, warning=FLAG,
    behavior=_words("passthrough", "renamed", "converted", "emulated", "ignored", "default", "unsupported"),
)  # fmt: skip
FAULT = {
    "code": TEXT, "message": TEXT, "hint": TEXT, "may_have_been_billed": FLAG, "http_status": MAYBE_WHOLE,
    "request_id": MAYBE_TEXT,
}  # fmt: skip
FILE = _object(
    path=TEXT, index=WHOLE, seed=ANY, format=TEXT, bytes=WHOLE, requested_size=ANY, nominal_size=MAYBE_TEXT,
    received_size=TEXT, width=WHOLE, height=WHOLE, as_received=FLAG, quality=MAYBE_WHOLE,
    variant=MAYBE_TEXT, provider=MAYBE_TEXT, request_id=MAYBE_TEXT,
    cost_usd=MAYBE_NUMBER, revised_prompt=MAYBE_TEXT, seconds=NUMBER,
)  # fmt: skip
# What was typed comes with every parameter that was said, under the parameter's own name.
REQUEST = _object(prompt=TEXT, model=TEXT, route=MAYBE_TEXT, n=ANY) | {"additionalProperties": True}
RESOLVED = _object(
    model=TEXT, route=MAYBE_TEXT, size=MAYBE_TEXT, aspect_ratio=MAYBE_TEXT, resolution=MAYBE_TEXT,
    native_size=MAYBE_TEXT, n=WHOLE, seed=ANY, output_format=MAYBE_TEXT, output_compression=MAYBE_WHOLE,
    parameters=_map(ANY), price_usd=MAYBE_NUMBER,
)  # fmt: skip
SIZE = _object(
    size=TEXT, width=WHOLE, height=WHOLE, aspect_ratio=TEXT, resolution=TEXT, megapixels=NUMBER, native_size=MAYBE_TEXT
)
PARAMETER = _object(
    type=TEXT, behavior=TEXT, help=TEXT, default=ANY, minimum=MAYBE_NUMBER, maximum=MAYBE_NUMBER,
    choices=_list(TEXT), upstreams=_list(TEXT),
)  # fmt: skip
MODEL = _object(
    id=TEXT, aliases=_list(TEXT), name=TEXT, vendor=TEXT, summary=TEXT, page=TEXT, price_usd=MAYBE_NUMBER,
    sizes=_list(TEXT), aspect_ratios=_list(TEXT), resolutions=_list(TEXT), parameters=_map(PARAMETER),
    routes=_map(_object(model=TEXT, upstream=TEXT)),
)  # fmt: skip
PROVIDER = _object(
    name=TEXT, protocol=TEXT, base_url=MAYBE_TEXT, key_variables=_list(TEXT), key_set=FLAG, hosted=FLAG,
    images_per_call=WHOLE, price_usd=MAYBE_NUMBER,
    parameters=_map(_object(behavior=TEXT, field=MAYBE_TEXT, reason=MAYBE_TEXT)),
)  # fmt: skip
RUN = {
    "schema": _words(SCHEMA), "provider": TEXT, "hosted": FLAG, "request": _ref("request"),
    "resolved": _ref("resolved"), "notes": _list(_ref("note")),
}  # fmt: skip
CALL = _object(
    index=WHOLE, seed=ANY, state=TEXT, files=_list(TEXT), error=MAYBE_TEXT, message=MAYBE_TEXT, request_id=MAYBE_TEXT,
    cost_usd=MAYBE_NUMBER,
)  # fmt: skip
PAST = _object(
    run=TEXT, state=TEXT, time=MAYBE_NUMBER, provider=MAYBE_TEXT, model=MAYBE_TEXT, prompt=MAYBE_TEXT, calls=WHOLE,
    saved=WHOLE, waiting=WHOLE, unclear=WHOLE, cost_usd=MAYBE_NUMBER, entries=_list(CALL),
)  # fmt: skip
IMAGE = _object(
    path=TEXT, format=TEXT, width=WHOLE, height=WHOLE, bytes=WHOLE, color_model=ANY, bit_depth=ANY, alpha=FLAG,
    animated=FLAG, frames=MAYBE_WHOLE, color_space=MAYBE_TEXT, icc_profile=MAYBE_TEXT, orientation=WHOLE,
    made={"type": ["object", "null"]}, written_by=MAYBE_TEXT, c2pa=FLAG,
) | {"additionalProperties": True}  # fmt: skip
ENDED = {
    "schema": _words(SCHEMA), "status": _words("ok", "partial", "failed", "interrupted"), "exit_code": WHOLE,
}  # fmt: skip
REPORT: dict[str, Node] = dict(
    **RUN | ENDED,
    run=MAYBE_TEXT,
    files=_list(_ref("file")),
    skipped=_list(_object(index=WHOLE, path=TEXT)),
    surprises=_list(TEXT),
    stopped_jobs=_list(_object(id=TEXT, agreed=FLAG)),
    cost_usd=MAYBE_NUMBER,
    known_cost_usd=NUMBER,
    seconds=NUMBER,
)
DEFINITIONS: dict[str, Node] = {
    "generate": _any_of("report", "dry_run", "failure"),
    "resolve": _any_of("resolution", "failure"),
    "sizes": _any_of("size_table", "failure"),
    "models": _any_of("model_list", "failure"),
    "providers": _any_of("provider_list", "failure"),
    "config": _any_of("settings", "failure"),
    "report": _optional(_object(**REPORT, errors=_list(_ref("call_error"))), html=TEXT, sheet=TEXT),
    "dry_run": _object(
        **RUN, status=_words("dry_run"), sends=_list(_map(ANY)), files=_list(TEXT), skipped=_list(TEXT),
        cost_usd=MAYBE_NUMBER, cost_source=TEXT,
    ),
    "failure": _object(**ENDED, files={"const": []}, errors=_list(_ref("error"))),
    "resolution": _object(**RUN, sends=_list(_object(method=TEXT, url=MAYBE_TEXT, body=_map(ANY)))),
    "size_table": _object(
        schema=_words(SCHEMA), model=TEXT, asked=MAYBE_TEXT, reason=MAYBE_TEXT, sizes=_list(_ref("size"))
    ),
    "model_list": _object(schema=_words(SCHEMA), models=_list(_ref("model"))),
    "provider_list": _object(schema=_words(SCHEMA), providers=_list(_ref("provider"))),
    "settings": _object(
        schema=_words(SCHEMA), settings=_map(_object(value=ANY, source=TEXT, variable=TEXT)), keys=_map(TEXT),
        folder=TEXT,
    ),
    "runs": _any_of("run_list", "failure"),
    "recover": _any_of("recovery", "failure"),
    "show": _any_of("images", "failure"),
    "images": _object(**ENDED, files=_list(IMAGE), errors=_list(_object(path=TEXT, **FAULT))),
    "convert": _any_of("conversion", "failure"),
    "conversion": _optional(
        _object(
            **ENDED, skipped=_list(_object(path=TEXT, source=TEXT)), errors=_list(_object(source=TEXT, **FAULT)),
            files=_list(
                _object(
                    path=TEXT, source=TEXT, format=TEXT, width=WHOLE, height=WHOLE, bytes=WHOLE, quality=MAYBE_WHOLE,
                    as_received=FLAG,
                )
            ),
        ),
        html=TEXT,
    ),
    "run_list": _object(schema=_words(SCHEMA), folder=TEXT, runs=_list(_ref("run"))),
    "recovery": _object(**ENDED, runs=_list(_ref("recovered"))),
    "run": PAST,
    "recovered": _object(**REPORT, unclear=WHOLE, errors=_list({"anyOf": [_ref("call_error"), _ref("error")]})),
    "request": REQUEST, "resolved": RESOLVED, "note": NOTE, "file": FILE, "error": _object(**FAULT),
    "call_error": _object(index=WHOLE, seed=ANY, **FAULT), "size": SIZE, "model": MODEL,
    "provider": PROVIDER,
}  # fmt: skip
COMMANDS = ("generate", "resolve", "sizes", "models", "providers", "config", "runs", "recover", "show", "convert")


def document(command: str | None = None) -> Node:
    """The schema of everything one command prints with `--json`, or of everything any prints.

    Raises UsageError for a command that prints none.
    """
    if command is not None and command not in COMMANDS:
        hint = did_you_mean(command, COMMANDS) or f"commands: {', '.join(COMMANDS)}"
        raise UsageError(f"{command!r} prints no JSON", hint=hint)
    top: Node = _ref(command) if command else {"anyOf": [_ref(name) for name in COMMANDS]}
    definitions: Node = dict(DEFINITIONS)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "flux --json",
        **top,
        "$defs": definitions,
    }
