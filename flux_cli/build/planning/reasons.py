"""The words of a plan: why something is done for an asset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.lock.rows import STALE
from flux_cli.build.planning.changes import ARROW, change_text
from flux_cli.core.values import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.build.lock.rows import Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.matching import Match
    from flux_cli.build.planning.steps import Change, Step

PLACEHOLDER = "only a placeholder"
REROLL = "requested again (--reroll)"
RESPELLED = "respelled, same request"
NOT_OFFLINE = "changed; --offline leaves generated images as they are"
REFUSED = "refused before ({}); change the prompt, or --reroll"
UNCLEAR = "unclear ({}): it may have been billed; see flux recover, or --reroll"
UNSAVED = "paid for, but not saved: flux build or flux recover saves it; --reroll pays again"
ADOPT, REPLACE = "--adopt keeps {}", "--overwrite replaces {}"


def changed(changes: Sequence[Change]) -> str:
    """What differs, key by key."""
    return "; ".join(map(change_text, changes)) or "changed"


def edited(match: Match, *, may_adopt: bool) -> str:
    """Which files are not ours, or not as they were, and which options decide about them."""
    kinds = (("edited", match.edited), ("in the way", match.blocked))
    found = "; ".join(f"{word}: {listed(paths)}" for word, paths in kinds if paths)
    what = "it" if len(match.edited) + len(match.blocked) == 1 else "them"
    options = [ADOPT, REPLACE] if may_adopt else [REPLACE]
    return f"{found} ({', '.join(options).format(what, what)})"


def lost(match: Match) -> str:
    """Why a new image is needed, although the request is the same."""
    if match.missing:
        return f"lost: {listed(match.missing)} is missing, and the original is not available"
    return f"{listed(match.make or match.replaced)}: the original is not available"


def remade(asset: Asset, row: Row, match: Match) -> str:
    """Which files are made from the original, and why."""
    parts = []
    if match.added:
        parts.append(_added(asset, row, match.added))
    if match.altered:
        is_picked = row.pick and all(row.files[path].output == STALE for path in match.altered)
        parts.append(f"candidate {row.pick} picked" if is_picked else "output settings changed")
    if match.missing:
        parts.append(f"missing: {listed(match.missing)}")
    if match.edited or match.blocked:
        parts.append(f"replaces {listed((*match.edited, *match.blocked))}")
    count = len(match.make) + len(match.replaced)
    return f"{', '.join(parts)}: {counted(count, 'file')} from the original"


def _added(asset: Asset, row: Row, added: Sequence[str]) -> str:
    """What is new about files: their width, or their name."""
    stem, known = asset.stem, {file.width for file in row.files.values()}
    widths = {stem + one.ending: one.width for one in asset.settings.variants}
    new = list(dict.fromkeys(widths[path] for path in added))
    if None in new or known.intersection(new):
        return f"new: {listed(added)}"
    numbers = ", ".join(map(str, new))
    return f"width {numbers} is new" if len(new) == 1 else f"widths {numbers} are new"


def moved(step: Step) -> str:
    """From where to where, or under which name it was known."""
    if step.moves:
        old, new = step.moves[0]
        more = f" and {len(step.moves) - 1} more" if len(step.moves) > 1 else ""
        return f"{old}{ARROW}{new}{more}"
    return f"renamed from {step.was}"


def listed(paths: Sequence[str]) -> str:
    """The first path, and how many more there are."""
    more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
    return f"{paths[0]}{more}"
