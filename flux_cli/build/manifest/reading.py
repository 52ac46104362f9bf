"""Reads a manifest strictly: every table, key and value is known, or it is an error with a hint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.core.errors import ManifestError
from flux_cli.core.lite import NamedTuple
from flux_cli.images.names import safe
from flux_cli.request.expansion.cells import scalar
from flux_cli.request.styles import keys
from flux_cli.request.styles.tables import read_table
from flux_cli.request.styles.values import shown, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeAlias

    from flux_cli.core.model import Json

    Values: TypeAlias = dict[str, Any]  # checked values of keys, by name


class Group(NamedTuple):
    """One table of assets: a single asset, or with rows or a matrix, several."""

    name: str
    values: Values
    rows: str = ""  # the path of a file
    matrix: Mapping[str, list[Json]] = {}
    exclude: tuple[dict[str, Json], ...] = ()
    template: str = ""  # of the names

    @property
    def is_several(self) -> bool:
        return bool(self.rows or self.matrix)


class Manifest(NamedTuple):
    """A manifest that was read. Values are checked by kind, and templates are not filled."""

    path: str
    variables: dict[str, str]
    defaults: Values
    styles: dict[str, Values]
    groups: tuple[Group, ...]
    max_cost: float | None = None
    lock_prompts: bool = True
    originals: bool = True


def read_manifest(document: dict[str, Any], path: str) -> Manifest:
    """The manifest of a document. `path` names it in messages. Raises ManifestError."""
    table = {name: value for name, value in document.items() if name != "$schema"}
    top = read_table(table, keys.TOP, path)
    styles = _tables_of(top, "styles", path)
    assets = _tables_of(top, "assets", path)
    if not assets:
        hint = 'for example [assets.hero] with prompt = "a harbor at dawn"'
        raise ManifestError(f"{path} has no assets", hint=hint)
    read_styles = {
        name: read_table(style, keys.STYLE_KEYS, f"{path}: styles.{name}")
        for name, style in styles.items()
    }
    defaults = read_table(top.get("defaults", {}), keys.DEFAULTS_KEYS, f"{path}: defaults")
    return Manifest(
        path=path,
        variables=_read_variables(top.get("vars", {}), f"{path}: vars"),
        defaults=defaults,
        styles=read_styles,
        groups=tuple(_read_group(name, table, path) for name, table in assets.items()),
        max_cost=_read_cost(top.get("max_cost"), path),
        lock_prompts=top.get("lock_prompts", True),
        originals=top.get("originals", True),
    )


def _tables_of(top: Values, name: str, path: str) -> dict[str, dict[str, Any]]:
    """A table of tables. Raises ManifestError if it is anything else."""
    tables = top.get(name, {})
    for inner, table in tables.items():
        if not isinstance(table, dict):
            hint = f"write [{name}.NAME] and its keys below it"
            raise ManifestError(f"{path}: {name}.{inner} must be a table", hint=hint)
    return tables  # type: ignore[no-any-return] # checked above


def _read_group(name: str, table: dict[str, Any], path: str) -> Group:
    where = f"{path}: assets.{name}"
    if name != safe(name) or not name:
        hint = f"for example {safe(name) or 'hero'}"
        raise ManifestError(f"{path}: {shown(name)} cannot name an asset", hint=hint)
    found = read_table(table, keys.ASSET_KEYS, where)
    values = {key: value for key, value in found.items() if key in keys.ASSET}
    group = Group(
        name=name,
        values=values,
        rows=found.get("rows", ""),
        matrix=found.get("matrix", {}),
        exclude=tuple(found.get("exclude", ())),
        template=found.get("name", ""),
    )
    if not group.is_several and ("name" in found or "exclude" in found):
        key = "name" if "name" in found else "exclude"
        hint = f"the table's own name is the name of its asset: [assets.{name}]"
        raise ManifestError(f"{where}: {key} needs rows or a matrix", hint=hint)
    return group


def _read_variables(table: Mapping[str, Json], where: str) -> dict[str, str]:
    """Texts by name. `{name}` is the asset's own. Raises ManifestError."""
    found = {}
    for name, value in table.items():
        if not isinstance(value, bool) and scalar(value) is None:
            raise ManifestError(f"{where}: {name} must be text, not {shown(value)}")
        if name == "name":
            hint = "choose another name: {name} is the name of the asset"
            raise ManifestError(f"{where}: name cannot be set", hint=hint)
        found[name] = text_of(value)
    return found


def _read_cost(value: Json, path: str) -> float | None:
    if value is None:
        return None
    if not isinstance(value, int | float) or value < 0:
        hint = "an amount in USD, such as max_cost = 5.00"
        raise ManifestError(f"{path}: max_cost must be at least 0, not {shown(value)}", hint=hint)
    return float(value)
