"""Checks before a run: everything that can be checked without paying for it.

`planned_files` checks the files. What passed the checks is described for the journal.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from flux_cli import __version__
from flux_cli.config.dates import timestamp
from flux_cli.config.load import Settings
from flux_cli.core.auth import Auth
from flux_cli.core.errors import AuthError, BudgetError, ConfigError, FluxError, UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import Json, ProviderRow
from flux_cli.http.machine import may_name_proxies
from flux_cli.images import names as naming
from flux_cli.images.metadata.record import record_of_run, without_prompt
from flux_cli.request.command_line import one_prompt, read_prompt
from flux_cli.request.digest import resolved_digest
from flux_cli.request.prepare import Prepared, draw_seed, prepare
from flux_cli.runs.planned_files import (
    check_choice,
    check_files,
    check_inputs,
    check_stdout,
    fields_of,
    name_requests,
)
from flux_cli.runs.saving.delivery import Delivery, delivery_document
from flux_cli.runs.saving.existing import Existing
from flux_cli.runs.saving.existing_files import Comparison
from flux_cli.runs.spending.access import find_access, require_key
from flux_cli.runs.spending.approval import check_cost
from flux_cli.terminal import messages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flux_cli.core.options import GenerateOptions, Metadata
    from flux_cli.core.request import Note
    from flux_cli.images.metadata.record import Record
    from flux_cli.images.names import Name
    from flux_cli.images.signing import Identity
    from flux_cli.runs.job import Task

FETCH_SECONDS = 60.0  # to download an image that the user names by its URL
CAUSES = ("model", "route")  # notes on these may explain a price or a missing key


class CheckedRun(NamedTuple):
    """A run that passed every check and is ready to be sent."""

    options: GenerateOptions
    prepared: Prepared
    row: ProviderRow
    auth: Auth | None
    names: Sequence[Name]  # one for each request
    existing: Existing
    delivery: Delivery
    comparison: Comparison | None  # None: the image goes to standard output
    identity: Identity | None = None

    @property
    def calls(self) -> int:
        """How many requests will be paid for."""
        return self.prepared.resolved.n - len(self.existing.complete)

    @property
    def images(self) -> int:
        """How many images will be paid for."""
        return self.calls * self.prepared.plan.calls[0].images


def check_run(options: GenerateOptions) -> CheckedRun:
    """Check everything that can be checked for free.

    The key comes last: without one, all other errors can be found. Raises UsageError, ConfigError,
    OutputError, BudgetError, and AuthError without a key.
    """
    check_choice(options)
    prepared = _prepare(options)
    names = name_requests(prepared)
    check_inputs(prepared, names)
    row = prepared.settings.provider
    record = _record(prepared)
    delivery = _delivery(prepared, record, options.metadata)
    to_stdout = prepared.destination.is_stdout
    if to_stdout:
        check_stdout(options, prepared, delivery)
    identity = identity_of(prepared.settings)
    comparison = None if to_stdout else Comparison(record, delivery)
    existing = check_files(options, prepared, names, comparison) if comparison else Existing()
    delivery = delivery._replace(kept=existing.files)
    run = CheckedRun(options, prepared, row, None, names, existing, delivery, comparison, identity)
    try:
        check_cost(run)
        auth = find_access(prepared.settings, no_key=options.access.no_key)
        if run.calls and not options.run.dry_run:  # what costs nothing works without a key
            require_key(auth, prepared.settings, no_key=options.access.no_key)
    except (BudgetError, AuthError):
        if not options.reporting.quiet:  # they may be the reason, or the next thing to fix
            causes = (note for note in prepared.resolved.notes if note.parameter in CAUSES)
            messages.notes(causes)
        raise
    return run._replace(auth=auth)


def _prepare(options: GenerateOptions) -> Prepared:
    """Read the prompt and resolve the request.

    Downloads an image prompt if the provider takes no URLs.
    """
    if options.run.estimate and not options.run.dry_run:
        hint = "add --dry-run; a run with --max-cost asks the gateway if the price is unknown"
        raise UsageError("--estimate needs --dry-run", hint=hint)
    word = one_prompt(options.input)
    if word is None and options.input.like is None:
        hint = 'describe it: flux generate "a lighthouse by the sea"; flux generate - reads a pipe'
        raise UsageError("no prompt given", hint=hint)
    prompt = None if word is None else read_prompt(word)
    fetch, draw = (None, None) if options.run.dry_run else (_download, draw_seed)
    prepared = prepare(options, prompt, fetch, draw)
    if prompt is None and not prepared.resolved.prompt:
        message = f"--like {options.input.like}: flux cannot read a prompt from the image"
        hint = f'describe it: flux generate "a lighthouse by the sea" --like {options.input.like}'
        raise UsageError(message, hint=hint)
    if options.run.dry_run or not prepared.settings.provider.hosted:
        return prepared
    resolved = prepared.resolved
    notes = (*resolved.notes, *machine_notes())
    return prepared._replace(resolved=resolved._replace(notes=notes))


def machine_notes() -> tuple[Note, ...]:
    """Notes on the state folder and the proxies, for a run that pays."""
    from flux_cli.config.state import state_note  # what costs nothing needs no such folder

    return (*state_note(), *_proxy_notes())


def _proxy_notes() -> tuple[Note, ...]:
    """Notes on proxy variables that cannot be read."""
    if not may_name_proxies():
        return ()
    from flux_cli.http.machine.proxies import read_proxies

    return read_proxies().notes()


def _record(prepared: Prepared) -> Record:
    """What is known about every image before the run."""
    resolved, row = prepared.resolved, prepared.settings.provider
    record = record_of_run(
        resolved,
        resolved_digest(resolved),
        row.name,
        hosted=row.hosted,
        created=timestamp() if row.hosted else "",  # equal commands draw equal files
        tool=f"flux {__version__}",
    )
    return record._replace(finish=prepared.finish.describe())


def _delivery(prepared: Prepared, record: Record, metadata: Metadata) -> Delivery:
    """How images become files, and the record that all of them share."""
    written = prepared.settings.metadata
    if metadata.no_prompt_metadata or written == "no-prompt":
        record = without_prompt(record)
    return Delivery(
        finish=prepared.finish,
        record=record,
        suffixes=prepared.destination.suffixes,
        metadata=not metadata.no_metadata and written != "none",
        sidecar=metadata.sidecar,
        is_quality_sent="output_compression" in prepared.plan.calls[0].body,
    )


def identity_of(settings: Settings) -> Identity | None:
    """The identity that signs the images, if the settings name one.

    Raises ConfigError if it is incomplete.
    """
    if not settings.sign_certificate and not settings.sign_key:
        return None
    if not settings.sign_certificate or not settings.sign_key:
        hint = "set sign_certificate and sign_key"
        raise ConfigError("signing needs a certificate and its key", hint=hint)

    from flux_cli.images.signing import load_identity

    return load_identity(settings.sign_certificate, settings.sign_key, settings.sign_algorithm)


def _download(address: str) -> bytes:
    """Download an image from a URL that the user gave, without a key. Raises UsageError."""
    from flux_cli.core.outcome import ImageSource
    from flux_cli.http.client import Http
    from flux_cli.runs import event_loop

    async def fetch() -> bytes:
        async with Http(timeout=FETCH_SECONDS, retries=1, folder=None) as http:
            path = await http.downloads.fetch(address, ImageSource(address))
            return http.spool.read(path)

    try:
        return event_loop.run(fetch())
    except FluxError as fault:
        reason = fault.__cause__ or fault
        raise UsageError(f"cannot download the image {address!r}: {reason}") from fault


def tasks_of(run: CheckedRun) -> Iterator[Task]:
    """The tasks of a run, made one at a time. Existing files are kept."""
    from flux_cli.runs.job import Task

    prepared, existing = run.prepared, run.existing
    for call, name in zip(prepared.plan.calls, _file_names(run), strict=True):
        yield Task(
            call=call,
            name=name,
            delivery=run.delivery,
            price_usd=prepared.resolved.unit_price_usd,
            kept=existing.by_call.get(call.number, ()),
            is_complete=call.number in existing.complete,
        )


def _file_names(run: CheckedRun) -> Sequence[Name]:
    """A name for every request, for standard output also: `flux recover` saves to files."""
    if not run.prepared.destination.is_stdout:
        return run.names
    return naming.names(naming.DEFAULT_UNSEEDED, fields_of(run.prepared))


def describe_run(run: CheckedRun) -> dict[str, Json]:
    """The facts that all requests of a run share, as far as `flux recover` needs them."""
    from flux_cli.http.spool import temporary_folder
    from flux_cli.runs.records.described import name_document

    prepared = run.prepared
    private = not prepared.settings.journal_prompts
    names = _file_names(run)
    first, last = names[0], names[-1]
    shared = {field: value for field, value in first.fields.items() if last.fields[field] == value}
    return {
        "version": __version__,
        "provider": run.row.name,
        "base_url": prepared.settings.base_url,
        "model": prepared.resolved.sent_model,
        "prompt": None if private else prepared.resolved.prompt,
        "private": private,
        "n": prepared.resolved.n,
        "skipped": list(run.existing.complete),
        "price_usd": prepared.resolved.unit_price_usd,
        **name_document(first._replace(fields=shared), private=private),
        "delivery": delivery_document(run.delivery, private=private),
        "folder": _working_folder(),
        "temporary": temporary_folder(),
    }


def _working_folder() -> str:
    from pathlib import Path

    try:
        return str(Path.cwd())
    except OSError:  # deleted meanwhile; an absolute -o works without it
        return os.path.expanduser("~")  # noqa: PTH111 - it never fails
