"""A job, run: the event loop, the door to the network, and an offline answer where nothing is hosted."""

import asyncio

from flux_cli import pipeline
from flux_cli.config import Settings
from flux_cli.core.request import Report
from flux_cli.http import Http, InProcess, Spool


def execute(job: pipeline.Job, spool: Spool, settings: Settings, tell: pipeline.Tell) -> Report:
    """Run every call of a job; what arrives is kept in the spool. Never raises for a call that failed."""
    carrier = None
    if not job.hosted:
        from flux_cli import offline

        carrier = InProcess(offline.answer)

    async def go() -> Report:
        async with Http(
            timeout=settings.timeout,
            retries=settings.retries,
            spool=spool,
            most=job.concurrency,
            carrier=carrier,
        ) as http:
            return await pipeline.generate(job, http, tell)

    return asyncio.run(go())
