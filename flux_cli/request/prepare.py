"""Turns options into what will be sent: settings, model, request, calls, and the destination of the files."""

from __future__ import annotations

import os

from flux_cli.catalog.find import find_model, read_servers
from flux_cli.config import folders
from flux_cli.config.load import Settings, load_settings
from flux_cli.core.errors import ConfigError, UsageError, did_you_mean
from flux_cli.core.lite import NamedTuple
from flux_cli.core.request import Request
from flux_cli.images.destination import Destination, read_destination
from flux_cli.images.finish import read_finish
from flux_cli.images.outputs import explain
from flux_cli.providers.rows import ROWS, connect, unit_price
from flux_cli.request.parameters import read_parameters
from flux_cli.request.plan import plan
from flux_cli.request.resolve import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flux_cli.core.model import Dialect, Json, Model
    from flux_cli.core.options import GenerateOptions
    from flux_cli.core.provider import ProviderRow
    from flux_cli.core.request import Attachment, Auth, Note, Plan, Post, Resolved, Value
    from flux_cli.images.outputs import Finish
    from flux_cli.providers.rows import Provider
    from flux_cli.request.like import Reuse

    Fetch = Callable[[str], Attachment]


class Prepared(NamedTuple):
    """One command line, fully resolved. Nothing has been sent."""

    settings: Settings
    resolved: Resolved
    plan: Plan
    destination: Destination
    finish: Finish


def prepare(options: GenerateOptions, prompt: str | None, fetch: Fetch | None = None) -> Prepared:
    """Merge options with settings, read the files they name, resolve and plan.

    `fetch` downloads an image from its URL, for providers that take only the image itself. Without it (when nothing
    may be sent), the URL stays in place of the image. Raises UsageError and ConfigError.
    """
    given: dict[str, Value] = dict(read_parameters(options.parameters))
    reuse = _reuse(options.input.like, given)
    if reuse:
        given = {**reuse.parameters, **given}
    settings = load_settings(_overrides(options, reuse), ROWS)
    found = find_model(settings.model, folders.model_folders())
    dialect = dialect_of(settings.provider, found.model)
    destination = _read_destination(options, settings, given)
    _attach_images(given, found.model, dialect, fetch)
    if not settings.provider.hosted and options.access.no_badge:
        given["badge"] = False
    size = given.get("size") if options.finish.fit else None
    request = Request(
        model=settings.model,
        parameters=given,
        prompt=reuse.prompt if reuse and prompt is None else prompt,
        route=options.access.route,
        output=settings.output
        if destination.suffixes and not options.output.output_format
        else None,
    )
    resolved = resolve(request, found.model, dialect)
    if reuse:
        resolved = _with_origin(resolved, reuse, options.input.like or "", prompt)
    if found.hint:
        resolved = resolved._replace(
            notes=tuple(_with_hint(note, found.hint) for note in resolved.notes)
        )
    price = unit_price(settings.provider, resolved.model, resolved.dialect)
    resolved = resolved._replace(unit_price_usd=price)
    formats = destination.formats or ((resolved.format,) if resolved.format else ())
    finish = read_finish(
        options.finish, None if size is None else str(size), formats, resolved.quality
    )
    if finish.remakes:
        resolved = _with_finish(resolved, finish, hosted=settings.provider.hosted)
    fresh_seed = int.from_bytes(os.urandom(3)) if resolved.seed is None else None
    return Prepared(settings, resolved, plan(resolved, fresh_seed), destination, finish)


def _reuse(path: str | None, given: dict[str, Value]) -> Reuse | None:
    """The values from the image of `--like`; None without the option."""
    if not path:
        return None
    from flux_cli.request.like import read_like

    return read_like(path, given)


def _overrides(options: GenerateOptions, reuse: Reuse | None) -> dict[str, Json]:
    """The settings that options override. `--offline` means `--provider offline`."""
    flags: dict[str, Json] = options.settings._asdict()
    if reuse:
        flags["model"] = flags["model"] or reuse.model
    if options.access.offline:
        for name in ("provider", "base_url"):
            if flags[name] not in (None, "offline"):
                option = f"--{name.replace('_', '-')}"
                raise UsageError(
                    f"--offline and {option} contradict each other", hint="use only one of them"
                )
        flags["provider"] = "offline"
    return flags


