"""Where the files of images go, and in which formats they are written."""

from __future__ import annotations

from flux_cli.core.errors import OutputError
from flux_cli.core.lite import NamedTuple
from flux_cli.images.formats import (
    BY_SUFFIX,
    FOREIGN,
    FOREIGN_BY_SUFFIX,
    FORMATS,
    foreign_format,
    format_named,
    format_of_suffix,
    split_suffix,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

STDOUT = "-"


class Destination(NamedTuple):
    """Where the files go, according to `-o` and `-f`.

    `template` is the file name, folder or template as given, except that `{ext}` replaces a suffix
    that selects a format; None if nothing was given. `suffixes` are those suffixes as typed, by
    format. A suffix of a format that flux does not make (FOREIGN) is the only one, and not among
    the `formats`: the image is saved as received.
    """

    template: str | None = None
    is_folder: bool = False
    formats: tuple[str, ...] = ()
    suffixes: dict[str, str] = {}  # noqa: RUF012 - never written to

    @property
    def is_stdout(self) -> bool:
        return self.template == STDOUT

    @property
    def is_as_received(self) -> bool:
        """Whether the name asks for a format that flux does not make."""
        return any(name in FOREIGN for name in self.suffixes)


def read_destination(
    output: str | None, formats: Iterable[str], *, is_folder: bool = False
) -> Destination:
    """Read `-o hero.webp`, `-o 'hero.{avif,webp,jpg}'`, `-o folder/` or `-o -`, and every `-f`.

    Raises OutputError if `-o` and `-f` contradict each other, or a list of formats is not at the
    end; UsageError for unknown formats.
    """
    named = tuple(dict.fromkeys(format_named(one) for text in formats for one in text.split(",")))
    if not output or output == STDOUT or is_folder:
        return Destination(output, is_folder, named)
    stem, suffixes = _split_suffixes(output)
    if not suffixes:
        return Destination(output, formats=named)
    known = {**BY_SUFFIX, **FOREIGN_BY_SUFFIX}
    by_format = {known[suffix.lower()]: suffix for suffix in suffixes}
    if named and set(named) != set(by_format):
        raise _contradiction(output, stem, named)
    made = tuple(name for name in by_format if name in FORMATS)
    return Destination(f"{stem}.{{ext}}", formats=made, suffixes=by_format)


def _contradiction(output: str, stem: str, named: tuple[str, ...]) -> OutputError:
    suffixes = [FORMATS[name].suffix for name in named]
    written = f"{{{','.join(suffixes)}}}" if len(suffixes) > 1 else suffixes[0]
    return OutputError(
        f"the format {','.join(named)} contradicts the file name {output}",
        hint=f"leave out the format (-f, -p output_format), or write -o '{stem}.{written}'",
    )


def _split_suffixes(output: str) -> tuple[str, tuple[str, ...]]:
    """Split a file name into its stem and the suffixes that select formats.

    `hero.{avif,webp}` has two suffixes, `hero.webp` has one; any other name is returned as it is.
    Braces with a comma are a list of formats; braces without a comma are a field of a template.
    """
    start, end = _find_list(output)
    if end < 0:
        stem, suffix = split_suffix(output)
        has_format = foreign_format(output) or format_of_suffix(output)
        return (stem, (suffix,)) if has_format else (output, ())
    if end != len(output) - 1 or output[start - 1 : start] != ".":
        hint = "write -o 'name.{avif,webp,jpg}'"
        raise OutputError(f"output {output!r}: a list of formats must be at the end", hint=hint)
    listed = [part.strip() for part in output[start + 1 : end].split(",")]
    suffixes = tuple(dict.fromkeys(part for part in listed if part))
    for suffix in suffixes:
        format_named(suffix)
    return output[: start - 1], suffixes


def _find_list(output: str) -> tuple[int, int]:
    """The positions of the first pair of braces that contains a comma; (-1, -1) without one."""
    start = output.find("{")
    while start >= 0:
        end = output.find("}", start)
        start = output.rfind("{", start, end) if end >= 0 else start  # the innermost brace
        if end < 0:
            break
        if "," in output[start:end]:
            return start, end
        start = output.find("{", end)
    return -1, -1
