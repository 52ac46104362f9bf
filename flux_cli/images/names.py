"""Turns templates into file names that every file system accepts.

`files` checks whether the names are free.
"""

from __future__ import annotations

import re
import string
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from flux_cli.core.errors import OutputError, did_you_mean
from flux_cli.core.lite import LazySequence, NamedTuple
from flux_cli.core.text import disarm
from flux_cli.images.formats import BY_SUFFIX, FORMATS, format_of_suffix, split_suffix
from flux_cli.images.naming.cut import cut, cut_at_word

if TYPE_CHECKING:
    from flux_cli.images.outputs import Output

DEFAULT = "{slug}-{seed}.{ext}"
DEFAULT_UNSEEDED = "{slug}-{id}.{ext}"
FIELDS = (
    "slug",
    "prompt",
    "seed",
    "index",
    "ratio",
    "width",
    "height",
    "model",
    "id",
    "date",
    "time",
    "ext",
)
SLUG_BYTES = 80  # short enough for file systems that stop at 143 bytes (eCryptfs)
PROMPT_BYTES = 160
PROMPT_CHARACTERS = 60  # of {prompt}; in a terminal of 80 columns, there is room for the rest
NAME_BYTES = 255
BARE_INDEX = r"(?<!\{)((?:\{\{)*)\{index\}"  # not in a name with the braces of `{{index}}`
SPEC_LENGTH = 3  # digits, as in `{index:03}`; more could pad a name with megabytes of zeros
# Windows treats these as devices, whatever their suffix.
_PORTS = [f"{port}{number}" for port in ("com", "lpt") for number in range(1, 10)]
RESERVED = frozenset(("con", "prn", "aux", "nul", *_PORTS))
UNSAFE_TO_HYPHENS = str.maketrans(dict.fromkeys('<>:"/\\|?*', "-"))


class Name(NamedTuple):
    """A file name whose suffix may not be known before the image arrives."""

    template: str
    fields: dict[str, str | int]

    def path(self, suffix: str) -> str:
        return _render(self.template, {**self.fields, "ext": suffix})

    def candidates(self, file_format: str | None) -> tuple[str, ...]:
        """Every path this name could become: one if the format is known, else one per format."""
        rows = [FORMATS[file_format]] if file_format else FORMATS.values()
        return tuple(dict.fromkeys(self.path(row.suffix) for row in rows))


def fixed(path: str) -> Name:
    """A name that is exactly this path, whatever the format of the image."""
    return Name("{name}", {"name": path})


def complete(output: str | None, *, seeded: bool, is_folder: bool) -> str:
    """The full template for `-o`, which may be missing, a folder, a file name or a template.

    A name without the suffix of an image gets `.{ext}`. Raises OutputError for unknown fields.
    """
    return completed(output, DEFAULT if seeded else DEFAULT_UNSEEDED, FIELDS, is_folder=is_folder)


def completed(output: str | None, default: str, known: Sequence[str], *, is_folder: bool) -> str:
    """Like `complete`, with another default and other `known` fields. Raises OutputError."""
    if not output:
        return default
    fields = _fields(output, known)
    if is_folder:
        return f"{output.rstrip('/')}/{default}"
    if "ext" in fields or format_of_suffix(output):
        return output
    return f"{output}.{{ext}}"


def names(template: str, rows: Sequence[dict[str, str | int]]) -> Sequence[Name]:
    """One name per row of field values. If two would be equal, `-{index}` is added to all of them.

    Where the template gives `{index}` no width, it gets zeros, so that names sort like numbers.
    Raises OutputError for a name that is too long.
    """
    index = f"{{index:0{len(str(len(rows)))}}}"
    template = re.sub(BARE_INDEX, rf"\1{index}", template)
    for candidate in (template, with_tail(template, f"-{index}")):
        all_names = _named(candidate, rows)
        if len({hash(fold(name.path("ext"))) for name in all_names}) == len(rows):
            break
    for name in all_names:
        _check(name.path("jpeg"))
    return all_names


def folders_of(all_names: Sequence[Name]) -> set[str]:
    """The folders of all names of one template, as they begin a path.

    Only one is computed if they cannot differ.
    """
    folder = all_names[0].template.rpartition("/")[0]
    placed = all_names if "{" in folder else [all_names[0]]
    paths = (name.path("png") for name in placed)
    return {path[: path.rfind("/") + 1] for path in paths}


def _named(template: str, rows: Sequence[dict[str, str | int]]) -> Sequence[Name]:
    return LazySequence(len(rows), lambda place: Name(template, rows[place]))


def slug(prompt: str) -> str:
    """The words of a prompt in lower case, joined by hyphens, at most 80 bytes.

    If words are left out, it ends with a digest of the prompt. `image` if there are no words.
    """
    folded = unicodedata.normalize("NFKC", prompt[: 4 * SLUG_BYTES]).lower()
    kept = _without_stray_marks(char for char in folded if char not in "'\u2019")
    words = "-".join(kept.split())
    is_cut = len(prompt) > 4 * SLUG_BYTES or len(words.encode("utf-8", "ignore")) > SLUG_BYTES
    if is_cut:
        return cut_at_word(words, "-", SLUG_BYTES, prompt)
    words = cut(words, SLUG_BYTES)
    return f"{words}-image" if words in RESERVED else words or "image"


