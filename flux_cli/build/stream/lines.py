"""Reads assets from JSON lines, each of which is an asset of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.manifest.expansion import Expansion
from flux_cli.build.manifest.reading import Group, Manifest
from flux_cli.build.manifest.templates import Literal
from flux_cli.core.errors import ManifestError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.text import decode_text
from flux_cli.request.expansion.rows import read_row
from flux_cli.request.styles import keys
from flux_cli.request.styles.tables import unknown_key

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.manifest.reading import Values
    from flux_cli.build.manifest.settings import Sources
    from flux_cli.build.manifest.templates import Template
    from flux_cli.request.expansion.rows import Row

EXAMPLE = '{"name": "fox", "prompt": "a fox"}'
MAX_LINE = 1 << 20  # bytes
MOST_SETTINGS = 1000  # different ones that are remembered
KEYS = {name: key for name, key in keys.ASSET.items() if name not in ("n", "style", "candidates")}
KNOWN = frozenset((*KEYS, "name"))


class Line(NamedTuple):
    """One line that is not empty. Without `data`, it is longer than any asset."""

    number: int
    place: int  # of its first byte
    data: bytes


def lines_of(file: BinaryIO, number: int = 0) -> Iterator[Line]:
    """The lines from here on, after so many others. Only one is in memory at a time."""
    place = file.tell()
    while data := file.readline(MAX_LINE + 1):
        number += 1
        length = len(data)
        is_long = length > MAX_LINE
        while is_long and not data.endswith(b"\n") and (data := file.readline(MAX_LINE)):
            length += len(data)
        if is_long or not data.isspace():
            yield Line(number, place, b"" if is_long else data)
        place += length


class LineReader(Expansion):
    """Makes an asset of each line. `defaults` are keys for all of them, `path` names the file.

    Files are written below an `address`, if there is one.
    """

    def __init__(self, defaults: Values, sources: Sources, path: str, address: str = "") -> None:
        group = Group(name="lines", values={}, rows=path)
        super().__init__(Manifest(path, {}, defaults, {}, (group,)), group, sources)
        self._path, self._folder = path, f"{address}/" if address else ""

    def asset(self, line: Line) -> Asset:
        """The asset of a line. Raises UsageError, which names its number."""
        self._where = f"{self._path}, line {line.number}"
        row = self._row(line)
        if len(self._settings) > MOST_SETTINGS:
            self._settings.clear()
            self._merged.clear()
        (asset,) = self._asset(row)
        if asset.settings.needs:
            message = f"{self._where}: a line cannot name the image of another asset"
            raise ManifestError(message, hint="name a file, or use a manifest")
        return asset._replace(stem=self._folder + asset.stem) if self._folder else asset

    def _row(self, line: Line) -> Row:
        if not line.data:
            raise ManifestError(f"{self._where}: longer than {MAX_LINE >> 20} MiB")
        try:
            text = decode_text(line.data)
        except UnicodeDecodeError as fault:
            message = f"{self._where}: not valid UTF-8"
            raise ManifestError(message, hint="convert the file with iconv") from fault
        row = read_row(text, self._where, ManifestError, EXAMPLE)
        if not row.keys() <= KNOWN:
            unknown = min(row.keys() - KNOWN)
            raise unknown_key(unknown, {**KEYS, "name": keys.GROUP["name"]}, self._where)
        if not isinstance(row.get("name"), str | int) or row["name"] == "":
            raise ManifestError(f"{self._where}: name is missing", hint=f"write {EXAMPLE}")
        return row

    def _text(self, text: str, where: str) -> Template:
        """A text of a line: braces have no meaning, and no line has the text of another."""
        return Literal(text, where)
