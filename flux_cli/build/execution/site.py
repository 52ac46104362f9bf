"""One project while it is built: its files, its steps, and its rows so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.build.candidates.following import put_row
from flux_cli.build.disk import place
from flux_cli.build.execution.originals import Owner
from flux_cli.build.lock.file import save_lock
from flux_cli.build.lock.pending import Pending
from flux_cli.build.planning.outcome import Made, row_after
from flux_cli.core.lite import NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from flux_cli.build.disk import Files
    from flux_cli.build.lock.rows import File, Row
    from flux_cli.build.planning.steps import Step, Wishes
    from flux_cli.build.project import Project


class Site:
    """One project while it is built: its files, its steps, and its rows so far."""

    def __init__(
        self,
        project: Project,
        files: Files,
        steps: list[Step],
        rows: Mapping[str, Row],
        wishes: Wishes,
    ) -> None:
        self.project, self.files, self.steps, self.wishes = project, files, steps, wishes
        self.planned_rows = rows  # of which the plan was made
        self.rows = dict(rows)
        self.pending = Pending(project.lock_path)

    @property
    def root(self) -> str:
        return self.project.root

    @property
    def lock(self) -> str:
        return self.project.lock_path

    @property
    def shows_prompts(self) -> bool:
        return self.project.manifest.lock_prompts

    def steps_to_do(self) -> list[Step]:
        """The steps that change anything."""
        return [
            step
            for step in self.steps
            if step.make or step.moves or step.is_updated or step.is_requested
        ]

    def replace(self, old: Step, new: Step) -> Step:
        """Go on with another step in the place of one, and return it."""
        self.steps[self.steps.index(old)] = new
        return new

    def places(self) -> Iterator[str]:
        """Where files will be written on this machine."""
        for step in self.steps:
            for path in (*step.make, *(new for _, new in step.moves)):
                if self.files.is_here(path):
                    yield self.files.place(path)

    def owner(self, step: Step) -> Owner:
        """To whom the image of a step belongs."""
        row = row_after(step, Made(generated={}), shows_prompts=self.shows_prompts)
        return Owner(row, self.pending, self.shows_prompts)

    def known(self) -> Iterator[tuple[str, File]]:
        """The files of the lock by place."""
        for row in self.rows.values():
            for path, file in row.files.items():
                yield place(path, self.root), file

    def targets(self) -> Iterator[tuple[str, Target]]:
        """The files that will be made, by place."""
        for step in self.steps:
            for path in step.make:
                yield place(path, self.root), Target(self, path, step.wanted.files[path])

    def save(self, mark: str) -> None:
        """Write the lock if it differs, of a shard its part. Raises DiskError.

        `mark` is part of the name of the file until it is whole.
        """
        own = {name: row for name, row in self.rows.items() if self.project.owns(name)}
        save_lock(self.lock, own, self.project.base, mark)

    def finish(self, step: Step, made: Made) -> None:
        """Update the row of a step that is done."""
        self.put(step, row_after(step, made, shows_prompts=self.shows_prompts))

    def put(self, step: Step, row: Row) -> None:
        """Set the row of a step."""
        put_row(self.rows, step.was, step.name, row)


class Target(NamedTuple):
    """A file that will be made."""

    site: Site
    path: str
    output: str  # the digest of how it is made
