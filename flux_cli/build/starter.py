"""Writes a first manifest from the images of a folder and what flux recorded in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from flux_cli.build.manifest import keys
from flux_cli.build.manifest.values import scalar
from flux_cli.core.lite import NamedTuple
from flux_cli.images.formats import FORMATS, split_suffix
from flux_cli.images.names import safe

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flux_cli.core.model import Json
    from flux_cli.images.metadata.record import Record

MODEL = "flux1.1-pro-ultra"
START = """\
# Images of this folder, as flux build keeps them. See flux build --help.
# Declare the existing files to be right, for free: flux build --adopt '*'
# Then see what would change:                       flux build --plan
max_cost = 5.00  # USD per build

[defaults]
model = {model}
"""
EXAMPLE = """
[assets.hero]
prompt = "a harbor at dawn seen from above"
size = "16:9"
output = "img/{name}.{avif,webp,jpg}"
"""
NO_PROMPT = "# flux did not record how this image was made: describe it, and remove the # marks."


class Found(NamedTuple):
    """One image of the folder. `record` is None if flux wrote none into it."""

    path: str
    width: int
    format: str
    record: Record | None


class _Entry(NamedTuple):
    """Images that are files of one asset."""

    stem: str
    images: list[Found]
    widths: list[int]

    @property
    def record(self) -> Record | None:
        return self.images[0].record


def starter(images: Sequence[Found]) -> str:
    """The text of a manifest. Images without a record become entries that are commented out."""
    models = [one.record.model for one in images if one.record and one.record.model]
    model = max(set(models), key=models.count, default=MODEL)
    blocks = [START.format(model=_quoted(model))]
    names: set[str] = set()
    entries = sorted(_entries(images), key=lambda entry: entry.stem)
    blocks += ["\n".join([*_lines(entry, names, model), ""]) for entry in entries]
    return "\n".join(blocks) if entries else blocks[0] + EXAMPLE


def _entries(images: Sequence[Found]) -> Iterator[_Entry]:
    """Images in several formats or widths are one asset if each format has each width."""
    groups: dict[tuple[str, str], list[Found]] = {}
    for one in images:
        groups.setdefault((_base(one), _identity(one.record)), []).append(one)
    for (base, _), group in groups.items():
        widths = sorted({one.width for one in group if split_suffix(one.path)[0] != base})
        formats = {one.format for one in group}
        if len(group) == max(1, len(widths)) * len(formats):
            yield _Entry(base, group, widths)
        else:
            for one in group:
                yield _Entry(split_suffix(one.path)[0], [one], [])


def _base(image: Found) -> str:
    """The path without its suffix, and without the width that a variant has at its end."""
    stem = split_suffix(image.path)[0]
    return stem.removesuffix(f"-{image.width}")


def _identity(record: Record | None) -> str:
    return repr((record.prompt, record.seed, record.created, record.request_id)) if record else ""


def _lines(entry: _Entry, names: set[str], model: str) -> Iterator[str]:
    """The table of one asset."""
    name = _name(entry.stem, names)
    suffixes = sorted({FORMATS[one.format].suffix for one in entry.images})
    typed = sorted({split_suffix(one.path)[1] for one in entry.images})
    endings = typed if len(typed) == len(suffixes) else suffixes
    ending = endings[0] if len(endings) == 1 else f"{{{','.join(endings)}}}"
    stem = entry.stem.replace("{", "{{").replace("}", "}}")
    record = entry.record
    values: dict[str, Json] = {"prompt": record.prompt if record else ""}
    if record:
        values |= _values(record, model)
    if entry.widths:
        values["width"] = list(entry.widths)
    values["output"] = f"{stem}.{ending}"
    lines = [f"[assets.{_quoted(name)}]", *(f"{key} = {_toml(v)}" for key, v in values.items())]
    if record and record.prompt:
        yield from lines
    else:
        yield NO_PROMPT
        yield from (f"# {line}" for line in lines)


def _values(record: Record, model: str) -> dict[str, Json]:
    """What a record says, as keys."""
    found: dict[str, Json] = {}
    if record.model and record.model != model:
        found["model"] = record.model
    if record.seed is not None:
        found["seed"] = record.seed
    if record.size:
        found["size"] = record.size
    for name, value in record.parameters.items():
        key = keys.OPTIONS.get(name)
        is_plain = isinstance(value, bool) or scalar(value) is not None
        if key and key.kind in ("scalar", "switch") and is_plain and name != "image_prompt":
            found[name] = value
    return found


def _name(stem: str, names: set[str]) -> str:
    """A name of its own for an asset, made from a path."""
    base = safe(stem.rpartition("/")[2]) or "image"
    name, number = base, 2
    while name.lower() in names:
        name, number = f"{base}-{number}", number + 1
    names.add(name.lower())
    return name


def _toml(value: Json) -> str:
    """A value as TOML writes it."""
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
