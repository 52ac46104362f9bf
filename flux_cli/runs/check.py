"""Everything that costs nothing to check, checked: a run that is ready could be paid for at once."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from flux_cli import __version__
from flux_cli.config import folders, keys
from flux_cli.config.load import Settings
from flux_cli.core.errors import AuthError, BudgetError, ConfigError, FluxError, OutputError, UsageError
from flux_cli.core.lite import LazySequence, NamedTuple
from flux_cli.core.provider import ProviderRow
from flux_cli.core.request import Attachment, Auth
from flux_cli.images import names as naming
from flux_cli.images.metadata.record import record_of_run, without_prompt
from flux_cli.images.names import Name, refuse_doubles
from flux_cli.request.prepare import Prepared, prepare
from flux_cli.request.prompt import one_prompt, read_prompt
from flux_cli.runs.delivery import Delivery, expected_names, sidecar_name
from flux_cli.terminal import messages
from flux_cli.terminal.streams import is_closed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flux_cli.core.options import GenerateOptions, Metadata
    from flux_cli.images.signing import Identity

ANY = (1024, 1024)  # pixels of an image nobody knows anything about; names do not depend on it
FETCH_SECONDS = 60.0  # for an image that guides the prompt


class CheckedRun(NamedTuple):
    """One run with every check behind it. `kept`: by call, the files that are there already; `skip`: calls with all."""

    options: GenerateOptions
    prepared: Prepared
    row: ProviderRow
    auth: Auth | None
    names: Sequence[Name]
    kept: dict[int, tuple[str, ...]]
    skip: frozenset[int]
    delivery: Delivery
    identity: Identity | None = None

    @property
    def calls(self) -> int:
        """How many calls will be paid for."""
        return self.prepared.resolved.n - len(self.skip)


def check_run(options: GenerateOptions) -> CheckedRun:
    """Check everything that costs nothing to check. Raises UsageError, or AuthError without a key."""
    word = one_prompt(options.input)
    if word is None and options.input.like is None:
        raise UsageError("there is no prompt", hint='say what to draw: flux generate "a red fox in the snow"')
    prompt = None if word is None else read_prompt(word)
    prepared = prepare(options, prompt, None if options.run.dry_run else _fetched)
    names = _names(prepared)
    row = prepared.settings.provider
    delivery = _delivery(prepared, options.metadata)
    if prepared.destination.is_stdout:
        _check_stdout(options, prepared, delivery)
    identity = identity_of(prepared.settings)
    auth = _auth(row, prepared, options)
    kept: dict[int, tuple[str, ...]] = {}
    skip: frozenset[int] = frozenset()
    if not prepared.destination.is_stdout:
        present, kept, skip = _preflight(options, prepared, names, delivery)
        delivery = delivery._replace(kept=present)
    return CheckedRun(options, prepared, row, auth, names, kept, skip, delivery, identity)


def _delivery(prepared: Prepared, metadata: Metadata) -> Delivery:
    """How every image becomes files, and what is known of all of them before they are made."""
    resolved, row = prepared.resolved, prepared.settings.provider
    known = record_of_run(
        resolved,
        row.name,
        hosted=row.hosted,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        tool=f"flux {__version__}",
    )
    written = prepared.settings.metadata
    if metadata.no_prompt_metadata or written == "no-prompt":
        known = without_prompt(known)
    return Delivery(
        finish=prepared.finish,
        record=known,
        suffixes=prepared.destination.suffixes,
        metadata=not metadata.no_metadata and written != "none",
        sidecar=metadata.sidecar,
    )


def identity_of(settings: Settings) -> Identity | None:
    """Who signs the images, if anybody does. Raises ConfigError where that cannot be."""
    if not settings.sign_certificate and not settings.sign_key:
        return None
    if not settings.sign_certificate or not settings.sign_key:
        raise ConfigError("signing needs a certificate and its key", hint="set sign_certificate and sign_key")

    from flux_cli.images.signing import load_identity

    return load_identity(settings.sign_certificate, settings.sign_key, settings.sign_algorithm)


def _fetched(address: str) -> Attachment:
    """An image somebody named by its address, read without any key. Raises UsageError where it cannot be had."""
    import asyncio
    import tempfile
    from pathlib import Path

    from flux_cli.http.client import Http
    from flux_cli.request import inputs

    async def fetch(folder: str) -> bytes:
        async with Http(timeout=FETCH_SECONDS, retries=1, folder=Path(folder)) as http:
            return Path(await http.fetch_image(address, address)).read_bytes()  # noqa: ASYNC240 - nothing else goes on

    try:
        with tempfile.TemporaryDirectory(prefix="flux-") as folder:
            data = asyncio.run(fetch(folder))
    except FluxError as fault:
        raise UsageError(f"image_prompt {address!r} cannot be fetched: {fault.__cause__ or fault}") from fault
    return inputs.attachment(address, data)


def _names(prepared: Prepared) -> Sequence[Name]:
    """A name for every call. `{id}` is made here, so that all names are known before anything is paid."""
    from flux_cli.images import files

    resolved, destination = prepared.resolved, prepared.destination
    if destination.is_stdout:
        return [Name("-", {})] * resolved.n
    said = prepared.settings.output
    if said and files.is_special(said):
        raise OutputError(f"{said} is not a file", hint="name a file or a folder; -o - writes to standard output")
    seeded = resolved.seed is not None
    template = naming.complete(destination.template, seeded=seeded, is_folder=destination.is_folder)
    return naming.names(template, fields_of(prepared))


def fields_of(prepared: Prepared) -> Sequence[dict[str, str | int]]:
    """The values of a template's fields, one row a call."""
    resolved, size, now = prepared.resolved, prepared.resolved.size, time.localtime()
    common: dict[str, str | int] = {
        **naming.text_fields(resolved.prompt, resolved.model.id if resolved.model else resolved.sent_model),
        "ratio": size.aspect_ratio.replace(":", "x") if size else "auto",
        "width": size.width if size else "auto",
        "height": size.height if size else "auto",
        "date": time.strftime("%Y-%m-%d", now),
        "time": time.strftime("%H%M%S", now),
    }
    calls, width = prepared.plan.calls, 4
    identities = os.urandom(width * len(calls))

    def row(place: int) -> dict[str, str | int]:
        call, identity = calls[place], identities[width * place : width * (place + 1)].hex()
        seed = call.seed if isinstance(call.seed, int) else identity
        return {**common, "id": identity, "seed": seed, "index": call.number}

    return LazySequence(len(calls), row)


