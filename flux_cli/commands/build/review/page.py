"""The review page of `--report`: looks at images before and after, and writes the page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.disk import place
from flux_cli.build.planning.cost import lowest
from flux_cli.build.review.cards import Circumstances, Views, card_of, is_shown
from flux_cli.build.review.content import Page
from flux_cli.build.review.file import check_report, write_report
from flux_cli.build.review.page import page_html
from flux_cli.build.review.pictures import choices, new_path, old_path, thumbnails
from flux_cli.build.review.sections import failed_cards, sections_of, totals_of
from flux_cli.commands.build.show import refusal
from flux_cli.core.errors import DiskError, OutputError, UsageError
from flux_cli.core.values import show_amount
from flux_cli.runs.interrupts import has_come
from flux_cli.terminal import messages

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flux_cli.build.disk import Files
    from flux_cli.build.options import BuildOptions
    from flux_cli.build.planning.steps import Step
    from flux_cli.build.project import Project
    from flux_cli.build.review.content import AssetCard, Thumbnail
    from flux_cli.commands.build.report import Result
    from flux_cli.commands.build.session import Planned, Session
    from flux_cli.core.errors import FluxError


MOST_SHOWN = 1000  # assets; of more, unchanged ones are listed without a thumbnail
LEADS = {
    "plan": "This is a plan: nothing was sent, and no image was changed.",
    "check": "This is a check: whether images and lock are as the manifest says.",
    "build": "This is the result of a build.",
}


def check_review(options: BuildOptions, projects: Sequence[Project]) -> None:
    """Check that the page can be written, before anything is done. Raises UsageError."""
    if options.mode.html or options.mode.init:
        message = "--report shows a build, a plan, or a check"
        raise UsageError(message, hint="leave out --html and --init")
    check_report(options.review.report or "", _outputs(projects))


def _outputs(projects: Sequence[Project]) -> Iterator[str]:
    """Where the files of all assets are, or will be."""
    for project in projects:
        for asset in project.assets.values():
            yield from (place(path, project.root) for path in asset.files)


class Review:
    """Sees the images as they are before a build, and writes the page once it is done."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._before = [_before(planned) for planned in session.planned]
        self._mode = "plan" if session.options.mode.plan else "check"
        count = sum(len(planned.priced) for planned in session.planned)
        self._limit = lowest(planned.limit for planned in session.planned)
        self._shows_all = count <= MOST_SHOWN

    def finish(self, code: int, result: Result | None = None) -> int:
        """Write the page, and return the exit code. `result` is that of a build."""
        path = self._session.options.review.report or ""
        try:
            write_report(path, page_html(self._page(result)))
        except (DiskError, OutputError) as error:
            messages.error(error)
            return code or DiskError.exit_code
        if not self._session.options.reporting.quiet:
            messages.err(f"flux: report {path}")
        return code

    def _page(self, result: Result | None) -> Page:
        session = self._session
        mode = self._mode if result is None else "build"
        failures = _failures(result)
        cards: list[AssetCard] = []
        for number in range(len(session.planned)):
            cards += self._cards(number, result, failures)
        cards += failed_cards(failures.items(), [card.name for card in cards])
        paid = _paid(result) if result else ""
        assets = (asset for one in session.planned for asset in one.project.assets.values())
        manifests = ", ".join(planned.project.path for planned in session.planned)
        return Page(
            f"Image review: {manifests}",
            LEADS[mode],
            tuple(totals_of(assets, session.cost, self._limit, paid)),
            tuple(self._notes(result)),
            tuple(sections_of(cards, mode)),
        )

    def _cards(
        self, number: int, result: Result | None, failures: Mapping[str, str]
    ) -> Iterator[AssetCard]:
        """The cards of one project."""
        planned = self._session.planned[number]
        rows = result.build.sites[number].rows if result else planned.rows
        is_named = bool(self._session.options.mode.manifests)
        common = Circumstances(
            planned.project.path if is_named else "",
            planned.project.manifest.lock_prompts,
            result is not None,
            rows,
            failures,
        )
        steps = [one.step for one in planned.priced]
        paths = [self._new_path(step, common, planned.files) for step in steps]
        now = thumbnails(planned.files, paths)
        for one, before, path in zip(planned.priced, self._before[number], paths, strict=True):
            if is_shown(one.step, failures):
                found = choices(one.step, planned.project.assets, rows, planned.files)
                yield card_of(one, Views(before, now.get(path), found), common)

    def _new_path(self, step: Step, common: Circumstances, files: Files) -> str:
        """The file that shows an asset as it is now; "" if it needs no look."""
        shows_all = self._shows_all and not has_come()  # after Ctrl-C, nobody waits for them
        is_wanted = shows_all if step.is_unchanged else common.is_built
        return new_path(step, common.rows, files) if is_wanted else ""

    def _notes(self, result: Result | None) -> Iterator[str]:
        yield from self._session.notes
        if result is None:
            error = refusal(self._session)
            yield from [error.message] if error else []
        elif result.sent:
            yield from result.sent.remarks
            yield from ["The build was interrupted."] if result.sent.interrupted else []


def _before(planned: Planned) -> list[Thumbnail | None]:
    """The image of each step that does anything, as it is now."""
    files = planned.files

    def path_of(step: Step) -> str:
        return "" if step.is_unchanged else old_path(step, files)

    paths = [path_of(one.step) for one in planned.priced]
    taken = thumbnails(files, paths)
    return [taken.get(path) for path in paths]


def _failures(result: Result | None) -> dict[str, str]:
    """The messages of failures by asset, which are printed with its name before them."""
    errors = result.build.errors if result else {}

    def words(name: str, error: FluxError) -> str:
        hint = f"\nhint: {error.hint}" if error.hint else ""
        return f"{error.message.removeprefix(f'{name}: ')}{hint}"

    return {name: words(name, error) for name, error in errors.items()}


def _paid(result: Result) -> str:
    cost = result.cost_usd
    return "unknown" if cost is None else f"{show_amount(cost)} USD"
