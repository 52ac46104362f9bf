"""Selects assets by name, as `--only` and its likes name them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from flux_cli.core.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

MAGIC = "*?["  # characters that make a name a pattern


def select(
    names: Collection[str], only: Sequence[str], exclude: Sequence[str]
) -> Callable[[str], bool]:
    """Whether an asset is selected, by its name. Raises UsageError for a pattern without a match.

    `names` are those of the manifests and the locks.
    """
    for option, patterns in (("--only", only), ("--exclude", exclude)):
        for pattern in patterns:
            matches(names, pattern, option)
    if not only and not exclude:
        return lambda _: True
    chosen = [name for name in names if not only or _is_any(name, only)]
    left = frozenset(name for name in chosen if not _is_any(name, exclude))
    return left.__contains__


def matches(names: Collection[str], pattern: str, option: str) -> list[str]:
    """The names that a pattern matches. Raises UsageError if there are none."""
    found = [name for name in names if fnmatchcase(name, pattern)]
    if not found:
        hint = did_you_mean(pattern, names) or "flux build --plan -v lists all assets"
        raise UsageError(f"{option} {pattern}: no asset has such a name", hint=hint)
    return found


def is_pattern(text: str) -> bool:
    """Whether a name may stand for several."""
    return any(char in text for char in MAGIC)


def _is_any(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
