"""Decides which existing files a run keeps, and which it replaces. Pure.

An exit code of 0 means that every file is what the command line asks for. So a file is kept only if
it is whole and its record matches, or if it has no record, which is said. `existing_files` compares
them.
"""

from __future__ import annotations

from flux_cli.core.errors import OutputError
from flux_cli.core.lite import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flux_cli.images.metadata.record import Record
    from flux_cli.request.files.comparison import Difference

UPDATE_HINT = "use --update to replace what differs, --overwrite to replace all, or another -o"


class Found(NamedTuple):
    """An existing file. Without a `record` it could not be compared."""

    path: str
    record: Record | None = None
    difference: Difference | None = None


class FoundRequest(NamedTuple):
    """The existing files of one request, by its number. `is_whole`: none is missing."""

    number: int
    images: tuple[Found, ...]
    sidecars: tuple[Found, ...]
    is_whole: bool

    @property
    def files(self) -> tuple[Found, ...]:
        return (*self.images, *self.sidecars)

    @property
    def is_complete(self) -> bool:
        """Whether nothing has to be requested."""
        return self.is_whole and not any(file.difference for file in self.files)


class Outdated(NamedTuple):
    """A file that is replaced as soon as the image of its request is there."""

    number: int
    path: str
    difference: Difference


class Existing(NamedTuple):
    """The existing files of a run."""

    files: frozenset[str] = frozenset()  # kept
    by_call: dict[int, tuple[str, ...]] = {}  # noqa: RUF012 - never written to; kept images, no sidecars
    complete: frozenset[int] = frozenset()  # numbers of requests whose files are all kept
    unverified: frozenset[str] = frozenset()  # kept, though they have no record to compare
    replaced: frozenset[str] = frozenset()  # may be replaced by a new file
    outdated: tuple[Outdated, ...] = ()  # those of them that differ from what is asked for

    def renewed(self, later: Existing) -> Existing:
        """These files, with a later look at the requests that were not complete."""
        files = (self.files | later.files) - later.replaced
        return Existing(
            files=files,
            by_call=self.by_call | later.by_call,
            complete=self.complete | later.complete,
            unverified=(self.unverified | later.unverified) & files,
            replaced=later.replaced,
            outdated=later.outdated,
        )


def keep_existing(found: Sequence[FoundRequest]) -> Existing:
    """For `--skip-existing`: keep every file. Raises OutputError for one that differs."""
    differing = [file for request in found for file in request.files if file.difference]
    if differing:
        raise _difference_error(differing)
    return _sum_up((request, request.files) for request in found)


def update_existing(found: Sequence[FoundRequest], *, is_sketch: bool) -> Existing:
    """For `--update`: replace all files of a request of which one differs or is missing.

    A file without a record is kept: it may be of somebody else. Raises OutputError if a sketch
    would replace an image of the model.
    """
    kept = []
    outdated = []
    replaced: set[str] = set()
    for request in found:
        stays = request.files
        if not request.is_complete:
            stays = tuple(file for file in stays if not file.record and not file.difference)
        gone = [file for file in request.files if file not in stays]
        replaced.update(file.path for file in gone)
        kept.append((request, stays))
        for file in gone:
            if is_sketch and file.record and not file.record.is_sketch:
                raise _sketch_error(file)
            if file.difference:
                outdated.append(Outdated(request.number, file.path, file.difference))
    return _sum_up(kept)._replace(replaced=frozenset(replaced), outdated=tuple(outdated))


def _sum_up(kept: Iterable[tuple[FoundRequest, Sequence[Found]]]) -> Existing:
    by_call = {}
    files: list[Found] = []
    complete = []
    for request, stays in kept:
        files += stays
        images = tuple(file.path for file in request.images if file in stays)
        if images:
            by_call[request.number] = images
        if request.is_complete:
            complete.append(request.number)
    paths = frozenset(file.path for file in files)
    unverified = frozenset(file.path for file in files if not file.record)
    return Existing(paths, by_call, frozenset(complete), unverified)


def _difference_error(differing: Sequence[Found]) -> OutputError:
    first = differing[0]
    reason = first.difference.reason if first.difference else ""
    others = len(differing) - 1
    more = f"; {others} more files differ" if others > 1 else "; 1 more file differs"
    return OutputError(f"{first.path} {reason}{more if others else ''}", hint=UPDATE_HINT)


def _sketch_error(file: Found) -> OutputError:
    maker = file.record.model if file.record else ""
    message = f"{file.path} was generated by {maker or 'a model'}: no sketch replaces it"
    hint = "drop --offline, name another file with -o, or use --overwrite"
    return OutputError(message, hint=hint)


def describe_existing(existing: Existing) -> Iterator[str]:
    """Notes on files that are kept without a comparison, and on those that are replaced."""
    if existing.unverified:
        first, *others = sorted(existing.unverified)
        more = f" and {len(others)} more" if others else ""
        reason = "without a record, they cannot be compared with what you ask for"
        if not others:
            reason = "without a record, it cannot be compared with what you ask for"
        yield f"kept {first}{more}: {reason}"
    for file in existing.outdated:
        yield f"replacing {file.path}, which {file.difference.reason}"