def _check_stdout(options: GenerateOptions, prepared: Prepared, delivery: Delivery) -> None:
    finish = delivery.finish
    if len(finish.formats) > 1 or finish.widths or finish.keep_original or delivery.sidecar:
        raise UsageError("-o - takes one file, not several", hint="save to files with -o")
    if prepared.resolved.n > 1:
        raise UsageError("-o - takes one image, not several", hint="drop -n, or save to a folder")
    if options.reporting.as_json:
        raise UsageError("-o - and --json both want standard output", hint="give one of the two")
    if is_closed():
        raise UsageError("standard output is closed", hint="save to a file with -o")
    if sys.stdout.isatty() and not options.run.dry_run:
        raise UsageError("an image is no text for a terminal", hint="pipe it: flux generate ... -o - | command")


def _auth(row: ProviderRow, prepared: Prepared, options: GenerateOptions) -> Auth | None:
    """The key for this run. Raises AuthError without one, and ConfigError where it would travel unprotected."""
    if not row.key_variables or options.access.no_key:
        return None
    auth = find_key(row, prepared.settings.base_url)
    if auth or options.run.dry_run:
        return auth
    if not options.reporting.quiet:  # a misspelled model would be the next thing to mend
        messages.notes(note for note in prepared.resolved.notes if note.parameter == "model")
    name = row.key_variables[-1]
    server = ", or --no-key if this server needs none" if row.server else ""
    where = f" (keys: {row.page})" if row.page else ""
    hint = f"export {name}=...{where}{server}, or draw a sketch with --offline"
    raise AuthError(f"no key: {name} is not set", hint=hint)


def find_key(row: ProviderRow, base: str) -> Auth | None:
    """The key for a provider, if there is one. Raises ConfigError where it would travel unprotected."""
    for variable in row.key_variables:
        secret, _ = keys.find(variable, folders.user_folder())
        if secret:
            keys.check_transport(base)
            return Auth(secret, variable, base, row.key_header, row.key_prefix, row.hosts, row.page)
    return None


def _preflight(
    options: GenerateOptions, prepared: Prepared, names: Sequence[Name], delivery: Delivery
) -> tuple[frozenset[str], dict[int, tuple[str, ...]], frozenset[int]]:
    """Every file by its name. Returns what stays as it is: the files, the images of them by call, whole calls."""
    from flux_cli.images import files

    def expected_files() -> Iterator[tuple[int, Name]]:
        return ((place, name) for place, one in enumerate(names) for name in expected_of(prepared, delivery, one))

    if len(expected_of(prepared, delivery, names[0])) > 1:  # else they are all different, as the names are
        refuse_doubles((name.path("ext"), f"file {number}") for number, (_, name) in enumerate(expected_files(), 1))
    present = files.preflight(
        (name for _, name in expected_files()),
        None,
        overwrite=options.output.overwrite,
        skip_existing=options.output.skip_existing,
        write=not options.run.dry_run,
    )
    if options.output.skip_existing and not options.reporting.quiet and any("{id}" in name.template for name in names):
        messages.err("flux: note: --skip-existing cannot know names with a random {id} again; add --seed")
    if not present:
        return frozenset(), {}, frozenset()
    missing: set[int] = set()
    there: dict[int, list[str]] = {}
    for number, (place, name) in enumerate(expected_files()):
        if number not in present:
            missing.add(place)
        elif not delivery.sidecar or name != sidecar_name(names[place]):
            there.setdefault(place, []).append(present[number])
    calls = prepared.plan.calls
    kept = {calls[place].number: tuple(paths) for place, paths in there.items()}
    return frozenset(present.values()), kept, frozenset(calls[place].number for place in there.keys() - missing)


def expected_of(prepared: Prepared, delivery: Delivery, name: Name) -> tuple[Name, ...]:
    """The files of one call, if its image comes in the size that is expected."""
    size, hosted = prepared.resolved.size, prepared.settings.provider.hosted
    return expected_names(delivery, name, size.expected(hosted=hosted) if size else ANY)


def check_budget(ready: CheckedRun) -> None:
    """Raise BudgetError where the run would cost more than allowed, or nobody knows what it costs."""
    limit, price = ready.prepared.settings.max_cost, ready.prepared.resolved.unit_price_usd
    if limit is None or ready.calls == 0:
        return
    if price is None:
        if ready.options.run.yes:
            return
        hint = "add --yes to go on until the costs the server names reach the limit, or run without --max-cost"
        raise BudgetError("the price is unknown, and there is a limit", hint=hint)
    cost = price * ready.calls
    if cost > limit + 1e-9:
        message = f"{ready.calls} at {price:.2f} USD make {cost:.2f} USD, over the limit of {limit:.2f} USD"
        raise BudgetError(message, hint="ask for fewer images, or raise --max-cost")
