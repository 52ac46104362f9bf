"""Reads the lines of `--prompts`: a prompt each, or a JSON object with a prompt and parameters."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from flux_cli.core.errors import UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.options import Parameters
from flux_cli.core.request import ADDRESSES, MAX_IMAGES
from flux_cli.images.names import FIELDS
from flux_cli.request.expansion.cells import field_text, scalar
from flux_cli.request.expansion.rows import json_rows

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from flux_cli.request.expansion.rows import Row

OBJECT = re.compile(r"\s*\{\s*\"")  # how a line with a JSON object begins
SUFFIXES = (".jsonl", ".ndjson")
EXAMPLE = '{"prompt": "a red fox", "seed": 7}'


class PromptRow(NamedTuple):
    """What one line asks for. `values` fill the fields of `-o`; "" as the place: the argument."""

    prompt: str | None
    place: str = ""
    parameters: dict[str, Any] = {}  # noqa: RUF012 - never written to
    values: dict[str, str] = {}  # noqa: RUF012 - never written to


def read_rows(text: str, path: str, output: str) -> list[PromptRow]:
    """The rows of a file of prompts. `output` is `-o`, whose fields may be keys of the rows.

    A file of JSON objects has one of the SUFFIXES, or begins with an object. Raises UsageError.
    """
    lines = [line for line in text.split("\n") if line.strip()]
    if not lines:
        raise UsageError(f"{path} has no prompts", hint="write one prompt per line")
    if len(lines) > MAX_IMAGES:
        message = (
            f"{path} has {len(lines):,} prompts, and a run makes at most {MAX_IMAGES:,} images"
        )
        raise UsageError(message, hint="split the file")
    if path.lower().endswith(SUFFIXES) or OBJECT.match(lines[0]):
        return list(_json_prompts(text, path, output))
    return list(_text_prompts(text, path))


def _text_prompts(text: str, path: str) -> Iterator[PromptRow]:
    for number, line in enumerate(text.split("\n"), 1):
        if OBJECT.match(line):
            message = f"{path}, line {number}: a JSON object, and the first line is a prompt"
            raise UsageError(message, hint="write only prompts, or only objects")
        if prompt := line.strip():
            yield PromptRow(prompt, f"{path}, line {number}")


def _json_prompts(text: str, path: str, output: str) -> Iterator[PromptRow]:
    for number, row in json_rows(text, path, example=EXAMPLE):
        yield _read_row(row, f"{path}, line {number}", output)


def _read_row(row: Row, place: str, output: str) -> PromptRow:
    prompt = row.pop("prompt", None)
    if not isinstance(prompt, str) or not prompt.strip():
        raise UsageError(f"{place}: the prompt is missing", hint=f"write {EXAMPLE}")
    parameters: dict[str, Any] = {}
    values: dict[str, str] = {}
    for key, value in row.items():
        name = key.replace("-", "_")
        is_known = name == "model" or name in Parameters._fields
        if key in FIELDS and not is_known:
            hint = "rename the key: flux fills this field of -o itself"
            raise UsageError(f"{place}: the key {key} cannot be set", hint=hint)
        is_field = key not in FIELDS and re.search(rf"\{{{re.escape(key)}[:}}]", output)
        if is_field:
            values[key] = field_text(value)
        if is_known or not is_field:
            parameters[name] = _checked(name, value, place)
    return PromptRow(prompt.strip(), place, parameters, values)


def _checked(name: str, value: Any, place: str) -> Any:  # noqa: ANN401 - from JSON
    """The value of a parameter. A file of prompts names no other files."""
    if name == "model" and not (isinstance(value, str) and value.strip()):
        raise UsageError(f"{place}: model must be a name", hint="see flux models")
    if name == "param":
        raise UsageError(f"{place}: write parameters as keys of their own", hint=EXAMPLE)
    texts = value if isinstance(value, list) else [value]
    is_address = all(str(one).startswith(ADDRESSES) for one in texts)
    if "image" in name and isinstance(scalar(texts[0] if texts else ""), str) and not is_address:
        hint = (
            "name it on the command line, for all lines, or keep the set in a manifest: flux build"
        )
        raise UsageError(f"{place}: {name} cannot name a file", hint=hint)
    return value


def with_row(parameters: Parameters, own: dict[str, Any], place: str) -> Parameters:
    """The parameters of a command line with those of one line, which win. Raises UsageError."""
    typed = parameters.param or ()
    pairs = [pair for pair in typed if pair.partition("=")[0].strip().replace("-", "_") not in own]
    fields: dict[str, Any] = {}
    for name, value in own.items():
        kind = Parameters.__annotations__.get(name, "")
        if not kind:
            pairs.append(f"{name}={json.dumps(value, ensure_ascii=False)}")
        elif kind.startswith("list"):
            fields[name] = list(map(field_text, value if isinstance(value, list) else [value]))
        elif isinstance(value, list | dict):
            raise UsageError(f"{place}: {name} takes one value", hint=f"write {EXAMPLE}")
        else:
            is_switch = kind.startswith("bool") and isinstance(value, bool)
            fields[name] = value if is_switch else field_text(value)
    return parameters._replace(**fields, param=pairs or None)
