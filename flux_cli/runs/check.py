"""Checks before a run: everything that can be checked without paying for it."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from flux_cli import __version__
from flux_cli.config import folders, keys
from flux_cli.config.load import Settings
from flux_cli.core.errors import (
    AuthError,
    BudgetError,
    ConfigError,
    FluxError,
    OutputError,
    UsageError,
)
from flux_cli.core.lite import LazySequence, NamedTuple
from flux_cli.core.provider import ProviderRow
from flux_cli.core.request import Attachment, Auth
from flux_cli.images import names as naming
from flux_cli.images.metadata.record import record_of_run, without_prompt
from flux_cli.images.names import Name, refuse_doubles
from flux_cli.request.prepare import Prepared, prepare
from flux_cli.request.prompt import one_prompt, read_prompt
from flux_cli.runs.saving.delivery import Delivery, expected_names, sidecar_name
from flux_cli.terminal import messages
from flux_cli.terminal.streams import is_closed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from flux_cli.core.options import GenerateOptions, Metadata
    from flux_cli.images.signing import Identity

ANY_SIZE = (1024, 1024)  # pixels, where the model's sizes are unknown; names do not depend on it
FETCH_SECONDS = 60.0  # to download an image prompt
ID_BYTES = 4  # random bytes of `{id}` in a name
ROUNDING = 1e-9  # USD


class Existing(NamedTuple):
    """Existing files that `--skip-existing` keeps."""

    files: frozenset[str] = frozenset()
    by_call: dict[int, tuple[str, ...]] = {}  # noqa: RUF012 - never written to; images, no sidecars
    complete: frozenset[int] = frozenset()  # numbers of requests whose files all exist


class CheckedRun(NamedTuple):
    """A run that passed every check and is ready to be sent."""

    options: GenerateOptions
    prepared: Prepared
    row: ProviderRow
    auth: Auth | None
    names: Sequence[Name]  # one for each request
    existing: Existing
    delivery: Delivery
    identity: Identity | None = None

    @property
    def calls(self) -> int:
        """How many requests will be paid for."""
        return self.prepared.resolved.n - len(self.existing.complete)


def check_run(options: GenerateOptions) -> CheckedRun:
    """Check everything that can be checked for free.

    Raises UsageError, ConfigError, OutputError, and AuthError without a key.
    """
    prepared = _prepare(options)
    names = _names(prepared)
    row = prepared.settings.provider
    delivery = _delivery(prepared, options.metadata)
    to_stdout = prepared.destination.is_stdout
    if to_stdout:
        _check_stdout(options, prepared, delivery)
    identity = identity_of(prepared.settings)
    auth = _auth(row, prepared, options)
    existing = Existing() if to_stdout else _check_files(options, prepared, names, delivery)
    delivery = delivery._replace(kept=existing.files)
    return CheckedRun(options, prepared, row, auth, names, existing, delivery, identity)


def _prepare(options: GenerateOptions) -> Prepared:
    """Read the prompt and resolve the request. Downloads an image prompt if the provider takes only the image."""
    word = one_prompt(options.input)
    if word is None and options.input.like is None:
        hint = 'describe the image: flux generate "a red fox in the snow"'
        raise UsageError("no prompt given", hint=hint)
    prompt = None if word is None else read_prompt(word)
    return prepare(options, prompt, None if options.run.dry_run else _download)


def _delivery(prepared: Prepared, metadata: Metadata) -> Delivery:
    """How images become files, and the record that all of them share."""
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
    """The identity that signs the images, if the settings name one. Raises ConfigError if it is incomplete."""
    if not settings.sign_certificate and not settings.sign_key:
        return None
    if not settings.sign_certificate or not settings.sign_key:
        raise ConfigError(
            "signing needs a certificate and its key", hint="set sign_certificate and sign_key"
        )

    from flux_cli.images.signing import load_identity

    return load_identity(settings.sign_certificate, settings.sign_key, settings.sign_algorithm)


def _download(address: str) -> Attachment:
    """An image from a URL that the user gave, downloaded without a key. Raises UsageError if that fails."""
    import asyncio
    import tempfile
    from pathlib import Path

    from flux_cli.http.client import Http
    from flux_cli.request import inputs

    async def fetch(folder: str) -> bytes:
        async with Http(timeout=FETCH_SECONDS, retries=1, folder=Path(folder)) as http:
            return Path(await http.fetch_image(address, address)).read_bytes()  # noqa: ASYNC240 - nothing else is running

    try:
        with tempfile.TemporaryDirectory(prefix="flux-") as folder:
            data = asyncio.run(fetch(folder))
    except FluxError as fault:
        raise UsageError(
            f"cannot download image_prompt {address!r}: {fault.__cause__ or fault}"
        ) from fault
    return inputs.attachment(address, data)


def _names(prepared: Prepared) -> Sequence[Name]:
    """A name for every request. `{id}` is chosen here, so that all names are known before anything is paid for."""
    from flux_cli.images import files

    resolved, destination = prepared.resolved, prepared.destination
    if destination.is_stdout:
        return [Name("-", {})] * resolved.n
    output = prepared.settings.output
    if output and files.is_special(output):
        hint = "name a file or a folder; -o - writes to standard output"
        raise OutputError(f"{output} is not a file", hint=hint)
    seeded = resolved.seed is not None
    template = naming.complete(destination.template, seeded=seeded, is_folder=destination.is_folder)
    return naming.names(template, fields_of(prepared))


def fields_of(prepared: Prepared) -> Sequence[dict[str, str | int]]:
    """The values of a template's fields, one row per request."""
    resolved, size, now = prepared.resolved, prepared.resolved.size, time.localtime()
    model = resolved.model.id if resolved.model else resolved.sent_model
    common: dict[str, str | int] = {
        **naming.text_fields(resolved.prompt, model),
        "ratio": size.aspect_ratio.replace(":", "x") if size else "auto",
        "width": size.width if size else "auto",
        "height": size.height if size else "auto",
        "date": time.strftime("%Y-%m-%d", now),
        "time": time.strftime("%H%M%S", now),
    }
    calls = prepared.plan.calls
    ids = os.urandom(ID_BYTES * len(calls))

    def row(place: int) -> dict[str, str | int]:
        call = calls[place]
        identity = ids[ID_BYTES * place : ID_BYTES * (place + 1)].hex()
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
        raise UsageError(
            "-o - and --json both write to standard output", hint="use only one of them"
        )
    if is_closed():
        raise UsageError("standard output is closed", hint="save to a file with -o")
    if sys.stdout.isatty() and not options.run.dry_run:
        raise UsageError(
            "cannot write an image to a terminal", hint="pipe it: flux generate ... -o - | command"
        )


