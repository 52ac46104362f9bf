"""From what was typed to values the core takes: settings, model, request. Shared by the commands."""

from __future__ import annotations

import os

from flux_cli.catalog.find import find_model, read_servers
from flux_cli.config import folders
from flux_cli.config.load import Settings, load_settings
from flux_cli.core.errors import ConfigError, UsageError, did_you_mean
from flux_cli.core.lite import NamedTuple
from flux_cli.core.request import Request
from flux_cli.grammar import FINISHING
from flux_cli.images.formats import format_of_suffix
from flux_cli.providers.rows import ROWS, connect
from flux_cli.request.parameters import parameters as read_parameters
from flux_cli.request.plan import plan
from flux_cli.request.resolve import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flux_cli.cli.finishing import Finishing
    from flux_cli.cli.options import Options
    from flux_cli.core.model import Dialect, Json, Model
    from flux_cli.core.provider import ProviderRow
    from flux_cli.core.request import Attachment, Auth, Note, Plan, Post, Resolved, Value
    from flux_cli.images.outputs import Finish
    from flux_cli.providers.rows import Provider
    from flux_cli.request.finish import Files

    Fetch = Callable[[str], Attachment]


class Prepared(NamedTuple):
    """One command line, read to the end: nothing has been sent.

    `finish` is None where at most one format is wanted of every image; `suffixes` are those that were typed.
    """

    settings: Settings
    resolved: Resolved
    plan: Plan
    output: str | None
    finish: Finish | None = None
    suffixes: dict[str, str] = {}  # noqa: RUF012 - never written to


def prepare(options: Options, finishing: Finishing, prompt: str | None, fetch: Fetch | None = None) -> Prepared:
    """Merge options with the settings, read what they name, resolve and plan. Raises UsageError.

    `fetch` gets an image that is named by its address, for providers that take only the image itself; without it
    (where nothing may be sent) the address stands for the image.
    """
    flags = _flags(options)
    parameters: dict[str, Value] = dict(read_parameters(options))
    reuse = None
    if options.like:
        from flux_cli.request.like import notes_of, reuse_of

        reuse = reuse_of(options.like, parameters)
        flags["model"] = flags["model"] or reuse.model
        parameters = {**reuse.parameters, **parameters}
    settings = load_settings(flags, ROWS)
    found = find_model(settings.model, folders.model_folders())
    dialect = dialect_of(settings.provider, found.model)
    output = settings.output if _is_file(settings.output) else None
    # A format that is only a default yields to the suffix of a file somebody named.
    if "output_format" not in parameters and settings.output_format and not _names_format(options, output):
        parameters["output_format"] = settings.output_format
    _attach(parameters, found.model, dialect, fetch)
    if not settings.provider.hosted and options.no_badge:
        parameters["badge"] = False
    files = _files(options, finishing, settings.output, parameters)
    words = reuse.prompt if reuse and prompt is None else prompt
    # Where files are made, the suffix of their name has been read.
    request = Request(settings.model, parameters, words, options.route, None if files else output)
    resolved = resolve(request, found.model, dialect)
    if reuse:
        resolved = resolved._replace(notes=notes_of(reuse, options.like or "", resolved.notes, request, prompt))
    if found.hint:
        near = tuple(_with_hint(note, found.hint) for note in resolved.notes)
        resolved = resolved._replace(notes=near)
    resolved = resolved._replace(unit_price_usd=_unit_price(settings.provider, resolved))
    if files and files.finish.remakes:
        notes = files.explained(resolved, hosted=settings.provider.hosted)
        resolved = resolved._replace(made=files.finish.formats, notes=(*resolved.notes, *notes))
    fresh_seed = int.from_bytes(os.urandom(3)) if resolved.seed is None else None
    done = Prepared(settings, resolved, plan(resolved, fresh_seed), settings.output)
    return done._replace(output=files.output, finish=files.finish, suffixes=files.suffixes) if files else done


def _names_format(options: Options, output: str | None) -> bool:
    return bool(options.output_format) or bool(output and ("," in output or format_of_suffix(output)))


def _attach(parameters: dict[str, Value], model: Model | None, dialect: Dialect | None, fetch: Fetch | None) -> None:
    """Put images in the place of the files that name them, and where only they are taken, of addresses."""
    for name in tuple(parameters):
        if name == "image_prompt" or (model and name in model.parameters and _is_image(model, name)):
            from flux_cli.request import inputs

            parameters[name] = inputs.attach(parameters[name])
            if fetch and _takes_bytes(dialect, name) and is_address(parameters[name]):
                parameters[name] = fetch(str(parameters[name]))


