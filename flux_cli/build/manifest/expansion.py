"""Expands the tables of a manifest into assets, one at a time, in the order of the manifest.

What the assets of a table share is merged, checked and digested once.
"""

from __future__ import annotations

import itertools
import re
from functools import lru_cache
from typing import TYPE_CHECKING

from flux_cli.build.candidates.naming import key_of, mark_of
from flux_cli.build.digests import request_digest
from flux_cli.build.manifest.paths import inside
from flux_cli.build.manifest.rows import read_rows
from flux_cli.build.manifest.settings import OWN, Settings, merge, settle
from flux_cli.build.manifest.templates import Literal, Template
from flux_cli.core.errors import ManifestError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.values import check_text
from flux_cli.images import names
from flux_cli.request.expansion.cells import field_text
from flux_cli.request.expansion.combinations import combine_rows
from flux_cli.request.styles import keys
from flux_cli.request.styles.prompts import join_texts
from flux_cli.request.styles.tables import check_param, unknown_key
from flux_cli.request.styles.values import checked

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from flux_cli.build.manifest.reading import Group, Manifest, Values
    from flux_cli.build.manifest.settings import Sources
    from flux_cli.core.model import Json

MAX_ASSETS = 20_000
NAME_BYTES = 255
# Text that is safe in file names. The names of Windows devices are shorter.
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{4,100}")


class Asset(NamedTuple):
    """One named image: what it asks for, and the files to be made of it."""

    name: str
    group: str  # the table that it comes from
    settings: Settings
    prompt: str
    seed: Json
    alt: str
    stem: str  # of its paths
    request: str  # the digest
    of: str = ""  # the asset that this is a further candidate of; it has no files

    @property
    def files(self) -> dict[str, str]:
        """The digest of each output, by path."""
        if self.of:
            return {}
        return {self.stem + one.ending: one.digest for one in self.settings.variants}

    @property
    def requested(self) -> dict[str, Json]:
        """What it asks for, by key."""
        facts: dict[str, Json] = {**self.settings.parameters, "prompt": self.prompt}
        return facts if self.seed is None else {**facts, "seed": self.seed}


def expand(manifest: Manifest, sources: Sources) -> Iterator[Asset]:
    """All assets of a manifest. Raises ManifestError at the first one that is wrong."""
    count = 0
    for group in manifest.groups:
        for asset in expand_group(manifest, group, sources):
            count += 1
            if count > MAX_ASSETS:
                message = f"{manifest.path} has more than {MAX_ASSETS:,} assets"
                raise ManifestError(message, hint="split it into several manifests")
            yield asset


def expand_group(manifest: Manifest, group: Group, sources: Sources) -> Iterator[Asset]:
    """The assets of one table. Raises ManifestError at the first one that is wrong."""
    return _Expansion(manifest, group, sources).assets()


@lru_cache(maxsize=4096)
def safe_name(text: str) -> str:
    """A field as part of a file name."""
    return text if PLAIN.fullmatch(text) else names.safe(text)


