"""What a build from JSON lines has outside of this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.disk import Files
from flux_cli.build.stream.plans import ROOT
from flux_cli.core.lite import NamedTuple

if TYPE_CHECKING:
    from flux_cli.build.stores.sharing import Sharing
    from flux_cli.build.stores.store import Store


class Elsewhere(NamedTuple):
    """The address of outputs, its store, and what is shared.

    Plans and checks open neither store.
    """

    address: str = ""  # below which files are written; "" for the working folder
    overwrite: bool = False  # files there are written anew
    outputs: Store | None = None
    sharing: Sharing | None = None

    def files(self, *, verifies: bool = False, is_left: bool = False) -> Files:
        """The files of lines. `is_left`: a killed build may have written some."""
        stored = self.sharing.originals.has if self.sharing else None
        if not self.address:
            return Files(ROOT, verifies=verifies, stored=stored)
        from flux_cli.build.stores.outputs import StoredFiles

        store = self.outputs if is_left else None
        return StoredFiles(
            ROOT,
            self.address,
            verifies=verifies,
            stored=stored,
            store=store,
            overwrite=self.overwrite,
        )