def safe(text: str) -> str:
    """A text as part of a file name, without separators, control characters and devices.

    CI services do not obey it: printed paths are exact.
    """
    spaced = " ".join(text.split())  # tabs and line breaks are also control characters
    hyphened = disarm(spaced.translate(UNSAFE_TO_HYPHENS))
    printable = "".join(char for char in hyphened if unicodedata.category(char)[0] != "C")
    kept = " ".join(printable.split()).strip(". ")
    return f"the {kept}" if kept.partition(".")[0].strip().lower() in RESERVED else kept


def sibling(path: str, number: int) -> str:
    """The numbered alternative to a taken name: `cat.png` -> `cat-2.png`."""
    stem, suffix = split_suffix(path)
    folder, slash, base = stem.rpartition("/")
    tail = f"-{number}.{suffix}" if suffix else f"-{number}"
    room = NAME_BYTES - len(tail.encode("utf-8", "surrogateescape"))
    return f"{folder}{slash}{cut(base, room)}{tail}"


def fold(path: str) -> str:
    """A form in which names are equal if a file system may confuse them.

    Some ignore case, or how accents are composed.
    """
    return unicodedata.normalize("NFC", path).casefold()


def text_fields(prompt: str, model: str) -> dict[str, str | int]:
    """The fields that come from free text, made safe."""
    return {
        "slug": slug(prompt),
        "prompt": _long(prompt) or "image",
        "model": cut(safe(model), PROMPT_BYTES) or "model",
    }


def _long(prompt: str) -> str:
    """The prompt as part of a file name. If its end is left out, a digest takes its place."""
    text, added = safe(prompt[: 2 * PROMPT_BYTES]), len("the ")
    room, most = PROMPT_BYTES - added, PROMPT_CHARACTERS - added
    is_short = len(text) <= most and len(text.encode("utf-8", "ignore")) <= room
    if len(prompt) > 2 * PROMPT_BYTES or not is_short:
        return safe(cut_at_word(text, " ", room, prompt, most))
    return safe(cut(text, room))


def _without_stray_marks(chars: Iterable[str]) -> str:
    """Letters, digits, and the marks on letters (vowels in many scripts); blanks for the rest."""
    kept = ""
    for char in chars:
        if char.isalnum():
            kept += char
        elif not _is_mark(char):
            kept += " "
        elif kept[-1:].strip():
            kept += char
    return kept


def _is_mark(char: str) -> bool:
    """Whether a character combines with the one before it. Variation selectors do not count."""
    if unicodedata.category(char) not in ("Mn", "Mc"):
        return False
    return not unicodedata.name(char, "").startswith("VARIATION")


def with_tail(template: str, tail: str) -> str:
    """The template with `tail` before its image suffix: `hero.webp` -> `hero-640.webp`."""
    stem, suffix = split_suffix(template)
    if suffix == "{ext}" or suffix.lower() in BY_SUFFIX:
        return f"{stem}{tail}.{suffix}"
    return f"{template}{tail}"


def _fields(template: str, known: Sequence[str]) -> list[str]:
    """The field names of a template, as in `{name}` or `{name:03}`. Raises OutputError."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as fault:
        message = f"output {template!r} has unbalanced braces"
        hint = "write {{ and }} for braces that belong to the name"
        raise OutputError(message, hint=hint) from fault
    found = []
    for _, field, spec, conversion in parts:
        if field is None:
            continue
        found.append(field)
        if field not in known or conversion:
            message = f"output {template!r}: there is no field {{{field}}}"
            hint = did_you_mean(field, known) or f"fields: {', '.join(known)}"
            raise OutputError(message, hint=hint)
        if spec and not (spec.isascii() and spec.isdigit() and len(spec) <= SPEC_LENGTH):
            message = f"output {template!r}: {{{field}:{spec}}} is not a width"
            raise OutputError(message, hint="write {index:03} for numbers with leading zeros")
    return found


def _render(template: str, fields: dict[str, str | int]) -> str:
    text = ""
    for literal, field, spec, _ in string.Formatter().parse(template):
        text += literal
        if field is not None:
            value, width = fields[field], spec or ""
            if isinstance(value, str):
                width = width.lstrip("0")  # only numbers are padded with zeros
            text += format(value, width)
    return text


def _check(path: str) -> None:
    for part in path.split("/"):
        if len(part.encode("utf-8", "surrogateescape")) > NAME_BYTES:
            message = f"the file name {part[:40]!r}... is longer than {NAME_BYTES} bytes"
            raise OutputError(message, hint="use {slug} in place of {prompt}, or a shorter name")


def named(name: Name, output: Output) -> Name:
    """The name of one output: variants get `-640`, unless the template contains `{width}`."""
    label, frame = output.frame.label, output.frame
    fields = {**name.fields, "width": frame.width, "height": frame.height}
    is_in_template = label.isdigit() and "{width" in name.template
    if not label or is_in_template:
        return Name(name.template, fields)
    return Name(with_tail(name.template, f"-{label}"), fields)


def is_original(path: str) -> bool:
    """Whether a file name is that of an original that was kept beside the outputs made from it."""
    return split_suffix(path)[0].endswith("-original")


def path_of(name: Name, output: Output, suffixes: dict[str, str]) -> str:
    """The path of one output, with the suffix as it was typed for its format."""
    return named(name, output).path(suffixes.get(output.format, FORMATS[output.format].suffix))


def refuse_doubles(paths: Iterable[tuple[str, str]]) -> None:
    """Raise OutputError if two files (path, source) would have the same name."""
    seen: dict[str, str] = {}
    for path, source in paths:
        other = seen.setdefault(fold(path), source)
        if other != source:
            hint = "tell them apart with {name} or {index} in -o"
            raise OutputError(f"{path} would be made from {other} and from {source}", hint=hint)
