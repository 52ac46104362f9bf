"""Prints plans and checks: as text for people, or as one JSON document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.planning import text
from flux_cli.build.planning.cost import check_budget, check_sum, lowest
from flux_cli.build.planning.document import build_document
from flux_cli.config.load import ENVIRONMENT
from flux_cli.core.errors import BudgetError, status_of
from flux_cli.runs.spending.access import is_remote
from flux_cli.runs.spending.limits import MOST_UNPRICED, reason_to_confirm, unconfirmed
from flux_cli.terminal import messages, streams
from flux_cli.terminal.question import can_ask, confirm

if TYPE_CHECKING:
    from flux_cli.build.planning.cost import Priced
    from flux_cli.commands.build.session import Planned, Session
    from flux_cli.core.model import Json
    from flux_cli.runs.spending.limits import Bill

OUT_OF_SYNC = 1
RIGHT = (2, 3)  # right-aligned columns of a plan


def print_notes(session: Session) -> None:
    """Print what the user should know before anything is done."""
    if not session.options.reporting.quiet:
        for note in session.notes:
            messages.err(f"flux: note: {note}")


def print_plan(session: Session) -> int:
    """Print what a build would do. Returns 0, or 2 if it would be refused."""
    error = refusal(session)
    code = error.exit_code if error else 0
    if session.options.reporting.as_json:
        print_document(session, "plan", code)
    else:
        for planned in session.planned:
            streams.say(_project_text(planned, verbose=session.options.reporting.verbose))
    if error:
        messages.error(error)
    return code


def confirm_cost(session: Session) -> None:
    """Have a person confirm the plan if it costs more than usual. Raises BudgetError."""
    question = _question(session, session.bill)
    if not question:
        return
    for planned in session.planned if can_ask() else ():
        messages.err(_project_text(planned, verbose=False))
    if not confirm(f"{question}. Continue?"):
        hint = "answer y, or add --yes to skip the question"
        raise BudgetError("not confirmed, so nothing was sent", hint=hint)


def _question(session: Session, bill: Bill) -> str:
    """Why a person must confirm the build; "" if nobody must, or --yes did."""
    settings = session.settings
    if session.options.limits.yes or not bill.images:
        return ""
    paid = [planned for planned in session.planned if planned.cost.requests]
    is_limited = all(planned.limit is not None for planned in paid) and not _is_from_file(session)
    is_elsewhere = bill.unpriced > MOST_UNPRICED and is_remote(settings)
    threshold = settings.confirm_cost
    return reason_to_confirm(bill, threshold, is_limited=is_limited, is_remote=is_elsewhere)


def _is_from_file(session: Session) -> bool:
    """Whether the only limit is that of a settings file, which is no answer about this build."""
    if session.options.limits.max_cost is not None:
        return False
    own = [planned.project.manifest.max_cost for planned in session.planned]
    return None in own and session.settings.values["max_cost"].rank > ENVIRONMENT


def refusal(session: Session) -> BudgetError | None:
    """Why the build would be refused before its first request; None if it would not."""
    limits, access = session.options.limits, session.options.access
    yes = limits.yes or access.offline
    try:
        for planned in session.planned:
            if planned.whole and planned.cost.requests and not limits.partial:
                check_budget(planned.whole.cost, planned.common_limit, accepts_unknown=yes)
            check_budget(planned.cost, planned.limit, accepts_unknown=yes)
        if len(session.planned) > 1 and not limits.partial:
            check_sum(session.bill, session.common_limit, accepts_unknown=yes)
    except BudgetError as error:
        return error
    bill = session.bill
    question = _question(session, bill)
    return unconfirmed(bill, question) if question and not can_ask() else None


def _project_text(planned: Planned, *, verbose: bool) -> str:
    """The plan of one project."""
    assets = planned.project.assets
    files = sum(len(asset.files) for asset in assets.values())
    count = sum(not asset.of for asset in assets.values())
    lines = [text.title_line(planned.project.path, count, files)]
    cells = text.plan_lines(planned.priced, verbose=verbose)
    if cells:
        lines.append(streams.listing(cells, RIGHT))
    unchanged = "" if verbose else text.unchanged_line(planned.priced)
    lines += [unchanged] if unchanged else []
    lines.append(text.total_line(planned.priced, planned.cost, planned.limit))
    return "\n".join(lines)


def print_check(session: Session) -> int:
    """Print what is not as manifest and lock say. Returns 0, or 1 if anything is not."""
    is_conflicted = any(planned.project.lock.is_conflicted for planned in session.planned)
    found = any(map(findings, session.planned))
    code = OUT_OF_SYNC if found or is_conflicted else 0
    if session.options.reporting.as_json:
        print_document(session, "check", code)
        return code
    verbose = session.options.reporting.verbose
    for planned in session.planned:
        shown = planned.priced if verbose else findings(planned)
        cells = [line[:2] for line in text.plan_lines(shown, verbose=verbose)]
        state = "out of sync" if findings(planned) else "in sync"
        if planned.project.lock.is_conflicted:
            state = f"{state}, and {planned.project.lock_path} has conflict markers"
        lines = [f"{planned.project.path}: {state}"]
        lines += [streams.listing(cells)] if cells else []
        streams.say("\n".join(lines))
    return code


def findings(planned: Planned) -> list[Priced]:
    """The steps that a build would carry out or leave to a person."""
    return [one for one in planned.priced if not one.step.is_unchanged]


def print_document(session: Session, mode: str, code: int) -> None:
    """Print one JSON document for all projects."""
    streams.out_json(document_of(session, mode, code))


def print_html(session: Session) -> None:
    """Print a `<picture>` element for the files of each selected asset."""
    from flux_cli.images.html import element

    for planned in session.planned:
        for one in planned.priced:
            asset = one.step.asset
            if asset and not asset.of:
                paths = [planned.files.place(path) for path in asset.files]
                streams.out_data(element((), paths, asset.alt or asset.prompt))


def document_of(session: Session, mode: str, code: int) -> dict[str, Json]:
    """One JSON document for all projects."""
    priced = [one for planned in session.planned for one in planned.priced]
    limit = lowest(planned.limit for planned in session.planned)
    return build_document(mode, status_of(code), priced, session.cost, limit, session.notes)
