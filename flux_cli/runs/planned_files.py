"""The files that a run will save: names them, and checks that they can be written.

Nothing is paid for before these checks.
"""

from __future__ import annotations

import os
import sys
from time import strftime
from typing import TYPE_CHECKING

from flux_cli.config.dates import time_of_names
from flux_cli.config.folders import project_folders
from flux_cli.config.load import PROJECT
from flux_cli.core.errors import OutputError, UsageError
from flux_cli.core.lite import LazySequence, NamedTuple
from flux_cli.core.request import DRAWN, TYPED
from flux_cli.images import names as naming
from flux_cli.images.names import Name, refuse_doubles
from flux_cli.runs.saving.delivery import Delivery, expected_names, sidecar_name
from flux_cli.terminal import messages
from flux_cli.terminal.streams import is_closed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from flux_cli.core.options import GenerateOptions
    from flux_cli.request.prepare import Prepared

ANY_SIZE = (1024, 1024)  # pixels, where the model's sizes are unknown; names do not depend on it
ID_BYTES = 4  # random bytes of `{id}` in a name


class Existing(NamedTuple):
    """Existing files that `--skip-existing` keeps."""

    files: frozenset[str] = frozenset()
    by_call: dict[int, tuple[str, ...]] = {}  # noqa: RUF012 - never written to; images, no sidecars
    complete: frozenset[int] = frozenset()  # numbers of requests whose files all exist


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
    model = resolved.model.id if resolved.model else resolved.sent_model
    common: dict[str, str | int] = {
        **naming.text_fields(resolved.prompt, model),
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


def expected_of(prepared: Prepared, delivery: Delivery, name: Name) -> tuple[Name, ...]:
    """The names of the files of one request, assuming that its image has the expected size."""
    size = prepared.resolved.size
    return expected_names(delivery, name, size.expected if size else ANY_SIZE)


def check_stdout(options: GenerateOptions, prepared: Prepared, delivery: Delivery) -> None:
    """Raise UsageError if standard output cannot take what the run makes."""
    finish = delivery.finish
    if len(finish.formats) > 1 or finish.widths or finish.keep_original or delivery.sidecar:
        raise UsageError("-o - takes one file, not several", hint="save to files with -o")
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


def check_files(
    options: GenerateOptions, prepared: Prepared, names: Sequence[Name], delivery: Delivery
) -> Existing:
    """Check that every file can be written, and find files that exist already.

    Raises OutputError for a file that cannot be written, UsageError for two files of one name.
    """
    from flux_cli.images import files
    from flux_cli.runs.records.store import ROOM

    if prepared.settings.values["output"].rank == PROJECT:
        _check_project(prepared, names, delivery)
    if len(expected_of(prepared, delivery, names[0])) > 1:  # names of requests always differ
        numbered = enumerate(_planned_files(prepared, delivery, names), 1)
        refuse_doubles((name.path("ext"), f"file {number}") for number, (_, name) in numbered)
    planned = _planned_files(prepared, delivery, names)
    room = ROOM if prepared.settings.provider.hosted else 0  # sketches cost nothing
    present = files.preflight(
        (name for _, name in planned),
        None,
        overwrite=options.output.overwrite,
        skip_existing=options.output.skip_existing,
        write=not options.run.dry_run,
        room=room,
    )
    if options.output.skip_existing and not options.reporting.quiet:
        _warn_of_random_names(names, prepared.plan.seed_origin)
    return _existing(prepared, delivery, names, present) if present else Existing()


def _check_project(prepared: Prepared, names: Sequence[Name], delivery: Delivery) -> None:
    """Raise ConfigError if the output of a project's flux.toml leads out of the project."""
    from flux_cli.config.project import check_inside

    planned = (name for _, name in _planned_files(prepared, delivery, names))
    check_inside(
        (path for name in planned for path in name.candidates(None)), project_folders()[-1]
    )


def _planned_files(
    prepared: Prepared, delivery: Delivery, names: Sequence[Name]
) -> Iterator[tuple[int, Name]]:
    """The place of a request, and the name of one of its files."""
    for place, of_request in enumerate(names):
        for name in expected_of(prepared, delivery, of_request):
            yield place, name


def _existing(
    prepared: Prepared, delivery: Delivery, names: Sequence[Name], present: Mapping[int, str]
) -> Existing:
    """The existing files by request. `present` are their paths, by index among all files."""
    incomplete: set[int] = set()
    found: dict[int, list[str]] = {}
    for index, (place, name) in enumerate(_planned_files(prepared, delivery, names)):
        if index not in present:
            incomplete.add(place)
        elif not delivery.sidecar or name != sidecar_name(names[place]):
            found.setdefault(place, []).append(present[index])
    calls = prepared.plan.calls
    by_call = {calls[place].number: tuple(paths) for place, paths in found.items()}
    complete = [calls[place].number for place in found.keys() - incomplete]
    return Existing(frozenset(present.values()), by_call, frozenset(complete))


def _warn_of_random_names(names: Sequence[Name], seed_origin: str) -> None:
    fields = ["{seed}", "{id}"] if seed_origin == DRAWN else ["{id}"]
    found = [field for field in fields if names and field in names[0].template]
    if found:
        message = (
            f"--skip-existing cannot find files whose names have a random {found[0]}; add --seed"
        )
        messages.err(f"flux: note: {message}")
