"""Writes a first manifest from the images of a folder and what flux recorded in them."""

from __future__ import annotations

import itertools
import json
import re
import textwrap
from typing import TYPE_CHECKING

from flux_cli.config.settings import BY_NAME
from flux_cli.core.lite import NamedTuple
from flux_cli.core.text import plain
from flux_cli.images.formats import FORMATS, split_suffix
from flux_cli.images.names import safe
from flux_cli.request.expansion.cells import scalar
from flux_cli.request.styles import keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from flux_cli.core.model import Json

DEFAULT_MODEL = str(BY_NAME["model"].default)
START = """\
# The images of this folder. See flux help build.
# Accept the existing files, for free: flux build --adopt '*'
# Then see what would change:          flux build --plan
max_cost = 5.00 # USD per build

[defaults]
model = {model}
"""
EXAMPLE = """
[assets.hero]
prompt = "a harbor at dawn seen from above"
size = "16:9"
output = "img/{name}.{avif,webp,jpg}"
"""
UNKNOWN = """
# The prompts of these images are not recorded. Write them, and remove the # marks.
"""
PIXELS = re.compile(r"([1-9]\d{0,5})x([1-9]\d{0,5})", re.ASCII)
BARE = re.compile(r"[A-Za-z0-9_-]+")


class Recorded(NamedTuple):
    """What flux recorded in an image. `run` is equal in the files of one request."""

    prompt: str
    model: str
    parameters: Mapping[str, Json]
    comments: tuple[str, ...] = ()
    run: str = ""


class Found(NamedTuple):
    """One image of the folder. `made` is None if flux recorded nothing in it."""

    path: str
    width: int
    height: int
    format: str
    made: Recorded | None = None


class _Entry(NamedTuple):
    """Images that are files of one asset."""

    stem: str
    images: list[Found]
    widths: list[int]


class _Table(NamedTuple):
    """The table of one asset, or of several with `n`."""

    name: str
    values: Mapping[str, Json]
    comments: tuple[str, ...] = ()


def starter(images: Sequence[Found]) -> str:
    """The text of a manifest. Images without a prompt become entries that are commented out."""
    models = [one.made.model for one in images if one.made and one.made.model]
    model = max(set(models), key=models.count, default=DEFAULT_MODEL)
    names: dict[str, None] = {}
    entries = sorted(_entries(images), key=lambda entry: (entry.stem, entry.widths))
    tables = [_table(entry, names, model) for entry in entries]
    known = [table for table in tables if _has_prompt(table)]
    unknown = itertools.filterfalse(_has_prompt, tables)
    blocks = [START.format(model=_quoted(model))]
    blocks += [f"\n{_text(table)}\n" for table in _joined(known, names)]
    if len(known) < len(tables):
        blocks.append(UNKNOWN)
        blocks += [f"#\n{textwrap.indent(_text(table), '# ')}\n" for table in unknown]
    return "".join(blocks if tables else [*blocks, EXAMPLE])


def _has_prompt(table: _Table) -> bool:
    return bool(str(table.values["prompt"]).strip())


def prompts(images: Iterable[Found]) -> int:
    """How many of the images have a prompt."""
    return sum(bool(one.made and one.made.prompt) for one in images)


def _entries(images: Sequence[Found]) -> Iterator[_Entry]:
    """Images in several formats or widths are one asset if each format has each width.

    A full image beside its widths is another asset, since a build makes one or the other.
    """
    groups: dict[tuple[str, bool, str], list[Found]] = {}
    for one in images:
        base = _base(one)
        is_full = split_suffix(one.path)[0] == base
        run = one.made.run if one.made else ""
        groups.setdefault((base, is_full, run), []).append(one)
    for (base, is_full, _), group in groups.items():
        widths = sorted({one.width for one in group})
        if is_full:
            widths = []
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


def _table(entry: _Entry, names: dict[str, None], model: str) -> _Table:
    """The table of one asset."""
    folder, slash, file = entry.stem.rpartition("/")
    name = _name(file, names)
    field = "{name}" if name == file and "{" not in file else _literal(file)
    first = entry.images[0]
    values: dict[str, Json] = {"prompt": ""}
    comments: tuple[str, ...] = ()
    if first.made:
        values |= _values(first.made, model)
        comments = first.made.comments
    if _are_fitted(entry, str(values.get("size", ""))):
        values["fit"] = "cover"  # models have few sizes: these pixels were made by flux
    if entry.widths:
        values["width"] = list(entry.widths)
    values["output"] = f"{_literal(folder)}{slash}{field}.{_endings(entry)}"
    return _Table(name, values, comments)


