"""`flux build --init`: write a first manifest from the images of this folder."""

from __future__ import annotations

import os
import shlex
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.build.manifest.files import NAME
from flux_cli.build.manifest.paths import objection
from flux_cli.build.starter import Found, Recorded, prompts, starter
from flux_cli.core.errors import DiskError, ImageError, UsageError
from flux_cli.core.values import counted
from flux_cli.disk.publish import publish
from flux_cli.images.files import PART
from flux_cli.images.formats import BY_SUFFIX, FORMATS, split_suffix
from flux_cli.images.metadata.read import read_metadata
from flux_cli.images.pixels.wholeness import examine
from flux_cli.request.files.like import reuse_reading
from flux_cli.terminal import messages, streams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flux_cli.build.options import BuildOptions
    from flux_cli.images.metadata.read import Reading

MOST_IMAGES = 10_000
SKIPPED = ("node_modules", "__pycache__")


def init(options: BuildOptions) -> int:
    """Write the manifest, and print its path. Raises UsageError if there is one, DiskError."""
    path = _manifest(options)
    if os.path.lexists(path):
        hint = "add tables to it, or name another file: flux build --init more.toml"
        raise UsageError(f"{path} exists already", hint=hint)
    root = str(Path(path).parent)
    images: list[Found] = []
    for place in _paths(root):
        if len(images) == MOST_IMAGES:
            if not options.reporting.quiet:
                messages.err(f"flux: note: only the first {MOST_IMAGES:,} images are listed")
            break
        if found := _look(place, root):
            images.append(found)
    text = starter(images).encode("utf-8", "replace")
    try:
        publish([text], path, f"{PART}{os.urandom(8).hex()}", others=())
    except OSError as fault:
        raise DiskError(f"cannot write {path}: {fault.strerror}") from fault
    streams.out_path(path)
    if not options.reporting.quiet:
        known = prompts(images)
        messages.err(f"flux: {counted(len(images), 'image')}, {known:,} with a recorded prompt")
        messages.err(f"hint: {_next(known, path)}")
    return 0


def _manifest(options: BuildOptions) -> str:
    """The path of the manifest to write. Raises UsageError if it cannot be one."""
    paths = options.mode.manifests or [NAME]
    if len(paths) > 1:
        raise UsageError("--init writes one manifest", hint=f"flux build --init {paths[0]}")
    if not paths[0].endswith(".toml"):
        message = f"--init writes TOML, not {paths[0]}"
        raise UsageError(message, hint="name a file that ends in .toml")
    return paths[0]


def _next(known: int, path: str) -> str:
    """What to type next."""
    manifest = "" if path == NAME else f" {shlex.quote(path)}"
    if known:
        return f"keep the existing files as they are: flux build{manifest} --adopt '*'"
    return f"describe the images in {path}, then: flux build{manifest} --plan"


def _paths(root: str) -> Iterator[str]:
    """The images below a folder, without hidden folders, links, and pipes."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name not in SKIPPED
        )
        for name in sorted(names):
            path = f"{folder}/{name}"
            is_image = split_suffix(name)[1].lower() in BY_SUFFIX and not name.startswith(".")
            if is_image and stat.S_ISREG(os.lstat(path).st_mode):
                yield path


def _look(place: str, root: str) -> Found | None:
    """What an image is, and what flux recorded in it; None for a file that is no image."""
    path = os.path.relpath(place, root)
    if objection(path):
        return None
    try:
        seen = examine(Path(place).read_bytes())
        metadata = read_metadata(seen.sound)
    except (OSError, ImageError):
        return None
    image = seen.image
    if BY_SUFFIX[split_suffix(path)[1].lower()] != image.format or image.format not in FORMATS:
        return None
    found = Found(path, image.width, image.height, image.format)
    if metadata.source != "flux":
        return found
    return found._replace(made=_recorded(metadata, path))


def _recorded(metadata: Reading, path: str) -> Recorded:
    """What a record says, without files and addresses: as for --like, those are not followed."""
    record, reuse = metadata.record, reuse_reading(metadata, path, {})
    return Recorded(
        prompt=reuse.prompt or "",
        model=reuse.model or "",
        parameters=reuse.parameters,
        comments=tuple(f"{note.parameter}: {note.reason}" for note in reuse.notes),
        run=repr((record.prompt, record.seed, record.created, record.request_id)),
    )
