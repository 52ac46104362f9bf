"""Reads the text of AUTOMATIC1111, which many programs write: a prompt, then a line of values.

`parameters` writes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from flux_cli.images.metadata.record import Record, record_of

FIELDS = ("parameters", "exif:UserComment", "comment", "exif:ImageDescription")
# Of these names, a line of values has two; text about something else may have one.
KNOWN = {"Steps", "Sampler", "CFG scale", "Seed", "Size", "Model", "Model hash"}
OWN_FIELDS = ("Seed", "Size", "Model", "Version")  # of a record
FEWEST = 3  # values of a line
TEMPLATES = ("Template:", "Negative Template:")  # lines after it, of the extension Dynamic Prompts
LONGEST_LINE = 100_000  # characters that are read of a line
MAX_LINES = 1000  # that are tried, from the end
_PAIR = re.compile(r'([A-Za-z][\w /()-]{0,60}): ("(?:[^"\\]|\\.)*"|[^,]*)(?:, |,|$)')
_NEGATIVE = re.compile(r"(?:^|\n)Negative prompt: ?")


def automatic1111(texts: Mapping[str, str]) -> Record | None:
    """`parameters` of a PNG, or the same text in EXIF or in the comment of a GIF or JPEG."""
    for name in FIELDS:
        if found := _read(texts.get(name, "")):
            return found
    return None


def _read(text: str) -> Record | None:
    lines = text.replace("\r\n", "\n").strip().split("\n")
    place, pairs = _find_values(lines)
    if not pairs:
        return None
    prompt, negative, *_ = [*_NEGATIVE.split("\n".join(lines[:place]), maxsplit=1), ""]
    return record_of(
        {
            "model": pairs.get("Model"),
            "prompt": prompt.strip(),
            "negative_prompt": negative.strip(),
            "seed": pairs.get("Seed"),
            "size": pairs.get("Size"),
            "tool": pairs.get("Version"),
        },
        {name: value for name, value in pairs.items() if name not in OWN_FIELDS},
    )


def _find_values(lines: Sequence[str]) -> tuple[int, dict[str, str]]:
    """The line of values and its place: the last line, or the last one before templates."""
    last = len(lines) - 1
    for place in range(last, max(-1, last - MAX_LINES), -1):
        if place == last or lines[place + 1].startswith(TEMPLATES):
            pairs = dict(_pairs(lines[place][:LONGEST_LINE]))
            if len(pairs) >= FEWEST and len(KNOWN & pairs.keys()) > 1:
                return place, pairs
    return 0, {}


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    at = 0
    while found := _PAIR.match(line, at):
        value = found[2].strip()
        with suppress(ValueError):
            value = str(json.loads(value)) if value.startswith('"') else value
        yield found[1].strip(), value
        at = found.end()
