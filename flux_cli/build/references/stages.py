"""The order of assets that need the originals of others: stages, and cycles, which have none."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping


def stages(needs: Mapping[str, Collection[str]]) -> list[list[str]]:
    """Names in stages: each needs only names of earlier ones. `needs` has every name, and no cycle.

    Within a stage, the order is the given one.
    """
    left: dict[str, set[str]] = {name: set(needed) for name, needed in needs.items() if needed}
    found = [[name for name in needs if name not in left]]
    while left:
        done = set(found[-1])
        ready = []
        for name, needed in left.items():
            needed.difference_update(done)
            if not needed:
                ready.append(name)
        if not ready:
            raise ValueError(left)
        for name in ready:
            del left[name]
        found.append(ready)
    return found


def find_cycle(needs: Mapping[str, Collection[str]]) -> list[str]:
    """The names of a cycle, the first one at both ends; empty if there is none."""
    left = {name: set(needed) for name, needed in needs.items() if needed}
    is_shrinking = True
    while is_shrinking:
        ready = [name for name, needed in left.items() if not needed & left.keys()]
        for name in ready:
            del left[name]
        is_shrinking = bool(ready)
    if not left:
        return []
    # Whatever is left needs something that is left: following it leads into a cycle.
    path = [next(iter(left))]
    while path[-1] not in path[:-1]:
        path.append(next(name for name in needs[path[-1]] if name in left))
    return path[path.index(path[-1]) :]
