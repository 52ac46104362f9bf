"""Reads `--var NAME=VALUES`: values that fill `{NAME}` in prompts and file names."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

from flux_cli.core.errors import UsageError
from flux_cli.images.names import FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*", re.ASCII)
RESERVED = (*FIELDS, "name")  # what flux itself fills in file names
EXAMPLE = "for example --var animal=fox,owl"


def read_variables(pairs: Iterable[str]) -> dict[str, list[str]]:
    """The values by name, in the order in which they were typed.

    Commas separate values, and quotes keep those inside a value, as in CSV. Raises UsageError.
    """
    axes: dict[str, list[str]] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not NAME.fullmatch(name):
            raise UsageError(f"--var {pair!r}: expected NAME=VALUES", hint=EXAMPLE)
        if name in RESERVED:
            hint = f"choose another name: flux fills {{{name}}} in file names itself"
            raise UsageError(f"--var cannot set {name}", hint=hint)
        if name in axes:
            hint = f"list all values at once: --var {name}={','.join([*axes[name], text])}"
            raise UsageError(f"--var {name} is given twice", hint=hint)
        axes[name] = _read_values(name, text)
    return axes


def _read_values(name: str, text: str) -> list[str]:
    hint = f"values with commas need quotes: --var '{name}=\"red, blue\",green'"
    try:
        rows = list(csv.reader([text], strict=True, skipinitialspace=True))
    except csv.Error as fault:
        raise UsageError(f"--var {name}: invalid values {text!r}: {fault}", hint=hint) from fault
    values = [value.strip() for row in rows for value in row]
    if not values or not all(values):
        raise UsageError(f"--var {name} has an empty value", hint=EXAMPLE)
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        message = f"--var {name} lists {twice!r} twice"
        raise UsageError(message, hint="list each value once; -n makes several images of each")
    return values
