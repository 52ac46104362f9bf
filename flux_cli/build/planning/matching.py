"""Matches the files that an asset asks for with those of its row and of the disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.core.lite import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.build.lock.rows import File, Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Disk


class Match(NamedTuple):
    """What has to happen to the files of one asset, if its image stays the same."""

    missing: tuple[str, ...] = ()  # paths of the row that are gone
    added: tuple[str, ...] = ()  # paths that the row does not have
    altered: tuple[str, ...] = ()  # whose output settings changed
    moves: tuple[tuple[str, str], ...] = ()
    edited: tuple[str, ...] = ()  # paths whose bytes are not those of the row
    blocked: tuple[str, ...] = ()  # paths where there is a file of somebody else
    replaced: tuple[str, ...] = ()  # paths to make in place of edited and blocked ones, if allowed
    orphans: tuple[str, ...] = ()  # paths of the row that are there, but not in the manifest

    @property
    def make(self) -> tuple[str, ...]:
        return (*self.missing, *self.added, *self.altered)


NOTHING = Match()


def match_files(asset: Asset, row: Row, disk: Disk) -> Match:
    """Compare each path. Files that only changed their path are moved."""
    wanted, files = asset.files, row.files
    if wanted.keys() == files.keys():
        for path, file in files.items():
            if file.output != wanted[path] or not disk.holds(path, file):
                break
        else:
            return NOTHING
    matching = _Matching(wanted, files, disk)
    for path in wanted:
        matching.place(path)
    return matching.result()


class _Matching:
    """The comparison of one asset, path by path."""

    def __init__(self, wanted: dict[str, str], files: Mapping[str, File], disk: Disk) -> None:
        self._wanted, self._files, self._disk = wanted, files, disk
        self._spare = [path for path in sorted(files) if path not in wanted]
        self._found: dict[str, list[str]] = {field: [] for field in Match._fields}
        self._moves: list[tuple[str, str]] = []
        self._left: list[str] = []  # edited, and no longer in the manifest

    def place(self, path: str) -> None:
        """Find out where the file of a wanted path comes from."""
        file = self._files.get(path)
        if file is None:
            self._place_new(path)
        elif not self._disk.exists(path):
            self._found["missing"].append(path)
        elif not self._disk.holds(path, file):
            self._found["edited"].append(path)
            self._found["replaced"].append(path)
        elif file.output != self._wanted[path]:
            self._found["altered"].append(path)

    def _place_new(self, path: str) -> None:
        """A path that the row does not have: moved from a spare one, or to be made."""
        is_taken = self._disk.exists(path)
        for old in self._spare:
            file = self._files[old]
            if file.output != self._wanted[path] or not self._disk.can_move(old, path):
                continue
            if is_taken and self._disk.equals(path, file):  # a person has moved it
                self._move(old, path)
                return
            if not is_taken and self._disk.exists(old):
                self._move_unless_edited(old, path, file)
                return
        if is_taken:
            self._found["blocked"].append(path)
            self._found["replaced"].append(path)
        else:
            self._found["added"].append(path)

    def _move_unless_edited(self, old: str, path: str, file: File) -> None:
        """An edited file stays where it is, and another is made under the new path."""
        if self._disk.holds(old, file):
            self._move(old, path)
        else:
            self._spare.remove(old)
            self._left.append(old)
            self._found["edited"].append(old)
            self._found["replaced"].append(path)

    def _move(self, old: str, path: str) -> None:
        self._spare.remove(old)
        self._moves.append((old, path))

    def result(self) -> Match:
        left = sorted(filter(self._disk.exists, [*self._spare, *self._left]))
        lists = {field: tuple(paths) for field, paths in self._found.items()}
        return Match(**{**lists, "moves": tuple(self._moves), "orphans": tuple(left)})  # type: ignore[arg-type]
