"""Paths in a manifest: they start at its folder and stay in it. Links are checked in `files`."""

from __future__ import annotations

import re

from flux_cli.core.errors import ManifestError

DRIVE = re.compile(r"[A-Za-z]:")
# Paths that need no closer look: no part begins with a dot, and nothing in them is special.
HARMLESS = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)*", re.ASCII)


class UnreadableError(ManifestError):
    """A file that a manifest names cannot be read."""

    path = ""  # of the file
    where = ""  # in the manifest


def inside(path: str, where: str) -> str:
    """The path in its shortest form. Raises ManifestError if it leaves the folder."""
    if HARMLESS.fullmatch(path):
        return path
    if "://" in path:
        message = f"{where}: {path!r} is an address, and a manifest has only paths"
        raise ManifestError(message, hint="only -o, with JSON lines, writes to s3:// and the like")
    reason = objection(path)
    if reason:
        hint = "name a file in the folder of the manifest or below it"
        raise ManifestError(f"{where}: {path!r} {reason}", hint=hint)
    parts = [part for part in path.split("/") if part not in ("", ".")]
    return "/".join(parts)


def objection(path: str) -> str:
    """Why a path must not be used; "" if it may.

    Git's own folder counts as outside: its files are run as programs.
    """
    if HARMLESS.fullmatch(path):
        return ""
    if not path.strip("/. "):
        return "is not a file"
    if path.startswith(("/", "~/", "\\")) or DRIVE.match(path):
        return "must be relative to the folder of the manifest"
    if "\0" in path or not path.isprintable():
        return "has characters that cannot be printed"
    parts = re.split(r"[/\\]", path)
    if ".." in parts:
        return "leaves the folder of the manifest"
    folded = {part.rstrip(". ").lower() for part in parts}
    if folded & {".git", "git~1", ".flux"}:
        return "is in a folder that is not for images"
    return ""
