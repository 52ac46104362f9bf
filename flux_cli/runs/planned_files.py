"""The files that a run will save: names them, and checks that they can be written.

Nothing is paid for before these checks.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from time import strftime
from typing import TYPE_CHECKING

from flux_cli.config.dates import time_of_names
from flux_cli.config.folders import project_folders
from flux_cli.config.load import PROJECT
from flux_cli.core.errors import OutputError, UsageError
from flux_cli.core.lite import LazySequence
from flux_cli.core.request import DRAWN, TYPED
from flux_cli.core.values import read_integer
from flux_cli.images import names as naming
from flux_cli.images.names import Name, refuse_doubles
from flux_cli.runs.saving.delivery import Delivery, ExpectedFile, expected_files
from flux_cli.runs.saving.existing import (
    UPDATE_HINT,
    Existing,
    describe_existing,
    keep_existing,
    update_existing,
)
from flux_cli.terminal import messages
from flux_cli.terminal.streams import is_closed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from flux_cli.core.options import GenerateOptions
    from flux_cli.request.prepare import Prepared
    from flux_cli.runs.check import CheckedRun
    from flux_cli.runs.saving.existing import FoundRequest
    from flux_cli.runs.saving.existing_files import Comparison

ANY_SIZE = (1024, 1024)  # pixels, where the model's sizes are unknown; names do not depend on it
ID_BYTES = 4  # random bytes of `{id}` in a name


def name_requests(prepared: Prepared) -> Sequence[Name]:
    """A name for every request. `{id}` is chosen here, so that no name changes later."""
    from flux_cli.images import files

    resolved, destination = prepared.resolved, prepared.destination
    if destination.is_stdout:
        return [Name("-", {})] * resolved.n
    output = prepared.settings.output
    if output and files.is_special(output):
        hint = "name a file or a folder; -o - writes to standard output"
        raise OutputError(f"{output} is not a file", hint=hint)
    # Offline, equal commands have equal seeds, and each run makes files of its own.
    seeded = prepared.plan.seed_origin in (TYPED, DRAWN)
    template = naming.complete(destination.template, seeded=seeded, is_folder=destination.is_folder)
    return naming.names(template, fields_of(prepared))


def fields_of(prepared: Prepared) -> Sequence[dict[str, str | int]]:
    """The values of a template's fields, one row per request."""
    resolved, size, now = prepared.resolved, prepared.resolved.size, time_of_names()
    common: dict[str, str | int] = {
        **naming.text_fields(resolved.prompt, resolved.model_id),
        "ratio": "auto",
        "width": "auto",
        "height": "auto",
        "date": strftime("%Y-%m-%d", now),
        "time": strftime("%H%M%S", now),
    }
    if size:
        common["ratio"] = size.aspect_ratio.replace(":", "x")
        common["width"], common["height"] = size.width, size.height
    calls = prepared.plan.calls
    ids = os.urandom(ID_BYTES * len(calls))
    is_open = prepared.plan.seed_origin == DRAWN and calls[0].seed is None  # of a dry run

    def row(place: int) -> dict[str, str | int]:
        call = calls[place]
        identity = ids[ID_BYTES * place : ID_BYTES * (place + 1)].hex()
        seed = call.seed if isinstance(call.seed, int) else identity
        if is_open:
            seed = f"{{seed+{place}}}" if place else "{seed}"
        return {**common, "id": identity, "seed": seed, "index": call.number}

    return LazySequence(len(calls), row)


def expected_of(prepared: Prepared, delivery: Delivery, name: Name) -> tuple[ExpectedFile, ...]:
    """The files of one request, assuming that its image has the expected size."""
    size = prepared.resolved.size
    return expected_files(delivery, name, size.expected if size else ANY_SIZE)


def check_choice(options: GenerateOptions) -> None:
    """Raise UsageError for two options that contradict each other about existing files."""
    choices = {
        "--update": options.run.update,
        "--overwrite": options.output.overwrite,
        "--skip-existing": options.output.skip_existing,
    }
    given = [name for name, is_given in choices.items() if is_given]
    if len(given) > 1:
        message = f"{given[0]} and {given[1]} contradict each other"
        hint = "use only one of them; --update replaces only what differs"
        raise UsageError(message, hint=hint)


def check_stdout(options: GenerateOptions, prepared: Prepared, delivery: Delivery) -> None:
    """Raise UsageError if standard output cannot take what the run makes."""
    finish = delivery.finish
    if len(finish.formats) > 1 or finish.widths or finish.keep_original or delivery.sidecar:
        raise UsageError("-o - takes one file, not several", hint="save to files with -o")
    if options.run.update:
        message = "--update compares files, and -o - writes none"
        raise UsageError(message, hint="drop --update, or name a file with -o")
    if prepared.resolved.n > 1:
        raise UsageError("-o - takes one image, not several", hint="drop -n, or save to a folder")
    if options.reporting.as_json:
        message = "-o - and --json both write to standard output"
        raise UsageError(message, hint="use only one of them")
    if is_closed():
        raise UsageError("standard output is closed", hint="save to a file with -o")
    if sys.stdout.isatty() and not options.run.dry_run:
        hint = "pipe it: flux generate ... -o - | command"
        raise UsageError("cannot write an image to a terminal", hint=hint)


def check_inputs(prepared: Prepared, names: Sequence[Name]) -> None:
    """Raise OutputError if a file of the run could replace an image that it is made from."""
    request = prepared.resolved.request
    if not request.references:
        return
    inputs = {os.path.realpath(one.asked): one.asked for one in request.references if one.digest}
    for name in names:
        for path in name.candidates(None):
            if asked := inputs.get(os.path.realpath(path)):
                message = f"{path} would replace {asked}, which it is made from"
                raise OutputError(message, hint="name another file with -o")