class _Expansion:
    """One table of assets and what was computed for it so far."""

    def __init__(self, manifest: Manifest, group: Group, sources: Sources) -> None:
        self._manifest, self._group, self._sources = manifest, group, sources
        self._where = f"{manifest.path}: assets.{group.name}"
        self._settings: dict[str, Settings] = {}  # by what its rows say of shared keys
        self._merged: dict[str, Values] = {}
        self._templates: dict[str, Template] = {}
        self._is_literal = not manifest.variables and not group.is_several
        self._name = Template(group.template, f"{self._where}: name")

    def assets(self) -> Iterator[Asset]:
        if not self._group.is_several:
            yield from self._asset({})
            return
        for row in self._combinations():
            yield from self._asset(row)

    def _combinations(self) -> Iterator[Mapping[str, Any]]:
        """Every row with every combination of the axes, without those that are excluded."""
        group, axes = self._group, self._group.matrix
        rows = self._rows() if group.rows else [{}]
        self._check_columns(rows)
        excluded = [_texts(one) for one in group.exclude]
        for whole in combine_rows(rows, axes):
            if not any(_matches(whole, one) for one in excluded):
                yield whole

    def _rows(self) -> list[dict[str, Any]]:
        path = self._group.rows
        return read_rows(self._sources.text(path, f"{self._where}: rows"), path)

    def _check_columns(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Raise ManifestError for columns, axes and fields that are used wrongly."""
        axes, where = self._group.matrix, self._where
        columns = dict.fromkeys(itertools.chain.from_iterable(rows))
        for axis in axes:
            if axis in columns:
                hint = "rename one of them"
                raise ManifestError(f"{where}: {axis} is a column and an axis", hint=hint)
        known = [*columns, *axes]
        for column in known:
            if column in keys.ACCESS or (column in keys.GROUP and column != "name"):
                raise unknown_key(column, keys.ASSET, f"{where}: a column or an axis")
        if not rows:
            return
        if not self._group.template and "name" not in known:
            fields = "-".join(f"{{{column}}}" for column in known[:2])
            raise ManifestError(f"{where}: name is missing", hint=f'write name = "{fields}"')
        self._name.check([*self._manifest.variables, *known])
        for field in itertools.chain(*self._group.exclude):
            if field not in known:
                raise Template.unknown(field, known, f"{where}: exclude")

    def _asset(self, row: Mapping[str, Any]) -> Iterator[Asset]:
        """The assets of one row: one, or `n`."""
        own, shared = self._read_row(row)
        settings, merged = self._settle(shared)
        fields = {**self._manifest.variables, **_texts(row)}
        name = self._name_of(row, fields)
        if settings.n is None:
            first = self._one(name, fields, {**merged, **own}, settings, 0)
            yield first
            for number in range(1, settings.candidates):
                yield self._candidate(first, number)
            return
        for number in range(settings.n):
            numbered = f"{name}-{number + 1}"
            yield self._one(numbered, fields, {**merged, **own}, settings, number)

    def _read_row(self, row: Mapping[str, Any]) -> tuple[Values, Values]:
        """The keys that a row sets: those of one asset alone, and those that others may share."""
        own: Values = {}
        shared: Values = {}
        for column, value in row.items():
            if column in keys.ASSET and value != "":
                read = checked(column, keys.ASSET[column], value, self._where)
                (own if column in OWN else shared)[column] = read
        if "param" in shared:
            check_param(shared["param"], self._where)
        return own, shared

    def _settle(self, shared: Values) -> tuple[Settings, Values]:
        """The settings for what a row says of shared keys, and all merged keys."""
        key = repr(shared) if shared else ""
        if key not in self._settings:
            merged = merge(self._manifest, self._group.values, shared, self._where)
            settings = settle(merged, self._sources, self._where)
            self._settings[key] = settings
            self._merged[key] = {name: merged[name] for name in OWN if name in merged}
        return self._settings[key], self._merged[key]

    def _name_of(self, row: Mapping[str, Any], fields: Mapping[str, str]) -> str:
        if not self._group.is_several:
            return self._group.name
        if row.get("name"):
            name = safe_name(field_text(row["name"]))
        else:
            name = self._name.fill(fields, safe_name)
        if not name.strip(". "):
            message = f"{self._where}: a name is empty"
            raise ManifestError(message, hint="every row needs a value for the fields of name")
        return name

    def _one(
        self, name: str, fields: dict[str, str], merged: Values, settings: Settings, number: int
    ) -> Asset:
        fields = {**fields, "name": name}
        where = f"{self._where}" if name == self._group.name else f"{self._where}: {name}"
        prompt = self._prompt(merged.get("prompt", ""), fields, settings, where)
        seed = _counted_up(merged.get("seed"), number, where)
        stem = inside(settings.stem.fill(fields, safe_name), f"{where}: output")
        _check_length(stem, settings, where)
        alt = self._text(merged.get("alt", ""), f"{where}: alt").fill(fields)
        request = request_digest(settings.head, prompt, seed)
        return Asset(name, self._group.name, settings, prompt, seed, alt, stem, request)

    def _candidate(self, first: Asset, number: int) -> Asset:
        """A further candidate. Without a seed, its number tells its request from the others."""
        seed = _counted_up(first.seed, number, self._where)
        name = key_of(first.name, number + 1)
        mark = mark_of(name, first.name, seed)
        request = request_digest(first.settings.head, first.prompt, seed, mark)
        return first._replace(name=name, seed=seed, request=request, of=first.name)

    def _prompt(
        self, source: str, fields: Mapping[str, str], settings: Settings, where: str
    ) -> str:
        """The whole prompt, with the texts of the styles around it."""
        if source.startswith("@@"):
            source = source[1:]
        elif source.startswith("@") and len(source) > 1:
            path = Template(source[1:], f"{where}: prompt").fill(fields, _safe_path)
            source = self._sources.text(path, f"{where}: prompt")
        texts = [*settings.prefix, source, *settings.suffix]
        filled = [self._text(text, f"{where}: prompt").fill(fields).strip() for text in texts]
        if not filled[len(settings.prefix)]:
            hint = 'describe the image: prompt = "a harbor at dawn"'
            raise ManifestError(f"{where}: the prompt is empty", hint=hint)
        return check_text(f"{where}: the prompt", join_texts(filled))

    def _text(self, text: str, where: str) -> Template:
        """A text of the manifest as a template, or as it is where nothing can be filled in."""
        if text not in self._templates:
            kind = Literal if self._is_literal else Template
            self._templates[text] = kind(text, where)
        return self._templates[text]


def _counted_up(seed: Json, number: int, where: str) -> Json:
    """The seed of a further image, `number` after the first."""
    if not number or seed is None:
        return seed
    if not isinstance(seed, int):
        raise ManifestError(f"{where}: seed must be a whole number, not {seed!r}")
    return seed + number


def _check_length(stem: str, settings: Settings, where: str) -> None:
    """Raise ManifestError for a file name that no file system takes."""
    for part in f"{stem}{settings.longest}".split("/"):
        if len(part.encode("utf-8", "surrogateescape")) > NAME_BYTES:
            raise ManifestError(f"{where}: the file name {part[:40]!r}… is too long")


def _safe_path(text: str) -> str:
    return "/".join(safe_name(part) for part in text.split("/"))


def _texts(row: Mapping[str, Any]) -> dict[str, str]:
    """The values of a row as its fields show them."""
    return {column: field_text(value) for column, value in row.items()}


def _matches(row: Mapping[str, Any], excluded: Mapping[str, str]) -> bool:
    return all(field_text(row.get(name, "")) == value for name, value in excluded.items())
