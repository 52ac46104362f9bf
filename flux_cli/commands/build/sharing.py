"""Opens the store that a build shares with other machines, if there is one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flux_cli.core.errors import UsageError
from flux_cli.core.text import variable_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from flux_cli.build.options import BuildOptions
    from flux_cli.build.project import Project
    from flux_cli.build.stores.sharing import Sharing
    from flux_cli.build.stream.elsewhere import Elsewhere

OPTION, VARIABLE = "--store", "FLUX_STORE"


def store_address(options: BuildOptions) -> tuple[str, str]:
    """The address of the store and what names it; "" if there is none. Raises UsageError."""
    typed = options.machines.store
    source = VARIABLE if typed is None else OPTION
    text = variable_text(os.environ, VARIABLE) if typed is None else typed
    if text or typed is not None:
        from flux_cli.build.stores.addresses import check_address

        text = check_address(text, source)
    return text, source


def open_elsewhere(options: BuildOptions, address: str) -> Elsewhere:
    """What a build from JSON lines has outside of this machine. Nothing is sent.

    Raises UsageError, ConfigError.
    """
    from flux_cli.build.stream.elsewhere import Elsewhere

    overwrite = options.decisions.overwrite
    if options.mode.plan or options.mode.check:
        return Elsewhere(address, overwrite)
    outputs = None
    if address:
        from flux_cli.build.stores.store import open_store

        outputs = open_store(address, "-o")
    return Elsewhere(address, overwrite, outputs, open_sharing(options, ()))


def open_sharing(options: BuildOptions, projects: Iterable[Project]) -> Sharing | None:
    """What the build shares; None without a store, and for placeholders. Raises UsageError."""
    address, source = store_address(options)
    if not address or options.access.offline:
        return None
    for project in projects:
        if not project.manifest.originals:
            hint = "leave one of them out: other machines need the originals"
            raise UsageError(f"{source} and originals = false contradict each other", hint=hint)
    from flux_cli.build.stores.sharing import Sharing
    from flux_cli.build.stores.store import open_store

    return Sharing(open_store(address, source))