def _files(options: Options, finishing: Finishing, output: str | None, parameters: dict[str, Value]) -> Files | None:
    """What was said about several formats and the making of files, read; None where nothing was.

    Takes out of `parameters` what is then no matter of the provider.
    """
    several = len(options.output_format or ()) > 1 or any("," in text for text in options.output_format or ())
    said = any(getattr(finishing, name) for name in FINISHING)
    if not (several or said or (output and "," in output and "{" in output)):
        return None
    from flux_cli.request.finish import read_files

    return read_files(options, finishing, output, parameters)


def is_address(value: Value) -> bool:
    """Whether an image is named by where it is on the network."""
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def dialect_of(row: ProviderRow, model: Model | None) -> Dialect | None:
    """What this provider makes of the parameters; None where everything passes under its own name.

    Raises UsageError where flux does not know how the provider takes the model.
    """
    if row.protocol == "openai":
        return _server(row) if row.server else None
    if model is None:
        return None
    if row.protocol not in model.dialects:
        ways = ", ".join(model.dialects) or "lumenfall alone"
        raise UsageError(f"{row.name} has no {model.id} that flux knows", hint=f"providers of it: {ways}")
    return model.dialects[row.protocol]


def _server(row: ProviderRow) -> Dialect:
    servers = read_servers()
    if row.server not in servers:
        hint = did_you_mean(row.server, servers) or f"known: {', '.join(servers)}"
        raise ConfigError(f"provider {row.name} names an unknown kind of server {row.server!r}", hint=hint)
    return servers[row.server]


def posts(prepared: Prepared) -> list[Post]:
    """What would be sent, call by call, without a key."""
    provider = connect(prepared.settings.provider, prepared.settings.base_url, None)
    return [provider.request(call) for call in prepared.plan.calls]


def goes_to(prepared: Prepared, post: Post) -> str:
    """Where a request goes, in the words for people. A sketch goes nowhere."""
    return f"POST {post.url}" if prepared.settings.provider.hosted else "sketch offline, nothing is sent:"


def provider_of(prepared: Prepared, auth: Auth | None) -> Provider:
    """The provider of a prepared command line, with or without a key."""
    return connect(prepared.settings.provider, prepared.settings.base_url, auth)


def lookup(name: str | None) -> Model:
    """The model of a lookup, which must be one the catalog knows. Raises UsageError."""
    wanted = load_settings({"model": name}, ROWS).model
    found = find_model(wanted, folders.model_folders())
    if found.model is None:
        raise UsageError(f"no catalog knows the model {wanted!r}", hint=found.hint or "see: flux models")
    return found.model


def _unit_price(row: ProviderRow, resolved: Resolved) -> float | None:
    """What one image costs here, as far as flux knows: sketches are free, other servers' prices unknown."""
    if not row.hosted:
        return 0.0
    if resolved.dialect is not None:
        return resolved.dialect.price_usd
    return resolved.model.price_usd if resolved.model and row.name == "lumenfall" else None


def _flags(options: Options) -> dict[str, Json]:
    """The options that are settings. `--offline` is a provider by another name."""
    names = ("model", "provider", "base_url", "output", "concurrency", "timeout", "retries", "max_cost", "progress")
    flags: dict[str, Json] = {name: getattr(options, name) for name in names}
    if options.offline:
        for name in ("provider", "base_url"):
            if flags[name] not in (None, "offline"):
                raise UsageError(f"--offline and --{name.replace('_', '-')} contradict each other", hint="give one")
        flags["provider"] = "offline"
    return flags


def _is_file(output: str | None) -> bool:
    """Whether `-o` names a file or a template of files, whose suffix chooses the format."""
    if not output or output == "-":
        return False
    from flux_cli.images import files

    return not files.is_folder(output)


def _takes_bytes(dialect: Dialect | None, name: str) -> bool:
    return bool(dialect and name in dialect.fields and dialect.fields[name].spelling == "base64")


def _is_image(model: Model, name: str) -> bool:
    return model.parameters[name].kind == "image"


def _with_hint(note: Note, hint: str) -> Note:
    return note._replace(reason=f"{note.reason}; {hint}") if note.parameter == "model" else note
