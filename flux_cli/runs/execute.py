"""A job, run: the event loop, the door to the network, and an offline answer where nothing is hosted."""

import asyncio
from pathlib import Path

import flux_cli.providers.answers  # noqa: F401 - loaded before calls go out: later no file handle may be free
from flux_cli.config.load import Settings
from flux_cli.http.client import Http
from flux_cli.http.exchange import InProcess
from flux_cli.runs import pipeline
from flux_cli.runs.report import Report


def execute(job: pipeline.Job, folder: Path, settings: Settings, tell: pipeline.Tell) -> Report:
    """Run every call of a job; what arrives is kept in `folder`. Never raises for a call that failed."""
    transport = None
    if not job.hosted:
        from flux_cli.providers.offline.answer import answer

        transport = InProcess(answer)

    async def go() -> Report:
        async with Http(
            timeout=settings.timeout,
            retries=settings.retries,
            folder=folder,
            most=job.concurrency,
            transport=transport,
        ) as http:
            return await pipeline.generate(job, http, tell)

    return asyncio.run(go())
