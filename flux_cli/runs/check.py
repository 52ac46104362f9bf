"""Checks before a run: all that can be checked for free. `planned_files` checks the files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli import __version__
from flux_cli.config.dates import timestamp
from flux_cli.config.load import Settings
from flux_cli.core.auth import Auth
from flux_cli.core.errors import AuthError, BudgetError, ConfigError, UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.model import ProviderRow
from flux_cli.http.machine import may_name_proxies
from flux_cli.images.metadata.record import record_of_run, without_prompt
from flux_cli.request.command_line import is_combined, one_prompt, prompt_of, with_preset
from flux_cli.request.digest import resolved_digest
from flux_cli.request.prepare import Prepared, draw_seed, prepare
from flux_cli.runs.planned_files import (
    check_choice,
    check_files,
    check_inputs,
    check_stdout,
    file_names,
    name_requests,
)
from flux_cli.runs.saving.delivery import Delivery
from flux_cli.runs.saving.existing import Existing
from flux_cli.runs.saving.existing_files import Comparison
from flux_cli.runs.spending.access import find_access, require_key
from flux_cli.runs.spending.approval import check_cost
from flux_cli.terminal import messages

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from flux_cli.core.options import GenerateOptions, Metadata
    from flux_cli.core.request import Call, Note, Resolved
    from flux_cli.images.metadata.record import Record
    from flux_cli.images.names import Name
    from flux_cli.images.signing import Identity
    from flux_cli.runs.combined.documents import Asked
    from flux_cli.runs.job import Task

CAUSES = ("model", "route")  # notes on these may explain a price or a missing key


class Part(NamedTuple):
    """The requests of one model, prompt and set of parameters, and how their images become files.

    Most runs have one part. The numbers of the calls go on from part to part. `values` are those of
    `--var` and of a line of `--prompts`.
    """

    prepared: Prepared
    values: Mapping[str, str]
    names: Sequence[Name]  # one for each request
    delivery: Delivery
    comparison: Comparison

    @property
    def resolved(self) -> Resolved:
        """What is asked for."""
        return self.prepared.resolved

    @property
    def asked(self) -> Asked:
        """What is asked for, and what is sent."""
        return self.resolved, self.prepared.plan, self.values

    @property
    def notes(self) -> tuple[Note, ...]:
        """Every decision about the requests."""
        return (*self.resolved.notes, *self.prepared.plan.notes)

    def calls(self, but: Collection[int] = ()) -> Sequence[Call]:
        """The calls, without those with certain numbers."""
        calls = self.prepared.plan.calls
        if not but:
            return calls
        return [call for call in calls if call.number not in but]

    def images(self, but: Collection[int] = ()) -> int:
        """How many images these calls ask for."""
        calls = self.calls(but)
        return len(calls) * calls[0].images if calls else 0


class CheckedRun(NamedTuple):
    """A run that passed every check and is ready to be sent. Its parts go to one provider."""

    options: GenerateOptions
    parts: Sequence[Part]
    row: ProviderRow
    auth: Auth | None
    existing: Existing
    identity: Identity | None = None

    @property
    def settings(self) -> Settings:
        """The settings of the run; the model may differ from part to part."""
        return self.parts[0].prepared.settings

    @property
    def notes(self) -> tuple[Note, ...]:
        """Every decision about the requests."""
        if len(self.parts) == 1:
            return self.parts[0].notes
        from flux_cli.runs.combined.notes import notes_of_requests

        return notes_of_requests([part.prepared for part in self.parts])

    @property
    def asked(self) -> Sequence[Asked]:
        """What the parts ask for, if there are several."""
        if len(self.parts) == 1:
            return ()
        return [part.asked for part in self.parts]

    @property
    def is_stdout(self) -> bool:
        return self.parts[0].prepared.destination.is_stdout

    @property
    def total(self) -> int:
        """How many requests the run has, also those whose files exist already."""
        return sum(part.resolved.n for part in self.parts)

    @property
    def calls(self) -> int:
        """How many requests will be paid for."""
        return self.total - len(self.existing.complete)

    def with_existing(self, existing: Existing) -> CheckedRun:
        """The run that knows of these existing files."""
        parts = tuple(
            part._replace(delivery=part.delivery._replace(kept=existing.files))
            for part in self.parts
        )
        return self._replace(parts=parts, existing=existing)


def check_run(options: GenerateOptions) -> CheckedRun:
    """Check everything that can be checked for free.

    The key comes last: without one, all other errors can be found. Raises UsageError, ConfigError,
    OutputError, BudgetError, and AuthError without a key.
    """
    options = with_preset(options)
    check_choice(options)
    parts = _parts(options)
    for part in parts:
        check_inputs(part.prepared, part.names)
    settings = parts[0].prepared.settings
    run = CheckedRun(options, parts, settings.provider, None, Existing())
    if run.is_stdout:
        check_stdout(options, run.total, parts[0].delivery)
    run = run._replace(identity=identity_of(settings))
    if not run.is_stdout:
        run = run.with_existing(check_files(options, parts))
    try:
        check_cost(run)
        auth = find_access(settings, no_key=options.access.no_key)
        if run.calls and not options.run.dry_run:  # what costs nothing works without a key
            require_key(auth, settings, no_key=options.access.no_key)
    except (BudgetError, AuthError):
        if not options.reporting.quiet:  # they may be the reason, or the next thing to fix
            notes = (note for part in parts for note in part.resolved.notes)
            messages.notes(note for note in notes if note.parameter in CAUSES)
        raise
    return run._replace(auth=auth)


def _parts(options: GenerateOptions) -> tuple[Part, ...]:
    """What the run requests, with names."""
    requests = _prepare(options)
    parts = []
    for (one, values), names in zip(requests, name_requests(requests), strict=True):
        record = _record(one)
        delivery = _delivery(one, record, options.metadata)
        parts.append(Part(one, values, names, delivery, Comparison(record, delivery)))
    return tuple(parts)


def _prepare(options: GenerateOptions) -> list[tuple[Prepared, dict[str, str]]]:
    """Read the prompts and resolve the requests, each with the values of its fields.

    Downloads an image prompt if the provider takes no URLs.
    """
    if options.run.estimate and not options.run.dry_run:
        hint = "add --dry-run; a run with --max-cost asks the gateway if the price is unknown"
        raise UsageError("--estimate needs --dry-run", hint=hint)
    given = options.input
    has_prompt = one_prompt(given) is not None or options.program.text is not None
    if not has_prompt and given.like is None and given.prompts is None:
        from flux_cli.request.files.piped import with_piped_prompt  # most lines have a prompt

        options = with_piped_prompt(options)
    fetch, draw = (None, None) if options.run.dry_run else (_download, draw_seed)
    if is_combined(options):
        from flux_cli.request.expansion.combine import combine

        requests = combine(options, fetch, draw)
    else:
        requests = [(prepare(options, prompt_of(options), fetch, draw), {})]
    prepared, values = requests[0]
    if not prepared.resolved.prompt and options.program.text is None:
        message = f"--like {given.like}: flux cannot read a prompt from the image"
        hint = f'describe it: flux generate "a lighthouse by the sea" --like {given.like}'
        raise UsageError(message, hint=hint)
    if not options.run.dry_run and prepared.settings.provider.hosted:
        resolved = prepared.resolved
        resolved = resolved._replace(notes=(*resolved.notes, *machine_notes()))
        requests[0] = prepared._replace(resolved=resolved), values
    return requests


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
    from flux_cli.runs.given_images import download  # most commands name no image

    return download(address)


def tasks_of(run: CheckedRun) -> Iterator[Task]:
    """The tasks of a run, made one at a time. Existing files are kept."""
    from flux_cli.runs.job import Task

    existing, is_several = run.existing, len(run.parts) > 1
    for part in run.parts:
        for call, name in zip(part.calls(), file_names(part), strict=True):
            yield Task(
                call=call,
                name=name,
                delivery=part.delivery,
                price_usd=part.resolved.unit_price_usd,
                resolved=part.resolved if is_several else None,
                kept=existing.by_call.get(call.number, ()),
                is_complete=call.number in existing.complete,
            )