def check_files(
    options: GenerateOptions, prepared: Prepared, names: Sequence[Name], comparison: Comparison
) -> Existing:
    """Check that every file can be written, and compare those that exist already.

    Raises OutputError for a file that cannot be written, or exists and is not what is asked for,
    UsageError for two files of one name.
    """
    _check_names(prepared, names, comparison.delivery)
    write = not options.run.dry_run
    existing = _find_existing(options, prepared, names, comparison, write=write)
    if not options.reporting.quiet:
        origin = prepared.plan.seed_origin
        notes = [*describe_existing(existing), *_note_of_random_names(options, names, origin)]
        _print_notes(notes)
    return existing


def _print_notes(notes: Iterable[str]) -> None:
    for note in notes:
        messages.err(f"flux: note: {note}")


def _find_existing(
    options: GenerateOptions,
    prepared: Prepared,
    names: Sequence[Name],
    comparison: Comparison,
    places: Sequence[int] | None = None,
    *,
    write: bool,
) -> Existing:
    """The existing files of all requests, or of those in some places. Raises like `check_files`.

    With `write`, also try whether their folders take files.
    """
    from flux_cli.images import files
    from flux_cli.runs.records.store import ROOM

    is_update, is_sketch = options.run.update, not prepared.settings.provider.hosted
    room = 0 if is_sketch else ROOM  # sketches cost nothing
    planned = list(_planned_files(prepared, comparison.delivery, names, places))
    present = files.preflight(
        (name for _, name in planned),
        None,
        overwrite=options.output.overwrite or is_update,
        skip_existing=options.output.skip_existing or is_update,
        write=write,
        room=room,
        hint=UPDATE_HINT,
    )
    if not present:
        return Existing()
    there = dict.fromkeys(planned[index][0] for index in present)
    found = _find(prepared, names, comparison, there)
    return update_existing(found, is_sketch=is_sketch) if is_update else keep_existing(found)


@contextmanager
def reserve_files(run: CheckedRun) -> Iterator[CheckedRun]:
    """Keep other runs from paying for the same files while this run does.

    The run that is returned knows what another one has saved since the check. Raises OutputError.
    """
    if run.comparison is None or not run.row.hosted or not run.calls:
        yield run
        return
    from flux_cli.runs.records.reservation import reserve_names

    prepared, names = run.prepared, run.names
    numbers = enumerate(call.number for call in prepared.plan.calls)
    places = [place for place, number in numbers if number not in run.existing.complete]
    with reserve_names(_paths_of(prepared, names, run.delivery, places)):
        later = _find_existing(run.options, prepared, names, run.comparison, places, write=False)
        existing = run.existing.renewed(later)
        if not run.options.reporting.quiet:
            said = set(describe_existing(run.existing))
            _print_notes(note for note in describe_existing(later) if note not in said)
        yield run._replace(existing=existing, delivery=run.delivery._replace(kept=existing.files))


def _paths_of(
    prepared: Prepared, names: Sequence[Name], delivery: Delivery, places: Sequence[int]
) -> Iterator[str]:
    """Every path that a file of the requests in these places may get."""
    for _, name in _planned_files(prepared, delivery, names, places):
        yield from name.candidates(None)


def _check_names(prepared: Prepared, names: Sequence[Name], delivery: Delivery) -> None:
    """Raise ConfigError for a file outside of the project, UsageError for two of one name."""
    if prepared.settings.values["output"].rank == PROJECT:
        _check_project(prepared, names, delivery)
    if len(expected_of(prepared, delivery, names[0])) > 1:  # names of requests always differ
        numbered = enumerate(_planned_files(prepared, delivery, names), 1)
        refuse_doubles((name.path("ext"), f"file {number}") for number, (_, name) in numbered)


def _check_project(prepared: Prepared, names: Sequence[Name], delivery: Delivery) -> None:
    """Raise ConfigError if the output of a project's flux.toml leads out of the project."""
    from flux_cli.config.project import check_inside

    planned = (name for _, name in _planned_files(prepared, delivery, names))
    check_inside(
        (path for name in planned for path in name.candidates(None)), project_folders()[-1]
    )


def _planned_files(
    prepared: Prepared,
    delivery: Delivery,
    names: Sequence[Name],
    places: Sequence[int] | None = None,
) -> Iterator[tuple[int, Name]]:
    """The place of a request, and the name of one of its files."""
    chosen = range(len(names)) if places is None else places
    for place in chosen:
        for file in expected_of(prepared, delivery, names[place]):
            yield place, file.name


def _find(
    prepared: Prepared, names: Sequence[Name], comparison: Comparison, places: Iterable[int]
) -> list[FoundRequest]:
    """The requests in these places, with the files that they have already."""
    found = []
    for place in places:
        call, name = prepared.plan.calls[place], names[place]
        seed = read_integer(call.seed) if prepared.plan.seed_origin == TYPED else None
        expected = expected_of(prepared, comparison.delivery, name)
        found.append(comparison.find(call.number, name, seed, expected))
    return found


def _note_of_random_names(
    options: GenerateOptions, names: Sequence[Name], seed_origin: str
) -> Iterator[str]:
    """The note that files with random names are never found again."""
    fields = ["{seed}", "{id}"] if seed_origin == DRAWN else ["{id}"]
    found = [field for field in fields if names and field in names[0].template]
    chosen = {"--skip-existing": options.output.skip_existing, "--update": options.run.update}
    for option, is_given in chosen.items():
        if is_given and found:
            yield f"{option} cannot find files whose names have a random {found[0]}; add --seed"