def _are_fitted(entry: _Entry, size: str) -> bool:
    """Whether all images have the pixels of a size, or its exact shape at their widths."""
    pixels = PIXELS.fullmatch(size)
    if not pixels:
        return False
    width, height = int(pixels[1]), int(pixels[2])
    widths = entry.widths or [width]
    return all(
        one.width in widths and abs(one.height - one.width * height / width) < 1
        for one in entry.images
    )


def _endings(entry: _Entry) -> str:
    """The suffixes of the files: as they are typed, if each format has only one spelling."""
    suffixes = sorted({FORMATS[one.format].suffix for one in entry.images})
    spelled = sorted({split_suffix(one.path)[1] for one in entry.images})
    endings = spelled if len(spelled) == len(suffixes) else suffixes
    return endings[0] if len(endings) == 1 else f"{{{','.join(endings)}}}"


def _values(made: Recorded, model: str) -> dict[str, Json]:
    """What was recorded, as keys."""
    prompt = made.prompt.replace("\0", "")
    is_at = prompt.lstrip().startswith("@")  # which would name a file
    found: dict[str, Json] = {"prompt": f"@{prompt.lstrip()}" if is_at else prompt}
    if made.model and made.model != model:
        found["model"] = made.model
    others: dict[str, Json] = {}
    for name, value in made.parameters.items():
        key = keys.OPTIONS.get(name)
        is_plain = isinstance(value, bool) or scalar(value) is not None
        if key and key.kind in ("scalar", "switch") and is_plain:
            found[name] = value
        elif is_plain and _is_free(name) and not str(value).startswith("@"):
            others[name] = value
    return found | ({"param": others} if others else {})


def _is_free(name: str) -> bool:
    """Whether `param` may have a parameter of this name."""
    folded = name.replace("-", "_")
    return folded not in keys.ASSET_KEYS and folded not in keys.ACCESS


def _name(file: str, names: dict[str, None]) -> str:
    """A name of its own for an asset, made from the name of a file."""
    base = safe(file) or "image"
    name, number = base, 2
    while name.lower() in names:
        name, number = f"{base}-{number}", number + 1
    names[name.lower()] = None
    return name


def _joined(tables: Iterable[_Table], names: Mapping[str, None]) -> Iterator[_Table]:
    """Tables that differ only in a seed and a number, which count up, as one table with `n`."""
    series: dict[tuple[str, str], list[_Table]] = {}
    for table in tables:
        base = table.name.rpartition("-")[0]
        others = [item for item in table.values.items() if item[0] != "seed"]
        is_alone = not base or base.lower() in names
        key = (table.name, "") if is_alone else (base, repr((others, table.comments)))
        series.setdefault(key, []).append(table)
    for (base, _), members in series.items():
        counted = sorted(members, key=_seed)
        if len(members) > 1 and _counts_up(base, counted):
            first = dict(counted[0].values)
            output = first.pop("output")
            yield _Table(base, {**first, "n": len(members), "output": output}, members[0].comments)
        else:
            yield from members


def _seed(table: _Table) -> int:
    seed = table.values.get("seed")
    return seed if isinstance(seed, int) else 0


def _counts_up(base: str, tables: Sequence[_Table]) -> bool:
    """Whether `n` would give these tables their names and seeds."""
    start = _seed(tables[0])
    return all(
        table.name == f"{base}-{place + 1}" and table.values.get("seed") == start + place
        for place, table in enumerate(tables)
    )


def _literal(text: str) -> str:
    """A text in a template."""
    return text.replace("{", "{{").replace("}", "}}")


def _text(table: _Table) -> str:
    """A table as TOML, without a line break at its end."""
    lines = [f"[assets.{_key(table.name)}]"]
    lines += [f"{_key(key)} = {_toml(value)}" for key, value in table.values.items()]
    lines += [f"# {plain(comment)}" for comment in table.comments]
    return "\n".join(lines)


def _toml(value: Json) -> str:
    """A value as TOML writes it."""
    if isinstance(value, dict):
        pairs = [f"{_key(key)} = {_toml(inner)}" for key, inner in value.items()]
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    return _quoted(value) if isinstance(value, str) else json.dumps(value)


def _key(name: str) -> str:
    return name if BARE.fullmatch(name) else _quoted(name)


def _quoted(text: str) -> str:
    """A text in quotes. TOML has the escapes of JSON, and knows no single surrogates."""
    whole = text.encode("utf-8", "replace").decode()
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")
