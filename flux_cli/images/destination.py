"""One image, several files: lists of formats in a name (`hero.{avif,webp,jpg}`), and the names of derivatives."""

from __future__ import annotations

import re
from collections.abc import Iterable

from flux_cli.core.errors import OutputError
from flux_cli.core.lite import NamedTuple
from flux_cli.images.formats import BY_SUFFIX, FORMATS, format_named, format_of_suffix, split_suffix
from flux_cli.images.names import Name, fold, with_tail
from flux_cli.images.outputs import Output

LIST = re.compile(r"\{([^{}]*,[^{}]*)\}")  # a comma tells a list from a field


class Target(NamedTuple):
    """What `-o` and `-f` say together: the name with `{ext}` for a suffix, the formats, and suffixes as typed."""

    output: str | None
    formats: tuple[str, ...]
    suffixes: dict[str, str]


def read_target(output: str | None, formats: Iterable[str]) -> Target:
    """Read `-o hero.webp`, `-o 'hero.{avif,webp,jpg}'` and every `-f`, which must not contradict.

    Raises OutputError for lists elsewhere than at the end, UsageError for formats nobody knows.
    """
    named = tuple(dict.fromkeys(format_named(one) for text in formats for one in text.split(",")))
    output, listed = split_formats(output)
    if not listed and output and output != "-" and (by_suffix := format_of_suffix(output)):
        listed = (output.rpartition(".")[2],)
        if len(named) > 1:
            raise OutputError(
                f"{output} is one file, and {len(named)} formats are asked for",
                hint=f"write -o '{output[: -len(listed[0])]}{{{','.join(FORMATS[name].suffix for name in named)}}}'",
            )
        if named and named[0] != by_suffix:
            raise OutputError(
                f"-f {named[0]} and the file name {output} contradict each other", hint="drop one of them"
            )
        output = f"{output[: -len(listed[0])]}{{ext}}"
    suffixes = {BY_SUFFIX[suffix.lower()]: suffix for suffix in listed}
    if named and listed and set(named) != set(suffixes):
        raise OutputError(f"-f {', '.join(named)} and the list in -o contradict each other", hint="drop one of them")
    return Target(output, tuple(suffixes) or named, suffixes)


def split_formats(output: str | None) -> tuple[str | None, tuple[str, ...]]:
    """`hero.{avif,webp,jpg}` -> `hero.{ext}` and the suffixes as typed; any other name as it is, and none."""
    found = LIST.search(output or "")
    if output is None or found is None:
        return output, ()
    suffixes = tuple(dict.fromkeys(part.strip() for part in found[1].split(",") if part.strip()))
    if found.end() != len(output) or output[: found.start()][-1:] != ".":
        raise OutputError(
            f"output {output!r}: a list of formats belongs at the end", hint="write -o 'name.{avif,webp,jpg}'"
        )
    for suffix in suffixes:
        format_named(suffix)
    return f"{output[: found.start()]}{{ext}}", suffixes


def named(name: Name, output: Output) -> Name:
    """The name of one file: derivatives get `-640` unless the template has a `{width}` of its own."""
    label, frame = output.frame.label, output.frame
    fields = {**name.fields, "width": frame.width, "height": frame.height}
    tail = "" if not label or (label.isdigit() and "{width" in name.template) else f"-{label}"
    return Name(with_tail(name.template, tail) if tail else name.template, fields)


def is_original(path: str) -> bool:
    """Whether a file's name is that of an image as it came, beside others that were made of it."""
    return split_suffix(path)[0].endswith("-original")


def path_of(name: Name, output: Output, suffixes: dict[str, str]) -> str:
    """The path of one file, with the suffix that was typed for its format."""
    return named(name, output).path(suffixes.get(output.format, FORMATS[output.format].suffix))


def refuse_doubles(paths: Iterable[tuple[str, str]]) -> None:
    """Raise OutputError where two files (path, source) would have one name."""
    seen: dict[str, str] = {}
    for path, source in paths:
        if (other := seen.setdefault(fold(path), source)) != source:
            raise OutputError(
                f"{path} would be made of {other} and of {source}", hint="tell them apart with {name} or {index} in -o"
            )
