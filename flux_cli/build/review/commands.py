"""The commands that the review page offers to copy, exactly as they must be typed."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from flux_cli.build.planning.steps import EDITED, ORPHAN, REFUSED, UNCLEAR
from flux_cli.build.review.content import CommandLine

if TYPE_CHECKING:
    from collections.abc import Iterator


def pick_command(manifest: str, name: str, number: int) -> CommandLine:
    """The command that picks a candidate. `manifest` is "" for the one that is found."""
    choice = f"{name}={number}"
    words = [f"--pick={choice}"] if name.startswith("-") else ["--pick", choice]
    return CommandLine(f"Pick {number}", _build(manifest, *words))


def commands_of(sign: str, manifest: str, name: str) -> Iterator[CommandLine]:
    """What a person can do about an asset that a build leaves alone."""
    only = pattern_of(name)
    if sign == EDITED:
        yield CommandLine("Keep the file", _build(manifest, "--adopt", only))
        yield CommandLine("Replace the file", _build(manifest, "--only", only, "--overwrite"))
    if sign == UNCLEAR:
        yield CommandLine("Look for the image", "flux recover")
    if sign in (REFUSED, UNCLEAR):
        yield CommandLine("Request it again", _build(manifest, "--reroll", only))
    if sign == ORPHAN:
        yield CommandLine("Delete its files", _build(manifest, "--only", only, "--prune"))


def pattern_of(name: str) -> str:
    """A pattern that matches this name alone."""
    return re.sub(r"^-|[*?\[]", r"[\g<0>]", name)


def _build(manifest: str, *words: str) -> str:
    given = [manifest] if manifest else []
    return shlex.join(["flux", "build", *given, *words])
