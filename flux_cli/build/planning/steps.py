"""The steps of a plan: one per asset, with its sign, its reason and what is to be done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from flux_cli.build.candidates.naming import owner_of
from flux_cli.core.lite import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from flux_cli.build.lock.rows import File, Original, Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.core.model import Json

# Signs, the most cautious first. What they mean is in `flux help build`.
EDITED, REFUSED, UNCLEAR, WAITS = "!", "x", "?", "^"
NEW, CHANGED, REMADE, MOVED, ORPHAN, SAME = "+", "~", "*", ">", "-", "="
# What a person must decide, or another build must do, before the asset is as the manifest says.
OPEN = frozenset((EDITED, REFUSED, UNCLEAR, WAITS))
PAID = frozenset((NEW, CHANGED))


class Change(NamedTuple):
    """One key whose value differs. None: it was not there."""

    key: str
    old: Json
    new: Json


class Step(NamedTuple):
    """What is to be done for one asset."""

    sign: str
    name: str
    group: str
    reason: str
    changes: tuple[Change, ...] = ()
    asset: Asset | None = None  # None for an asset that is not in the manifest
    row: Row | None = None  # what the lock says of it
    was: str = ""  # its name in the lock
    resolved: str = ""  # the digest, if it was needed
    make: tuple[str, ...] = ()  # paths to write
    moves: tuple[tuple[str, str], ...] = ()  # from path to path; the file may be there already
    adopted: tuple[str, ...] = ()  # existing files that a person accepts
    orphans: tuple[str, ...] = ()  # paths that are no longer in the manifest
    is_updated: bool = False  # the row changes, although no file does
    twin: str = ""  # the asset whose request brings this image, too
    choice: str = ""  # the command that picks one of its candidates
    awaits: tuple[str, ...] = ()  # assets whose new originals it needs, which come in this build
    stage: int = 0  # it is requested after all requests of earlier stages

    @property
    def wanted(self) -> Asset:
        """The asset. Raises ValueError for a step of files that belong to none."""
        if self.asset is None:
            raise ValueError(self)
        return self.asset

    @property
    def is_requested(self) -> bool:
        """Whether a request is sent for this asset."""
        return self.sign in PAID and not self.twin

    @property
    def keeps_pick(self) -> bool:
        """Whether the image is that of a candidate of the asset itself, which was picked."""
        return bool(self.twin) and owner_of(self.twin) in (self.name, self.was)

    @property
    def is_unchanged(self) -> bool:
        """Whether neither a file nor the row changes, and nothing is to be picked."""
        return self.sign == SAME and not self.is_updated and not self.choice

    @property
    def is_open(self) -> bool:
        return self.sign in OPEN


class Disk(Protocol):
    """The files as planning sees them."""

    def exists(self, path: str) -> bool:
        """Whether anything has this name."""

    def holds(self, path: str, file: File) -> bool:
        """Whether the path holds that file: by its size, or in a check by its bytes."""

    def equals(self, path: str, file: File) -> bool:
        """Whether the path holds exactly those bytes."""

    def can_move(self, old: str, new: str) -> bool:
        """Whether a file can be moved from path to path."""

    def has_original(self, original: Original) -> bool:
        """Whether an original can be read."""


class Wishes(NamedTuple):
    """What the command line asks for beyond the manifest."""

    overwrite: bool = False
    offline: bool = False  # placeholders take the place of requests
    reroll: Collection[str] = frozenset()  # names of assets
    adopt: Collection[str] = frozenset()
    may_adopt: bool = True  # whether this command takes --adopt
    selected: Callable[[str], bool] = lambda _: True  # by the name of an asset
