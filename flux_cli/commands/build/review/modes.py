"""The page of --report in the modes of `flux build`. Without that option, nothing is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from flux_cli.build.options import BuildOptions
    from flux_cli.build.project import Project
    from flux_cli.commands.build.review.page import Review
    from flux_cli.commands.build.session import Session


def check_report(options: BuildOptions, projects: Sequence[Project]) -> None:
    """Check the place of the page. Raises UsageError, OutputError."""
    if options.review.report is not None:
        from flux_cli.commands.build.review.page import check_review

        check_review(options, projects)


def open_review(session: Session) -> Review | None:
    """The page, which has seen the images as they are now; None if nobody wants it."""
    if session.options.review.report is None:
        return None
    from flux_cli.commands.build.review.page import Review

    return Review(session)


def write_review(session: Session, code: int) -> int:
    """Write the page of a plan, a check or a merge, and return the exit code."""
    review = open_review(session)
    return review.finish(code) if review else code
