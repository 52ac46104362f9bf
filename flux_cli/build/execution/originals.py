"""Keeps originals: images exactly as the provider returned them, beside the manifest.

A row is kept with each until the lock has it, so that a build that is killed loses no image and the
next one pays for none again.
"""

from __future__ import annotations

import contextlib
import os
import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.build.candidates.naming import owner_of
from flux_cli.build.disk import ORIGINALS
from flux_cli.build.disk import place as place_of
from flux_cli.build.execution.records import generated
from flux_cli.build.lock.file import (
    HIDDEN,
    PENDING,
    is_lock,
    load_lock,
    root_of,
)
from flux_cli.build.lock.pending import read_pending
from flux_cli.build.lock.rows import Original, Row
from flux_cli.build.planning.outcome import hide_prompts
from flux_cli.build.references.binding import bind, originals_of
from flux_cli.core.errors import DiskError, OutputError
from flux_cli.core.image import ImageFile
from flux_cli.core.lite import NamedTuple
from flux_cli.images.files import Folder
from flux_cli.images.names import fixed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flux_cli.build.lock.pending import Pending
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.runs.job import Original as Received
    from flux_cli.runs.job import Task

NAME = re.compile(r"[0-9a-f]{64}\.[a-z0-9]+")  # of an original


class Owner(NamedTuple):
    """To whom the image of a task belongs: its row without the image, and the notes of its lock."""

    row: Row
    pending: Pending
    shows_prompts: bool = True


class Keeper:
    """Keeps the originals of one run, and the rows that they lead to."""

    def __init__(
        self, owner_of: Callable[[Task], Owner], *, provider: str, run: str, created: str
    ) -> None:
        self._owner_of, self._provider = owner_of, provider
        self._run, self._created = run, created
        self.rows: dict[str, Row] = {}  # by asset, without files

    def __call__(self, received: Received) -> str:
        """Keep one image of a task, and return its path. Raises DiskError."""
        task, data, image = received.task, received.data, received.image
        owner = self._owner_of(task)
        digest = sha256(data).hexdigest()
        original = Original(digest, len(data), image.width, image.height, image.format)
        place = keep(root_of(owner.pending.lock), original, data)
        facts = generated(
            task.call,
            received.facts,
            provider=self._provider,
            run=self._run,
            created=self._created,
            digest=task.delivery.record.request_digest,
        )
        shown = facts if owner.shows_prompts else hide_prompts(facts)
        row = owner.row._replace(generated=shown, original=original, placeholder=not self._run)
        self.rows[task.key] = row
        owner.pending.add_row(task.key, row)
        return place


def keep(root: str, original: Original, data: bytes) -> str:
    """Write an original, unless it is there, and return its path. Raises DiskError."""
    hide(root)
    place = place_of(f"{ORIGINALS}/{original.name}", root)
    with contextlib.suppress(OSError):
        if os.path.getsize(place) == original.bytes:
            return place
    file = ImageFile(data, original.format, original.width, original.height, as_received=True)
    return Folder(overwrite=True).save(fixed(place), file)


def hide(root: str) -> None:
    """Make the hidden folder, which git ignores. Raises DiskError, and OutputError for a link.

    A cloned repository could link it to any place, and files there would be replaced and deleted.
    """
    folder = Path(root, HIDDEN)
    for place in (folder, *map(folder.joinpath, ("originals", "pending", "running"))):
        if place.is_symlink():
            hint = "put a folder there: files in it are replaced and deleted"
            raise OutputError(f"{place} is a link", hint=hint)
    try:
        folder.mkdir(parents=True)
        folder.joinpath(".gitignore").write_text("*\n")
    except FileExistsError as fault:  # a build that starts at the same moment may have made it
        if not folder.is_dir():
            raise DiskError(f"cannot write into {folder}: it is not a folder") from fault
    except OSError as fault:
        raise DiskError(f"cannot write into {folder}: {fault.strerror}") from fault


def delete_originals(root: str, needed: set[str]) -> list[str]:
    """Delete the originals whose names are not needed, and return their paths.

    Other files are not ours, and stay.
    """
    deleted = []
    folder = os.path.join(root, ORIGINALS)
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(folder)):
            if NAME.fullmatch(name) and name not in needed:
                os.unlink(os.path.join(folder, name))
                deleted.append(f"{folder}/{name}")
    return deleted


def unfinished(assets: Mapping[str, Asset], rows: Mapping[str, Row]) -> set[str]:
    """The names of the originals of which a file or an image is still to be made."""
    found = set()
    for name, asset in assets.items():
        bound = bind(asset, originals_of(asset, rows))
        if name not in rows or rows[name].request != bound.request:
            needed_rows = (rows[need] for need in asset.settings.needs if need in rows)
            found |= {row.original.name for row in needed_rows if row.original}
    for name, row in rows.items():
        wanted = assets[name].files if name in assets else {}
        made = {path: file.output for path, file in row.files.items()}
        owner = rows.get(owner_of(name) or name, row)
        is_open = name in assets and assets[name].settings.candidates and not owner.pick
        if row.original and (is_open or not wanted.items() <= made.items()):
            found.add(row.original.name)
    return found


def needed(root: str, *, but: str = "") -> set[str]:
    """The names of the originals that locks beside the manifest need, all locks but one.

    The rows that killed builds have left count, too. Raises ManifestError for a lock of flux that
    cannot be read; those of other programs need nothing.
    """
    found: set[str] = set()
    names = {
        path.name for folder in (root, f"{root}/{PENDING}") for path in Path(folder).glob("*.lock")
    }
    for name in names:
        path = os.path.join(root, name)
        rows = list(read_pending(path).rows.values())
        if name != os.path.basename(but) and is_lock(path):
            lock = load_lock(path)
            rows += [*lock.rows.values(), *lock.others.values()]
        found |= {row.original.name for row in rows if row.original}
    return found
