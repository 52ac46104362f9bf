"""Claims of requests in a shared store, so that only one machine pays for each.

A claim is put before its request is sent, and replaced by the row of the lock once the original is
in the store. Only a request that certainly had no effect loses its claim again.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from flux_cli.build.lock.rows import CLAIMED, Trouble
from flux_cli.build.stores.texts import (
    LARGEST,
    Claim,
    claim_path,
    claim_text,
    read_claim,
    row_text,
)
from flux_cli.core.errors import FluxError
from flux_cli.core.lite import NamedTuple
from flux_cli.runs.failures import ClaimedError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from flux_cli.build.lock.rows import Row
    from flux_cli.build.manifest.expansion import Asset
    from flux_cli.build.stores.store import Object, Store
    from flux_cli.runs.job import Task


class Wanted(NamedTuple):
    """What is to be requested: the asset, and what a person has decided about an older claim."""

    asset: Asset
    take: int = 1
    decided: Trouble | None = None  # the request that --reroll repeats, although it may be billed

    @property
    def path(self) -> str:
        return claim_path(self.asset, self.take)


class Claims:
    """The claims of one run. Threads may share them.

    `is_unsent` says of the run and number of a request that it certainly had no effect.
    """

    def __init__(
        self,
        store: Store,
        wanted: Mapping[str, Wanted],
        run: str,
        time: str,
        is_unsent: Callable[[str, int], bool],
    ) -> None:
        self._store, self._wanted, self._run, self._time = store, wanted, run, time
        self._is_unsent, self._token = is_unsent, os.urandom(16).hex()
        self._own: dict[str, bytes] = {}  # the texts of claims that may be ours, by asset
        self.found: dict[str, Row] = {}  # what other runs have made, by asset
        self.waiting: dict[str, Claim] = {}  # what other runs are requesting, by asset

    def __call__(self, task: Task) -> None:
        """Claim the request of a task. Raises ClaimedError, NetworkError if it must not be sent."""
        wanted = self._wanted[task.key]
        text = claim_text(self._run, task.call.number, self._time, self._token)
        self._own[task.key] = text
        if self._store.put_if_absent(wanted.path, text):
            return
        found = self._store.get(wanted.path, LARGEST)
        if found is None:  # it was deleted at this moment
            if self._store.put_if_absent(wanted.path, text):
                return
            found = self._store.get(wanted.path, LARGEST)
        if found and found.data == text:
            return  # the answer to the first attempt was lost
        claim = read_claim(found and found.data, wanted.asset.request)
        if found and self._may_take(wanted, claim):
            if self._store.replace(wanted.path, text, found):
                return
            claim = self._read(wanted)
        del self._own[task.key]
        self._yield(task.key, claim)

    def _may_take(self, wanted: Wanted, claim: Claim) -> bool:
        """Whether the request may be sent although it was claimed before."""
        decided = wanted.decided
        if claim.row:
            return bool(decided and claim.row.refused)
        if decided and (decided.run, decided.number) == (claim.run, claim.number):
            return True
        return self._is_unsent(claim.run, claim.number)

    def _yield(self, name: str, claim: Claim) -> None:
        """Leave a request to another run. Raises ClaimedError."""
        if claim.row:
            self.found[name] = claim.row
            raise ClaimedError("another run has requested it")
        self.waiting[name] = claim
        raise ClaimedError(f"run {claim.run} is requesting it")

    def _read(self, wanted: Wanted) -> Claim:
        found = self._store.get(wanted.path, LARGEST)
        return read_claim(found and found.data, wanted.asset.request)

    def finish(self, name: str, row: Row) -> None:
        """Replace our claim by the row that came of it. Raises NetworkError."""
        if name in self._own:
            self._store.put(self._wanted[name].path, row_text(name, row._replace(files={})))
            self._own.pop(name)

    def release(self, name: str) -> None:
        """Delete our claim: the request had no effect. Raises NetworkError."""
        if name in self._own:
            path, text = self._wanted[name].path, self._own.pop(name)
            found = self._store.get(path, LARGEST)
            if found and found.data == text:
                self._store.delete(path)

    def look_again(self) -> dict[str, Trouble]:
        """Look at what other runs were requesting, and return what is still unclear, by asset."""
        unclear = {}
        for name, claim in self.waiting.items():
            wanted, now = self._wanted[name], claim
            with contextlib.suppress(FluxError):  # what was seen before still holds
                now = self._read(wanted)
            if now.row:
                self.found[name] = now.row
            else:
                unclear[name] = Trouble(wanted.asset.request, now.run, now.number, CLAIMED)
        return unclear


def is_settled(store: Store, wanted: Wanted, trouble: Trouble) -> bool:
    """Whether a request that was unclear is not anymore, because its claim has a row, or is gone.

    Only what another run had claimed becomes free without a claim. A store that cannot be reached
    settles nothing.
    """
    try:
        found: Object | None = store.get(wanted.path, LARGEST)
    except FluxError:
        return False
    if found is None:
        return trouble.code == CLAIMED
    return read_claim(found.data, wanted.asset.request).row is not None
