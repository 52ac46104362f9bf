"""Carries out a run for a program: `commands/generate.py` without a terminal and signals."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from contextvars import copy_context
from pathlib import Path
from typing import TYPE_CHECKING

from flux_cli.api.failures import presentable
from flux_cli.api.lookups import notes_of
from flux_cli.api.results import Image, Result
from flux_cli.core.errors import FluxError, OutputError, UsageError
from flux_cli.core.request import seed_of
from flux_cli.core.text import redact
from flux_cli.runs import event_loop
from flux_cli.runs.check import CheckedRun, check_run
from flux_cli.runs.execution.awaited import await_run
from flux_cli.runs.planned_files import reserve_files
from flux_cli.runs.saving.existing import describe_existing
from flux_cli.runs.saving.finish import describe_reduction
from flux_cli.runs.spending.approval import approve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextvars import Context
    from typing import TypeAlias

    from flux_cli.core.options import GenerateOptions
    from flux_cli.core.outcome import Outcome, SavedImage
    from flux_cli.runs.report import Report

    # A run that may be sent, and what ends its reservation of names.
    Opened: TypeAlias = tuple[CheckedRun, ExitStack]


def generate(options: GenerateOptions) -> Result:
    """Generate images, and wait for them. Raises FluxError, and RuntimeError in an event loop."""
    _refuse_loop()
    # The keys that are read here stay out of the context of the caller.
    return _checked(copy_context().run(_generate, options))


def _generate(options: GenerateOptions) -> Result:
    checked, reserved = _open(options)
    with reserved:
        return event_loop.run(_carry_out(checked))


async def generate_async(options: GenerateOptions) -> Result:
    """Generate images in the running event loop.

    When it is canceled, images that have arrived are saved first. Raises FluxError.
    """
    context = copy_context()
    checked, reserved = await _open_in_thread(options, context)
    with reserved:
        work = asyncio.create_task(_carry_out(checked), context=context)
        return _checked(await work)


def _refuse_loop() -> None:
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError("an event loop is running: use await generate_async(...)")


def _open(options: GenerateOptions) -> Opened:
    """Check everything that costs nothing, and reserve the names. Raises FluxError."""
    try:
        if options.program.text is None and options.input.like is None:
            hint = 'describe the image: generate("a lighthouse by the sea")'
            raise UsageError("no prompt given", hint=hint)  # standard input is the program's
        checked = check_run(options)
        if checked.is_stdout:
            message = "- is standard output, which belongs to your program"
            raise OutputError(message, hint="name a file or a folder")
        checked = approve(checked, may_ask=False)
        reserved = ExitStack()
        return reserved.enter_context(reserve_files(checked)), reserved
    except FluxError as error:
        raise presentable(error) from None


async def _open_in_thread(options: GenerateOptions, context: Context) -> Opened:
    """Do the same without blocking the event loop: it reads files, and may ask for a price."""
    opening = asyncio.get_running_loop().run_in_executor(None, context.run, _open, options)
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close)
        raise


def _close(opening: asyncio.Future[Opened]) -> None:
    """Free the names of a run that was canceled before it began."""
    if not opening.cancelled() and opening.exception() is None:
        _, reserved = opening.result()
        reserved.close()


async def _carry_out(checked: CheckedRun) -> Result:
    """Send the requests of a run, and save its images.

    Raises FluxError only before the first request is sent, and CancelledError once it has saved
    what can be saved.
    """
    try:
        report = await await_run(checked)
    except FluxError as error:
        raise presentable(error) from None
    if report.interrupted:
        raise asyncio.CancelledError
    return _result(checked, report)


def _result(checked: CheckedRun, report: Report) -> Result:
    errors = tuple(map(presentable, report.errors))
    if len(errors) > 1:
        for error in errors:
            error.add_note(f"{len(errors)} of {len(report.outcomes)} requests failed")
    images = (
        _image(report, outcome, saved) for outcome in report.outcomes for saved in outcome.saved
    )
    return Result(
        images=tuple(images),
        kept=tuple(Path(path) for outcome in report.outcomes for path in outcome.kept),
        errors=errors,
        notes=notes_of(report.notes),
        warnings=tuple(map(redact, _warnings(checked, report))),
        cost_usd=report.cost_usd,
        run=report.run or None,
    )


def _warnings(checked: CheckedRun, report: Report) -> Iterator[str]:
    yield from describe_existing(report.existing)
    yield from report.warnings
    most = checked.parts[0].delivery.finish.max_bytes
    yield from filter(None, (describe_reduction(saved, most) for saved in report.saved))


def _image(report: Report, outcome: Outcome, saved: SavedImage) -> Image:
    facts = saved.facts
    seed = seed_of(outcome.call, facts)
    return Image(
        path=Path(saved.path),
        index=outcome.call.number,
        format=saved.format,
        width=saved.width or None,
        height=saved.height or None,
        variant=saved.label or None,
        model=report.asked_of(outcome).model_id,
        seed=seed if isinstance(seed, int) else None,
        cost_usd=facts.cost_usd,
        revised_prompt=redact(facts.revised_prompt) or None,
        request_id=redact(facts.request_id) or None,
    )


def _checked(result: Result) -> Result:
    """The result of a run. Raises its error if it made nothing."""
    if not result.images and not result.kept:
        result.raise_for_errors()
    return result