def _auth(row: ProviderRow, prepared: Prepared, options: GenerateOptions) -> Auth | None:
    """The key for this run. Raises AuthError without one, and ConfigError if it would be sent unencrypted."""
    if not row.key_variables or options.access.no_key:
        return None
    auth = find_key(row, prepared.settings.base_url)
    if auth or options.run.dry_run:
        return auth
    if not options.reporting.quiet:  # a misspelled model would be the next thing to fix
        messages.notes(note for note in prepared.resolved.notes if note.parameter == "model")
    name = row.key_variables[-1]
    page = f" (keys: {row.page})" if row.page else ""
    without = ", or --no-key if this server needs none" if row.server else ""
    hint = f"export {name}=...{page}{without}, or draw a sketch with --offline"
    raise AuthError(f"no key: {name} is not set", hint=hint)


def find_key(row: ProviderRow, base: str) -> Auth | None:
    """The key for a provider, if there is one. Raises ConfigError if it would be sent unencrypted."""
    for variable in row.key_variables:
        secret, _ = keys.find(variable, folders.user_folder())
        if secret:
            keys.check_transport(base)
            return Auth(secret, variable, base, row.key_header, row.key_prefix, row.hosts, row.page)
    return None


def _check_files(
    options: GenerateOptions, prepared: Prepared, names: Sequence[Name], delivery: Delivery
) -> Existing:
    """Check that every file can be written, and find files that exist already.

    Raises OutputError for a file that cannot be written, UsageError for two files with the same name.
    """
    from flux_cli.images import files

    def expected_files() -> Iterator[tuple[int, Name]]:
        """The place of a request, and the name of one of its files."""
        for place, one in enumerate(names):
            for name in expected_of(prepared, delivery, one):
                yield place, name

    if (
        len(expected_of(prepared, delivery, names[0])) > 1
    ):  # with one file per request, the names are distinct already
        numbered = enumerate(expected_files(), 1)
        refuse_doubles((name.path("ext"), f"file {number}") for number, (_, name) in numbered)
    present = files.preflight(
        (name for _, name in expected_files()),
        None,
        overwrite=options.output.overwrite,
        skip_existing=options.output.skip_existing,
        write=not options.run.dry_run,
    )
    if options.output.skip_existing and not options.reporting.quiet:
        _warn_of_random_names(names)
    if not present:
        return Existing()
    incomplete: set[int] = set()
    found: dict[int, list[str]] = {}
    for number, (place, name) in enumerate(expected_files()):
        if number not in present:
            incomplete.add(place)
        elif not delivery.sidecar or name != sidecar_name(names[place]):
            found.setdefault(place, []).append(present[number])
    calls = prepared.plan.calls
    return Existing(
        files=frozenset(present.values()),
        by_call={calls[place].number: tuple(paths) for place, paths in found.items()},
        complete=frozenset(calls[place].number for place in found.keys() - incomplete),
    )


def _warn_of_random_names(names: Sequence[Name]) -> None:
    if any("{id}" in name.template for name in names):
        message = "--skip-existing cannot find files whose names have a random {id}; add --seed"
        messages.err(f"flux: note: {message}")


def expected_of(prepared: Prepared, delivery: Delivery, name: Name) -> tuple[Name, ...]:
    """The names of the files of one request, assuming that its image has the expected size."""
    size, hosted = prepared.resolved.size, prepared.settings.provider.hosted
    return expected_names(delivery, name, size.expected(hosted=hosted) if size else ANY_SIZE)


def check_budget(run: CheckedRun) -> None:
    """Raise BudgetError if the run would cost more than --max-cost, or its price is unknown without --yes."""
    limit, price = run.prepared.settings.max_cost, run.prepared.resolved.unit_price_usd
    if limit is None or run.calls == 0:
        return
    if price is None:
        if run.options.run.yes:
            return
        hint = "add --yes to proceed until the reported costs reach the limit, or drop --max-cost"
        raise BudgetError("the price is unknown, and --max-cost sets a limit", hint=hint)
    cost = price * run.calls
    if cost > limit + ROUNDING:
        sum_ = f"{run.calls} images at {price:.2f} USD cost {cost:.2f} USD"
        hint = "ask for fewer images, or raise --max-cost"
        raise BudgetError(f"{sum_}, over the limit of {limit:.2f} USD", hint=hint)
