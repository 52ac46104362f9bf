"""Adopts files: what is on the disk is what the manifest means from now on."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.build.execution.originals import keep
from flux_cli.build.lock.rows import File, Original
from flux_cli.build.planning.outcome import Made
from flux_cli.core.errors import DiskError, ImageError, UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.images.formats import FORMATS
from flux_cli.images.metadata.read import read_metadata
from flux_cli.images.pixels.wholeness import examine

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flux_cli.build.disk import Files
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.planning.steps import Step
    from flux_cli.core.model import Json
    from flux_cli.images.metadata.record import Record

HINT = "leave out --adopt to generate the image, or correct the manifest"


class _Image(NamedTuple):
    """One adopted file."""

    path: str
    data: bytes
    format: str
    width: int
    height: int
    record: Record | None  # what flux wrote into it

    @property
    def is_sketch(self) -> bool:
        """Whether it says that it is an offline sketch."""
        return self.record is not None and self.record.is_sketch

    @property
    def pixels(self) -> int:
        return self.width * self.height


def adopt_files(step: Step, files: Files) -> Made:
    """What the lock says of the adopted files. Without an original, the largest becomes it.

    Raises UsageError if flux itself wrote into a file that it is another image; DiskError.
    """
    asset = step.wanted
    found = {}
    images = []
    for path in step.adopted:
        if path.endswith(".json"):
            data = _read(files, path)
            found[path] = File(asset.files[path], sha256(data).hexdigest(), len(data))
            continue
        image = _look(files, path)
        _check(asset, image, has_row=step.row is not None)
        digest = sha256(image.data).hexdigest()
        size = len(image.data)
        found[path] = File(asset.files[path], digest, size, image.width, image.height)
        images.append(image)
    own = step.row.original if step.row else None
    is_sketch = _has_placeholder(step, found) or any(image.is_sketch for image in images)
    if (own and files.has_original(own)) or not images:
        return Made(found, own, is_placeholder=is_sketch)
    return Made(found, _keep_largest(images, files.root), is_placeholder=is_sketch)


def _has_placeholder(step: Step, found: Mapping[str, File]) -> bool:
    """Whether a file is a placeholder of the lock, which need not say so itself."""
    row = step.row
    if row is None or not row.placeholder:
        return False
    return any(path in row.files and row.files[path].sha256 == found[path].sha256 for path in found)


def _keep_largest(images: list[_Image], root: str) -> Original:
    largest = max(images, key=lambda image: (image.pixels, len(image.data)))
    digest = sha256(largest.data).hexdigest()
    size = len(largest.data)
    original = Original(digest, size, largest.width, largest.height, largest.format)
    keep(root, original, largest.data)
    return original


def _look(files: Files, path: str) -> _Image:
    data = _read(files, path)
    try:
        seen = examine(data)
    except ImageError as error:
        raise UsageError(f"cannot adopt {path}: {error.message}", hint=HINT) from error
    image = seen.image
    if image.format not in FORMATS:
        raise UsageError(f"cannot adopt {path}: it is {image.format}", hint=HINT)
    metadata = read_metadata(seen.sound)
    record = metadata.record if metadata.source == "flux" else None
    return _Image(path, data, image.format, image.width, image.height, record)


def _check(asset: Asset, image: _Image, *, has_row: bool) -> None:
    """Raise UsageError if the record in a file contradicts the manifest.

    The prompt may differ from that of a row: a typing error may have been corrected.
    """
    record = image.record
    if record is None:
        return
    seed = asset.requested.get("seed")
    pairs: list[tuple[str, Json, Json]] = [("seed", record.seed, seed)]
    if not has_row:
        pairs.append(("prompt", record.prompt or None, asset.prompt))
    for name, written, asked in pairs:
        if written is not None and asked is not None and written != asked:
            message = f"cannot adopt {image.path}: it was made with the {name} {written!r}"
            raise UsageError(message, hint=HINT)


def _read(files: Files, path: str) -> bytes:
    place = files.place(path)
    try:
        if not os.path.isfile(place):
            raise DiskError(f"{path} is not a file")
        return Path(place).read_bytes()
    except OSError as fault:
        raise DiskError(f"cannot read {path}: {fault.strerror}") from fault
