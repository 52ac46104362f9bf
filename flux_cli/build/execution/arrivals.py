"""Keeps what had arrived of a build that was killed, as originals with pending rows.

`flux build` does so first, and `flux recover` may do so before. No files are made here: the next
build makes them, for free.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from flux_cli.build.execution.delivery import without_files
from flux_cli.build.execution.originals import Keeper, Owner
from flux_cli.build.execution.takeover import is_build_of
from flux_cli.build.lock.pending import Pending, read_pending
from flux_cli.build.lock.rows import NO_DIGEST, Row
from flux_cli.config.load import load_settings
from flux_cli.core.errors import FluxError
from flux_cli.providers.rows import ROWS
from flux_cli.runs.progress.lines import Silence
from flux_cli.runs.records import store
from flux_cli.runs.records.listing import find_run, iso_time
from flux_cli.runs.records.rescue import resume
from flux_cli.runs.recovery import arrived, job_of
from flux_cli.runs.spending.access import find_access

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from flux_cli.runs.job import Job, Task
    from flux_cli.runs.records.past import PastRun


def fetch_arrived(run: str, locks: Collection[str]) -> None:
    """Keep what had arrived of a killed build. What cannot be fetched stays in the state folder.

    The name of the run comes from a file of the project, so it must be a build of one of its
    `locks`: a cloned folder must not claim another run.
    Never raises FluxError: the build goes on, and asks for nothing of it again.
    """
    from flux_cli.runs.event_loop import run_job

    with contextlib.suppress(FluxError, OSError):
        found = find_run(store.runs_folder(), run)
        if found.past.id != run or not is_build_of(found.past, locks):
            return
        past, ledger = resume(found)
        with ledger:
            answers = arrived(past, ledger.folder)
            if not answers:
                return
            provider, base_url = past.text("provider"), past.text("base_url")
            settings = load_settings({"provider": provider, "base_url": base_url}, ROWS)
            job = job_of(past, ledger, settings, find_access(settings), answers)
            run_job(keeping(job, past), ledger.folder, settings, Silence())


def keeping(job: Job, past: PastRun) -> Job:
    """The job of the rest of a build, so that it keeps originals and makes no files."""
    created = iso_time(past.began or 0.0)
    keeper = Keeper(_Owners(), provider=past.text("provider"), run=past.id, created=created)
    tasks = [task._replace(delivery=without_files(task.delivery, task.name)) for task in job.tasks]
    return job._replace(tasks=tasks, store=keeper)


def with_pending(rows: Mapping[str, Row], lock: str) -> Mapping[str, Row]:
    """The rows of a lock, and in their place those that a killed build has left for it."""
    return {**rows, **read_pending(lock).rows}


class _Owners:
    """To whom images belong, from what the journal says of their requests."""

    def __init__(self) -> None:
        self._pending: dict[str, Pending] = {}  # by lock

    def __call__(self, task: Task) -> Owner:
        about = task.about
        row = Row(str(about.get("request", NO_DIGEST)), str(about.get("resolved", NO_DIGEST)))
        lock = str(about.get("lock", ""))
        return Owner(row, self._pending.setdefault(lock, Pending(lock)))
