"""Templates -> file names that every file system accepts. Whether a name is free is not decided here."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from flux_cli.core.errors import OutputError, did_you_mean
from flux_cli.core.lite import LazySequence, NamedTuple
from flux_cli.images.formats import BY_SUFFIX, FORMATS, format_of_suffix, split_suffix

if TYPE_CHECKING:
    from flux_cli.images.outputs import Output

DEFAULT = "{slug}-{seed}.{ext}"
DEFAULT_UNSEEDED = "{slug}-{id}.{ext}"
FIELDS = ("slug", "prompt", "seed", "index", "ratio", "width", "height", "model", "id", "date", "time", "ext")
SLUG_BYTES = 80  # short enough for file systems that stop at 143 bytes (eCryptfs)
PROMPT_BYTES = 160
NAME_BYTES = 255
SPEC_LENGTH = 3  # `{index:03}`; longer specifications would only pad a disk full of zeros
# Windows takes these for devices, whatever the suffix.
RESERVED = frozenset(["con", "prn", "aux", "nul", *(f"{port}{i}" for port in ("com", "lpt") for i in range(1, 10))])
UNSAFE = frozenset('<>:"/\\|?*')


class Name(NamedTuple):
    """A file name that may still wait for its suffix, because only the image knows its own type."""

    template: str
    fields: dict[str, str | int]

    def path(self, suffix: str) -> str:
        return _render(self.template, {**self.fields, "ext": suffix})

    def candidates(self, file_format: str | None) -> tuple[str, ...]:
        """Every path this name could become: one when the format is known, else one a format."""
        rows = [FORMATS[file_format]] if file_format else FORMATS.values()
        return tuple(dict.fromkeys(self.path(row.suffix) for row in rows))


def fixed(path: str) -> Name:
    """A name that is that very path, whatever the image turns out to be."""
    return Name("{name}", {"name": path})


def complete(output: str | None, *, seeded: bool, is_folder: bool) -> str:
    """The full template for what `-o` says: nothing, a folder, a file name or a template.

    A name without the suffix of an image gets `.{ext}`. Raises OutputError for unknown fields.
    """
    return completed(output, DEFAULT if seeded else DEFAULT_UNSEEDED, FIELDS, is_folder=is_folder)


def completed(output: str | None, default: str, known: Sequence[str], *, is_folder: bool) -> str:
    """The full template for what `-o` says, where `known` fields may stand in it. Raises OutputError."""
    if not output:
        return default
    fields = _fields(output, known)
    if is_folder:
        return f"{output.rstrip('/')}/{default}"
    if "ext" in fields or format_of_suffix(output):
        return output
    return f"{output}.{{ext}}"


def names(template: str, rows: Sequence[dict[str, str | int]]) -> Sequence[Name]:
    """One name a row of field values, all different: where the template alone would repeat, `-{index}` is added."""
    for candidate in (template, with_tail(template, f"-{{index:0{len(str(len(rows)))}}}")):
        all_names = _named(candidate, rows)
        if len({hash(fold(name.path("ext"))) for name in all_names}) == len(rows):
            break
    for name in all_names:
        _check(name.path("jpeg"))
    return all_names


def _named(template: str, rows: Sequence[dict[str, str | int]]) -> Sequence[Name]:
    return LazySequence(len(rows), lambda place: Name(template, rows[place]))


def slug(prompt: str) -> str:
    """Words of any script joined by hyphens, lower case, at most 80 bytes; `image` if nothing is left."""
    folded = unicodedata.normalize("NFKC", prompt[: 4 * SLUG_BYTES]).lower()
    kept = _without_stray_marks(char for char in folded if char not in "'\u2019")
    words = _cut("-".join(kept.split()), SLUG_BYTES).strip("-")
    return f"{words}-image" if words in RESERVED else words or "image"


def safe(text: str) -> str:
    """A field's value as part of one file name: no separators, controls or characters that Windows refuses."""
    spaced = "".join(" " if char.isspace() else "-" if char in UNSAFE else char for char in text)
    kept = " ".join("".join(char for char in spaced if unicodedata.category(char)[0] != "C").split()).strip(". ")
    return f"the {kept}" if kept.partition(".")[0].strip().lower() in RESERVED else kept


def sibling(path: str, number: int) -> str:
    """`cat.png` -> `cat-2.png`: the name beside a taken one."""
    stem, suffix = split_suffix(path)
    folder, slash, base = stem.rpartition("/")
    tail = f"-{number}.{suffix}" if suffix else f"-{number}"
    room = NAME_BYTES - len(tail.encode("utf-8", "surrogateescape"))
    return f"{folder}{slash}{_cut(base, room)}{tail}"


