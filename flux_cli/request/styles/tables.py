"""Reads tables strictly: every key and value is known, or it is an error with a hint."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.core.errors import ManifestError, did_you_mean
from flux_cli.request.styles import keys
from flux_cli.request.styles.values import checked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from flux_cli.core.model import Json
    from flux_cli.request.styles.keys import Key


def read_table(table: Mapping[str, Any], known: Mapping[str, Key], where: str) -> dict[str, Any]:
    """The checked values of one table. Raises ManifestError for an unknown key."""
    found = {}
    for name, value in table.items():
        if name not in known:
            raise unknown_key(name, known, where)
        found[name] = checked(name, known[name], value, where)
    if "param" in found:
        check_param(found["param"], where)
    return found


def unknown_key(name: str, known: Mapping[str, Key], where: str) -> ManifestError:
    """The error for a key that a table does not have, with a hint."""
    if name.replace("-", "_") in keys.ACCESS:
        hint = "use an option, the environment, or your own config.toml"
        message = (
            f"{where}: {name} cannot be in a manifest or a preset: it would decide where keys go"
        )
        return ManifestError(message, hint=hint)
    folded = name.replace("-", "_").lower()
    other = folded if folded in known else keys.HABITS.get(folded, "")
    hint = f"did you mean {other}?" if other in known else did_you_mean(folded, known)
    return ManifestError(
        f"{where}: unknown key {name!r}", hint=hint or "see flux help build for all keys"
    )


def check_param(param: Mapping[str, Json], where: str) -> None:
    """Raise ManifestError for a parameter that is a key of its own."""
    for name in param:
        folded = name.replace("-", "_")
        if folded in keys.ASSET_KEYS:
            raise ManifestError(f"{where}: param cannot set {name}", hint=f"write {folded} = …")
        if folded in keys.ACCESS:
            raise unknown_key(name, keys.ASSET_KEYS, f"{where}: param")