def _read_destination(
    options: GenerateOptions, settings: Settings, given: dict[str, Value]
) -> Destination:
    """Where the files go. A single format stays in `given`, to be sent to the provider; flux makes several itself.

    The suffix of a file overrides a default format.
    """
    typed = given.pop("output_format", None)
    formats = options.output.output_format or ([] if typed is None else [str(typed)])
    if typed is not None and options.output.output_format:
        raise UsageError(
            "output_format is given twice", hint="give it once, as an option or with -p"
        )
    output = settings.output
    destination = read_destination(output, formats, is_folder=_is_folder(output))
    if not destination.formats and settings.output_format:
        destination = read_destination(
            output, [settings.output_format], is_folder=_is_folder(output)
        )
    chosen_by_suffix = destination.suffixes and not formats
    if len(destination.formats) == 1 and not chosen_by_suffix:
        given["output_format"] = destination.formats[0]
    return destination


def _is_folder(output: str | None) -> bool:
    if not output or output == "-":
        return False
    from flux_cli.images import files

    return files.is_folder(output)


def _with_origin(resolved: Resolved, reuse: Reuse, path: str, prompt: str | None) -> Resolved:
    """The request with notes that say which values come from the image of `--like`."""
    from flux_cli.request.like import explain_reuse

    return resolved._replace(
        notes=explain_reuse(reuse, path, resolved.notes, resolved.request, prompt)
    )


def _with_finish(resolved: Resolved, finish: Finish, *, hosted: bool) -> Resolved:
    """The request with the formats that flux makes, and notes on how it does. Raises UsageError."""
    notes = explain(finish, *resolved.size.expected(hosted=hosted)) if resolved.size else ()
    return resolved._replace(made=finish.formats, notes=(*resolved.notes, *notes))


def _attach_images(
    given: dict[str, Value], model: Model | None, dialect: Dialect | None, fetch: Fetch | None
) -> None:
    """Replace the file names of images by their content, and URLs, too, if the provider takes only the image."""
    for name in tuple(given):
        if name == "image_prompt" or _is_image(model, name):
            from flux_cli.request import inputs

            given[name] = inputs.attach(given[name])
            if fetch and _takes_bytes(dialect, name) and is_address(given[name]):
                given[name] = fetch(str(given[name]))


def is_address(value: Value) -> bool:
    """Whether an image is given as an http or https URL."""
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def dialect_of(row: ProviderRow, model: Model | None) -> Dialect | None:
    """How this provider takes the parameters; None if each is sent under its own name.

    Raises UsageError if flux does not know how to use the model at this provider.
    """
    if row.protocol == "openai":
        return _server(row) if row.server else None
    if model is None:
        return None
    if row.protocol not in model.dialects:
        others = ", ".join(model.dialects) or "lumenfall"
        raise UsageError(
            f"flux does not support {model.id} at {row.name}", hint=f"supported providers: {others}"
        )
    return model.dialects[row.protocol]


def _server(row: ProviderRow) -> Dialect:
    servers = read_servers()
    if row.server not in servers:
        hint = did_you_mean(row.server, servers) or f"known: {', '.join(servers)}"
        raise ConfigError(
            f"provider {row.name} names an unknown kind of server {row.server!r}", hint=hint
        )
    return servers[row.server]


def posts(prepared: Prepared) -> list[Post]:
    """The HTTP requests that would be sent, one per call, without a key."""
    provider = connect(prepared.settings.provider, prepared.settings.base_url, None)
    return [provider.request(call) for call in prepared.plan.calls]


def request_line(prepared: Prepared, post: Post) -> str:
    """A line for people that says where a request goes. A sketch is not sent."""
    return (
        f"POST {post.url}"
        if prepared.settings.provider.hosted
        else "sketch offline, nothing is sent:"
    )


def provider_of(prepared: Prepared, auth: Auth | None) -> Provider:
    """The provider of a prepared command line, with or without a key."""
    return connect(prepared.settings.provider, prepared.settings.base_url, auth)


def lookup(name: str | None) -> Model:
    """The catalog's model of that name (None: the default model). Raises UsageError if there is none."""
    model_name = load_settings({"model": name}, ROWS).model
    found = find_model(model_name, folders.model_folders())
    if found.model is None:
        raise UsageError(
            f"model {model_name!r} is not in the catalog", hint=found.hint or "see: flux models"
        )
    return found.model


def _takes_bytes(dialect: Dialect | None, name: str) -> bool:
    return bool(dialect and name in dialect.fields and dialect.fields[name].spelling == "base64")


def _is_image(model: Model | None, name: str) -> bool:
    return bool(model and name in model.parameters and model.parameters[name].kind == "image")


def _with_hint(note: Note, hint: str) -> Note:
    return note._replace(reason=f"{note.reason}; {hint}") if note.parameter == "model" else note
