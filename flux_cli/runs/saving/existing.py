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
FOREIGN_HINT = "it has no record, so only --overwrite replaces it; or use another -o"
NO_IMAGE = ("damaged", "missing")  # differences that leave nothing worth keeping


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
    def foreign(self) -> Iterator[Found]:
        """Images that differ and have no record: they may be someone else's."""
        for file in self.files:
            if not file.record and file.difference and file.difference.name not in NO_IMAGE:
                yield file

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
    settled: frozenset[str] = frozenset()  # the files of these requests
    unverified: frozenset[str] = frozenset()  # kept, though they have no record to compare
    replaced: frozenset[str] = frozenset()  # may be replaced by a new file
    outdated: tuple[Outdated, ...] = ()  # those of them that differ from what is asked for

    def renewed(self, later: Existing) -> Existing:
        """The files of complete requests, with a later look at all other requests."""
        by_call = {number: self.by_call[number] for number in self.complete & self.by_call.keys()}
        return later._replace(
            files=self.settled | later.files,
            by_call=by_call | later.by_call,
            complete=self.complete | later.complete,
            settled=self.settled | later.settled,
            unverified=(self.unverified & self.settled) | later.unverified,
        )


def keep_existing(found: Sequence[FoundRequest]) -> Existing:
    """For `--skip-existing`: keep every file. Raises OutputError for one that differs."""
    differing = [file for request in found for file in request.files if file.difference]
    if differing:
        raise _difference_error(differing, UPDATE_HINT)
    return _sum_up((request, request.files) for request in found)


def update_existing(found: Sequence[FoundRequest], *, is_sketch: bool) -> Existing:
    """For `--update`: replace all files of a request of which one differs or is missing.

    A file without a record is kept: it may be someone else's. Raises OutputError if such a file
    differs, or if a sketch would replace an image of the model.
    """
    foreign = [file for request in found for file in request.foreign]
    if foreign:
        raise _difference_error(foreign, FOREIGN_HINT)
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
    settled: list[Found] = []
    complete = []
    for request, stays in kept:
        files += stays
        images = tuple(file.path for file in request.images if file in stays)
        if images:
            by_call[request.number] = images
        if request.is_complete:
            complete.append(request.number)
            settled += stays
    return Existing(
        files=_paths(files),
        by_call=by_call,
        complete=frozenset(complete),
        settled=_paths(settled),
        unverified=_paths(file for file in files if not file.record),
    )


def _paths(files: Iterable[Found]) -> frozenset[str]:
    return frozenset(file.path for file in files)


def _difference_error(differing: Sequence[Found], hint: str) -> OutputError:
    first = differing[0]
    reason = first.difference.reason if first.difference else ""
    others = len(differing) - 1
    more = f"; {others} more files differ" if others > 1 else "; 1 more file differs"
    return OutputError(f"{first.path} {reason}{more if others else ''}", hint=hint)


def _sketch_error(file: Found) -> OutputError:
    maker = file.record.model if file.record else ""
    message = (
        f"{file.path} was generated by {maker or 'a model'}: an offline sketch does not replace it"
    )
    hint = "drop --offline, name another file with -o, or use --overwrite"
    return OutputError(message, hint=hint)


def describe_existing(existing: Existing) -> Iterator[str]:
    """Notes on files that are kept without a comparison, and on those that are replaced."""
    if existing.unverified:
        first, *others = sorted(existing.unverified)
        more = f" and {len(others)} more" if others else ""
        yield f"kept {first}{more}, not compared: no record says how it was generated"
    for file in existing.outdated:
        yield f"replacing {file.path}, which {file.difference.reason}"
