"""Runs a job in an event loop, with an HTTP client. Offline sketches need no network."""

import asyncio
from pathlib import Path

# Imported early: later, no file handle may be free to load it.
import flux_cli.providers.answers  # noqa: F401
from flux_cli.config.load import Settings
from flux_cli.http.client import Http
from flux_cli.http.exchange import InProcess
from flux_cli.runs.pipeline import Job, Listener, generate
from flux_cli.runs.report import Report


def run_job(job: Job, folder: Path, settings: Settings, listener: Listener) -> Report:
    """Carry out a job. Received images are kept in `folder`. Never raises for a failed request."""
    sender = None
    if not job.hosted:
        from flux_cli.providers.offline.answer import answer

        sender = InProcess(answer)

    async def connect_and_generate() -> Report:
        async with Http(
            timeout=settings.timeout,
            retries=settings.retries,
            folder=folder,
            most=job.concurrency,
            sender=sender,
        ) as http:
            return await generate(job, http, listener)

    return asyncio.run(connect_and_generate())
