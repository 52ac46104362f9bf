"""Prints plans, checks and results of builds from JSON lines: counts, and only some lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.planning import text
from flux_cli.build.planning.document import STATES, build_document
from flux_cli.build.planning.steps import SAME
from flux_cli.commands.build.show import OUT_OF_SYNC, RIGHT, refusal
from flux_cli.commands.exit import confirm_output
from flux_cli.core.errors import Interrupted, NotSentError, common_exit_code, status_of
from flux_cli.core.values import counted, show_amount
from flux_cli.runs import interrupts
from flux_cli.runs.failures import stops_run
from flux_cli.terminal import messages, streams

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flux_cli.build.stream.survey import Survey
    from flux_cli.commands.build.report import Result
    from flux_cli.commands.build.session import Session
    from flux_cli.core.errors import FluxError
    from flux_cli.core.model import Json

PARTIAL = 3
MOST_SHOWN = 100  # wrong lines, and failures, with a message of their own


class WrongLines:
    """Lines that are no asset: the first ones are shown, and all are counted."""

    def __init__(self) -> None:
        self.count = 0
        self._waiting: list[FluxError] = []

    @property
    def first(self) -> FluxError:
        return self._waiting[0]

    def add(self, error: FluxError) -> None:
        """Count one, and keep it if it will be shown."""
        self.count += 1
        if self.count <= MOST_SHOWN:
            self._waiting.append(error)

    def show(self) -> None:
        """Print those that were not shown so far."""
        for error in self._waiting:
            messages.error(error)
        if self._waiting and self.count > MOST_SHOWN:
            messages.err(f"flux: note: {self.count - MOST_SHOWN:,} more lines cannot be used")
        self._waiting.clear()


def print_survey(session: Session, survey: Survey, *, is_left: bool) -> int:
    """Print a plan or a check, and return the exit code."""
    is_check = session.options.mode.check
    error = None if is_check else refusal(session)
    code = error.exit_code if error else 0
    if is_check and (survey.changed or survey.wrong or is_left):
        code = OUT_OF_SYNC
    elif not code and survey.wrong:
        code = PARTIAL
    if session.options.reporting.as_json:
        streams.out_json(_document(session, survey, "check" if is_check else "plan", code))
    else:
        streams.say("\n".join(_lines(session, survey)))
    if error:
        messages.error(error)
    return code


def _lines(session: Session, survey: Survey) -> Iterator[str]:
    """The plan as text."""
    (planned,) = session.planned
    yield text.title_line(planned.project.path, survey.assets, survey.files)
    cells = text.plan_lines(survey.listed, verbose=True)
    if cells:
        yield streams.listing(cells, RIGHT)
    if more := survey.changed - len(survey.listed):
        yield f" … {more:,} more"
    if survey.unchanged:
        yield f" {SAME} {survey.unchanged:,} unchanged"
    if survey.wrong:
        yield f" {counted(survey.wrong, 'line')} cannot be used"
    if session.options.mode.check:
        yield "out of sync" if survey.changed or survey.wrong else "in sync"
        return
    cost = survey.cost
    yield f"{counted(cost.requests, 'request')}; {text.cost_text(cost, session.limit)}"


def _document(session: Session, survey: Survey, mode: str, code: int) -> dict[str, Json]:
    """One JSON document. Of many steps, it lists the first ones, and counts all."""
    status = status_of(code)
    made = build_document(mode, status, survey.listed, survey.cost, session.limit, session.notes)
    counts: dict[str, Json] = {state: survey.signs[sign] for sign, state in STATES.items()}
    return made | {"counts": {**counts, "wrong": survey.wrong}}


def print_result(
    session: Session, survey: Survey, results: Iterator[Result], wrong: WrongLines
) -> int:
    """Print what each part of the build brings as it ends, and return the exit code.

    Nothing further is sent after an interrupt, or a failure that all others would share.
    """
    sums = _Sums(is_quiet=session.options.reporting.as_json)
    for result in results:
        sums.add(result)
        if sums.is_over:
            break
    code = _exit_code(survey, sums, wrong)
    if session.options.reporting.as_json:
        more: dict[str, Json] = {
            "cost_usd": sums.cost_usd,
            "cost_source": "provider" if sums.is_paid else "none",
            "paths": list(sums.paths),
        }
        streams.out_json(_document(session, survey, "build", code) | more)
    if not session.options.reporting.quiet:
        for line in _summary(survey, sums):
            messages.err(line)
    return confirm_output(code, sums.paths)


class _Sums:
    """What all parts of a build have done."""

    def __init__(self, *, is_quiet: bool) -> None:
        self._is_quiet = is_quiet
        self.paths: list[str] = []  # only if they are printed at the end
        self.files = self.made = self.failed = 0
        self.errors: dict[str, FluxError] = {}  # one of each kind
        self.cost_usd: float | None = 0.0
        self.is_paid = self.is_over = False

    def add(self, result: Result) -> None:
        """Add one part."""
        build, errors = result.build, result.build.errors
        self.files += len(build.paths)
        for path in build.paths:
            if self._is_quiet:
                self.paths.append(path)
            else:
                streams.out_data(path)
        self.made += len(build.done - errors.keys())
        for name, error in errors.items():
            self._add_error(name, error)
        cost = result.cost_usd
        self.cost_usd = None if cost is None or self.cost_usd is None else self.cost_usd + cost
        self.is_paid = self.is_paid or bool(result.run)
        is_interrupted = result.sent is not None and result.sent.interrupted
        # The next build must settle what the store lacks, so no other run may follow this one.
        is_stopped = bool(build.unstored) or any(map(_stops, errors.values()))
        self.is_over = is_interrupted or interrupts.has_come() or is_stopped

    def _add_error(self, name: str, error: FluxError) -> None:
        self.failed += 1
        self.errors.setdefault(error.code, error)
        if self.failed <= MOST_SHOWN:
            error.message = f"{name}: {error.message}"
            messages.error(error)


def _stops(error: FluxError) -> bool:
    """Whether further parts would fail, too: one that was not sent has met the limit."""
    return isinstance(error, NotSentError | Interrupted) or stops_run(error)


def _exit_code(survey: Survey, sums: _Sums, wrong: WrongLines) -> int:
    if interrupts.has_come():
        return Interrupted.exit_code
    if survey.is_waiting or wrong.count:
        return PARTIAL
    return common_exit_code(sums.errors.values(), some_succeeded=bool(sums.made))


def _summary(survey: Survey, sums: _Sums) -> Iterator[str]:
    waiting = [one for one in survey.listed if one.step.is_open]
    for sign_and_name, reason, *_ in text.plan_lines(waiting, verbose=True):
        yield f"flux:{sign_and_name}  {reason}"
    parts = [f"{counted(sums.files, 'file')} changed", f"{survey.unchanged:,} unchanged"]
    if sums.failed:
        parts.append(f"{sums.failed:,} failed")
    if survey.wrong:
        parts.append(f"{counted(survey.wrong, 'line')} skipped")
    if sums.is_paid:
        cost = sums.cost_usd
        parts.append("cost unknown" if cost is None else f"{show_amount(cost)} USD")
    yield f"flux: {', '.join(parts)}"
