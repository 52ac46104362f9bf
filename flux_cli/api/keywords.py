"""The keyword arguments of the Python interface: options of `flux generate` with Python values.

They become text, as if they were typed, so that both are checked by the same code.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, TypedDict

from flux_cli.api.failures import presentable
from flux_cli.core.errors import UsageError, did_you_mean
from flux_cli.core.lite import json_text
from flux_cli.core.model import Json
from flux_cli.core.options import GenerateOptions, Program, fill

File: TypeAlias = str | os.PathLike[str]

STDIN_OR_STDOUT = "-"


class Options(TypedDict, total=False):
    """The keyword arguments of `generate`, each as the long option of its name.

    `params` is the exception: each item is one `-p KEY=VALUE`. None means not given.
    """

    model: str | Sequence[str] | None
    route: str | None
    provider: str | None
    base_url: str | None
    offline: bool
    no_key: bool
    no_badge: bool

    size: str | None
    aspect_ratio: str | None
    resolution: str | None
    n: int | None
    seed: int | Sequence[int] | None
    no_seed: bool
    raw: bool | None
    enhance_prompt: bool | None
    image: File | Sequence[File] | None
    mask: File | None
    image_prompt: File | None
    image_prompt_strength: float | None
    safety_tolerance: int | None
    background: str | None
    response_format: str | None
    sync_mode: bool | None
    like: File | None
    preset: str | None
    params: Mapping[str, Json] | None

    output: File | None
    output_format: str | Sequence[str] | None
    output_compression: int | None
    overwrite: bool
    skip_existing: bool
    update: bool
    fit: str | None
    focus: str | None
    pad_color: str | None
    upscale: bool
    width: int | Sequence[int] | None
    max_bytes: int | str | None
    lossless: bool
    effort: str | None
    keep_original: bool
    no_metadata: bool
    no_prompt_metadata: bool
    sidecar: bool

    concurrency: int | None
    timeout: float | None
    retries: int | None
    max_cost: float | None
    yes: bool


def read_options(function: str, prompt: str | None, given: Mapping[str, Any]) -> GenerateOptions:
    """The options that the arguments of a function stand for. The prompt is taken as it is.

    Raises TypeError for an unknown name and for a value of the wrong type, and UsageError for
    standard input or output.
    """
    if not isinstance(prompt, str | None):
        raise TypeError(f"prompt must be text, not {type(prompt).__name__}")
    refuse_unknown(function, given)
    annotations = _annotations(GenerateOptions)
    values = {
        name: _read_value(name, annotations[name], value)
        for name, value in given.items()
        if value is not None and name != "params"
    }
    values["param"] = list(map(_pair, (given.get("params") or {}).items()))
    values["quiet"] = True
    return fill(GenerateOptions, values)._replace(program=Program(text=prompt))


def refuse_unknown(function: str, given: Mapping[str, Any]) -> None:
    """Raise TypeError for a keyword that is none, as Python does."""
    for name in given:
        if name not in Options.__annotations__:
            hint = did_you_mean(name, Options.__annotations__)
            message = f"{function}() got an unexpected keyword argument {name!r}"
            raise TypeError(f"{message}; {hint}" if hint else message)


def _annotations(group: type) -> dict[str, str]:
    """The annotations of all options of a group, and of the groups inside it, as text."""
    found: dict[str, str] = {}
    for field, default in group._field_defaults.items():  # type: ignore[attr-defined] # a NamedTuple
        if hasattr(default, "_field_defaults"):
            found |= _annotations(type(default))
        else:
            found[field] = group.__annotations__[field]
    return found


def _read_value(name: str, annotation: str, value: Any) -> bool | str | list[str]:  # noqa: ANN401 - of a program
    """The value as the option holds it: a switch, a text, or a list of texts."""
    if annotation.startswith("bool"):
        if not isinstance(value, bool):
            raise TypeError(f"{name} must be True or False, not {value!r}")
        return value
    if not annotation.startswith("list"):
        return _text(name, value)
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    items = value if is_list else [value]
    return [_text(name, item) for item in items]


def _text(name: str, value: Any) -> str:  # noqa: ANN401 - as above
    if isinstance(value, bool) or not isinstance(value, str | int | float | os.PathLike):
        raise TypeError(f"{name} cannot be {value!r}")
    text = os.fspath(value) if isinstance(value, os.PathLike) else str(value)
    if text == STDIN_OR_STDOUT:
        message = f"{name}: - is standard input or output, which belong to your program"
        raise presentable(UsageError(message, hint="name a file"))
    return text


def _pair(item: tuple[str, Json]) -> str:
    """One of `params` as KEY=VALUE. As JSON, text is neither the name of a file nor a number."""
    name, value = item
    if not isinstance(name, str):
        raise TypeError(f"params: names must be text, not {name!r}")
    if "=" in name:
        raise presentable(UsageError(f"params: invalid name {name!r}"))
    return f"{name}={json_text(value)}"
