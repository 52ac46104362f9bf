"""`flux runs rm` and `flux runs prune`: remove earlier runs from the journal."""

from __future__ import annotations

import time
from collections.abc import Sequence

from flux_cli.config.ages import parse_age
from flux_cli.core.errors import UsageError
from flux_cli.core.values import counted
from flux_cli.runs.records import store
from flux_cli.runs.records.archive.removal import loss, older_runs, refuse_running, remove
from flux_cli.runs.records.listing import RecordedRun, Stray, find
from flux_cli.terminal import messages
from flux_cli.terminal.question import can_ask, confirm


def run(names: Sequence[str], *, force: bool) -> None:
    """Remove the named runs, or none of them.

    Raises UsageError for an unknown run, one that is under way, and, unless `force`, one with which
    something would be lost.
    """
    root = store.runs_folder()
    named = (find(root, name) for name in names)
    found = {one.path: one for one in named}
    losses = {path: loss(one) for path, one in found.items()}
    for path, one in found.items():
        refuse_running(one)
        if losses[path] and not force:
            message = f"run {path.stem} has {losses[path]}; nothing was removed"
            hint = f"flux recover {path.stem}; --force removes it with all that is in it"
            raise UsageError(message, hint=hint)
    for path, one in found.items():
        remove(one)
        lost = f", and with it {losses[path]}" if losses[path] else ""
        messages.err(f"flux: removed run {path.stem}{lost}")


def prune(*, older_than: str, yes: bool, force: bool) -> None:
    """Remove all runs beyond an age, except those with which something would be lost.

    With `force`, remove those, too. Asks on a terminal, unless `yes`. Raises UsageError for an
    invalid age, without `yes` where nobody can be asked, and if the answer is no.
    """
    age = parse_age(older_than.strip())
    if age is None:
        hint = "write a number with m, h, d, or w, such as 30d"
        raise UsageError(f"invalid age {older_than!r}", hint=hint)
    older = older_runs(store.runs_folder(), time.time() - age)
    ended = [one for one in older if not one.running]
    lossy = [one for one in ended if loss(one)]
    chosen = ended
    if not force:
        chosen = [one for one in ended if one not in lossy]
    if chosen:
        _confirm(chosen, lossy if force else (), older_than, yes=yes)
        for one in chosen:
            remove(one)
    messages.err(f"flux: removed {counted(len(chosen), 'run')} older than {older_than}")
    kept = len(older) - len(chosen)
    if kept:
        reason = "still under way, or with something paid for but not saved"
        messages.err(f"flux: note: kept {counted(kept, 'run')} {reason}; see: flux recover")


def _confirm(
    chosen: Sequence[RecordedRun | Stray],
    lossy: Sequence[RecordedRun | Stray],
    age: str,
    *,
    yes: bool,
) -> None:
    """Have the removal confirmed. Raises UsageError."""
    what = f"{counted(len(chosen), 'run')} older than {age}"
    if lossy:
        what += f", {len(lossy):,} of them with something paid for but not saved"
    if yes:
        return
    if not can_ask():
        message = f"nobody can be asked whether to remove {what}; nothing was removed"
        raise UsageError(message, hint="add --yes")
    if not confirm(f"This removes {what}. Continue?"):
        raise UsageError("not confirmed, so nothing was removed", hint="answer y, or add --yes")