def fold(path: str) -> str:
    """The form under which two names meet on file systems that ignore case and composition."""
    return unicodedata.normalize("NFC", path).casefold()


def text_fields(prompt: str, model: str) -> dict[str, str | int]:
    """The fields that come from free text, made safe."""
    long = safe(_cut(safe(prompt[: 2 * PROMPT_BYTES]), PROMPT_BYTES - len("the ")))
    return {"slug": slug(prompt), "prompt": long or "image", "model": _cut(safe(model), PROMPT_BYTES) or "model"}


def _without_stray_marks(chars: Iterable[str]) -> str:
    """Letters and digits, blanks for the rest; marks only behind a letter, where they carry vowels in many scripts."""
    kept = ""
    for char in chars:
        is_mark = unicodedata.category(char) in ("Mn", "Mc") and not unicodedata.name(char, "").startswith("VARIATION")
        kept += char if char.isalnum() or (is_mark and kept[-1:].strip()) else "" if is_mark else " "
    return kept


def _cut(text: str, limit: int) -> str:
    return text.encode("utf-8", "ignore")[:limit].decode("utf-8", "ignore").rstrip()


def with_tail(template: str, tail: str) -> str:
    """`hero.webp` -> `hero-640.webp`: more of a name, before the suffix of an image."""
    stem, suffix = split_suffix(template)
    return f"{stem}{tail}.{suffix}" if suffix == "{ext}" or suffix.lower() in BY_SUFFIX else f"{template}{tail}"


def _fields(template: str, known: Sequence[str]) -> list[str]:
    """The field names of a template. Raises OutputError for anything but `{name}` and `{name:03}`."""
    try:
        parts = list(string.Formatter().parse(template))
    except ValueError as fault:
        message = f"output {template!r} has unbalanced braces"
        raise OutputError(message, hint="write {{ and }} for braces that belong to the name") from fault
    found = [field for _, field, _, _ in parts if field is not None]
    for _, field, spec, conversion in parts:
        if field is None:
            continue
        if field not in known or conversion:
            message = f"output {template!r}: there is no field {{{field}}}"
            raise OutputError(message, hint=did_you_mean(field, known) or f"fields: {', '.join(known)}")
        if spec and not (spec.isascii() and spec.isdigit() and len(spec) <= SPEC_LENGTH):
            message = f"output {template!r}: {{{field}:{spec}}} is not a width"
            raise OutputError(message, hint="write {index:03} for numbers with leading zeros")
    return found


def _render(template: str, fields: dict[str, str | int]) -> str:
    text = ""
    for literal, field, spec, _ in string.Formatter().parse(template):
        text += literal
        if field is not None:
            value = fields[field]
            text += format(value, spec or "") if isinstance(value, int) else f"{value:{(spec or '').lstrip('0')}}"
    return text


def _check(path: str) -> None:
    for part in path.split("/"):
        if len(part.encode("utf-8", "surrogateescape")) > NAME_BYTES:
            message = f"the file name {part[:40]!r}... is longer than {NAME_BYTES} bytes"
            raise OutputError(message, hint="use {slug} in place of {prompt}, or a shorter name")


def named(name: Name, output: Output) -> Name:
    """The name of one file: variants get `-640` unless the template has a `{width}` of its own."""
    label, frame = output.frame.label, output.frame
    fields = {**name.fields, "width": frame.width, "height": frame.height}
    tail = "" if not label or (label.isdigit() and "{width" in name.template) else f"-{label}"
    return Name(with_tail(name.template, tail) if tail else name.template, fields)


def is_original(path: str) -> bool:
    """Whether a file is named as an image that was kept as received, beside others made from it."""
    return split_suffix(path)[0].endswith("-original")


def path_of(name: Name, output: Output, suffixes: dict[str, str]) -> str:
    """The path of one file, with the suffix that was typed for its format."""
    return named(name, output).path(suffixes.get(output.format, FORMATS[output.format].suffix))


def refuse_doubles(paths: Iterable[tuple[str, str]]) -> None:
    """Raise OutputError if two files (path, source) would have the same name."""
    seen: dict[str, str] = {}
    for path, source in paths:
        other = seen.setdefault(fold(path), source)
        if other != source:
            hint = "tell them apart with {name} or {index} in -o"
            raise OutputError(f"{path} would be made from {other} and from {source}", hint=hint)
