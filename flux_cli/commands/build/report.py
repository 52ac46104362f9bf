"""Prints what a build has done: paths, failures, what a person must decide, and the exit code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.planning import text
from flux_cli.build.planning.steps import ORPHAN
from flux_cli.commands.build.show import document_of
from flux_cli.commands.build.step_summary import append_summary
from flux_cli.commands.exit import confirm_output
from flux_cli.core.errors import Interrupted, common_exit_code, status_of
from flux_cli.core.lite import NamedTuple
from flux_cli.core.values import counted, show_amount
from flux_cli.runs import interrupts
from flux_cli.runs.report import total_cost
from flux_cli.terminal import messages, streams

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from flux_cli.build.execution.build import Build
    from flux_cli.build.planning.cost import Priced
    from flux_cli.build.planning.steps import Step
    from flux_cli.commands.build.session import Session
    from flux_cli.core.errors import FluxError
    from flux_cli.core.model import Json
    from flux_cli.runs.report import RunResult

PARTIAL = 3


class Result(NamedTuple):
    """What a build has done. `sent` is None if it requested nothing, `run` "" if that was free."""

    build: Build
    sent: RunResult | None
    run: str

    @property
    def cost_usd(self) -> float | None:
        """What the provider says the requests cost; None if it did not say for one of them."""
        if self.sent is None or not self.run:
            return 0.0
        return total_cost(self.sent.outcomes)

    def log_facts(self, code: int) -> dict[str, Json]:
        """What the log says of the build."""
        return {
            "status": status_of(code),
            "exit_code": code,
            "saved": len(self.build.done - self.build.errors.keys()),
            "failed": len(self.build.errors),
            "cost_usd": self.cost_usd,
            "seconds": round(self.sent.seconds, 3) if self.sent else 0.0,
        }


def print_result(session: Session, result: Result) -> int:
    """Print everything, and return the exit code."""
    code = exit_code(session, result)
    reporting = session.options.reporting
    if reporting.as_json:
        more: dict[str, Json] = {
            "cost_usd": result.cost_usd,
            "cost_source": "provider" if result.run else "none",
            "paths": list(result.build.paths),
        }
        streams.out_json(document_of(session, "build", code) | more)
    else:
        for path in result.build.paths:
            streams.out_path(path)
    failures = {name: error.message for name, error in result.build.errors.items()}
    append_summary(session, failures)
    for name, error in result.build.errors.items():
        error.message = f"{name}: {error.message}"
        messages.error(error, verbose=reporting.verbose)
    if not reporting.quiet:
        for line in _lines(session, result):
            messages.err(line)
    return confirm_output(code, result.build.paths)


def exit_code(session: Session, result: Result) -> int:
    """130 after Ctrl-C; 3 if anything waits for a person; else that of the failures."""
    is_interrupted = result.sent is not None and result.sent.interrupted
    if is_interrupted or interrupts.has_come():
        return Interrupted.exit_code
    errors: list[FluxError] = list(result.build.errors.values())
    waits = any(one.step.is_open for planned in session.planned for one in planned.priced)
    if waits:
        return PARTIAL
    made = result.build.done - result.build.errors.keys()
    return common_exit_code(errors, some_succeeded=bool(made))


def _lines(session: Session, result: Result) -> Iterator[str]:
    """What a person should know at the end: open assets, leftovers, and the sum."""
    yield from left_lines(session)
    for step in open_choices(session, failed=result.build.errors):
        yield f"flux: {step.name}: pick a candidate with {step.choice}"
    if result.sent:
        for remark in result.sent.remarks:
            yield f"flux: note: {remark}"
    yield f"flux: {_sum(session, result)}"


def left_lines(session: Session) -> Iterator[str]:
    """What waits for a person, and what is left over."""
    for planned in session.planned:
        shown = [one for one in planned.priced if _is_left(one, session)]
        for sign_and_name, reason, *_ in text.plan_lines(shown):
            yield f"flux:{sign_and_name}  {reason}"


def open_choices(session: Session, failed: Collection[str]) -> Iterator[Step]:
    """The steps of assets of which a candidate is to be picked. Placeholders are not worth it."""
    for planned in session.planned if not session.options.access.offline else ():
        for one in planned.priced:
            if one.step.choice and not one.step.is_open and one.step.name not in failed:
                yield one.step


def _is_left(one: Priced, session: Session) -> bool:
    is_pruned = session.options.decisions.prune and one.step.sign == ORPHAN
    return one.step.is_open or (one.step.sign == ORPHAN and not is_pruned)


def _sum(session: Session, result: Result) -> str:
    priced = [one for planned in session.planned for one in planned.priced]
    unchanged = text.unchanged_count(priced)
    parts = [counted(len(result.build.paths), "file") + " changed", f"{unchanged:,} unchanged"]
    failed = result.build.errors
    adopted = sum(bool(one.step.adopted) and one.step.name not in failed for one in priced)
    if adopted:
        parts.insert(1, f"{adopted:,} adopted")
    if result.build.errors:
        parts.append(f"{len(result.build.errors):,} failed")
    if result.sent and result.run:
        cost = result.cost_usd
        parts.append("cost unknown" if cost is None else f"{show_amount(cost)} USD")
    return ", ".join(parts)
