"""Turns options into what will be sent: settings, model, request, calls, and destination."""

from __future__ import annotations

import os

from flux_cli.catalog.find import explain_schema, find_model, similar_model
from flux_cli.config import folders
from flux_cli.config.load import Settings, load_settings
from flux_cli.core.errors import UsageError
from flux_cli.core.lite import NamedTuple
from flux_cli.core.request import Request
from flux_cli.images.destination import Destination, read_destination
from flux_cli.images.finish import check_pad_color, read_finish
from flux_cli.images.formats import TRANSPARENT, check_transparent
from flux_cli.providers.rows import ROWS, check_model, dialect_of, unit_price
from flux_cli.request.command_line import (
    named_parameters,
    offline_flags,
    read_parameters,
    read_words,
    take_side,
)
from flux_cli.request.plan import choose_seed, plan
from flux_cli.request.resolve import resolve

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from flux_cli.core.model import Dialect, Json, Model
    from flux_cli.core.options import GenerateOptions, Input, Preset
    from flux_cli.core.request import Note, Plan, Resolved, Value
    from flux_cli.images.finish import Finish
    from flux_cli.request.files.like import Reuse

    Fetch = Callable[[str], bytes]


class Prepared(NamedTuple):
    """One command line, fully resolved. Nothing has been sent."""

    settings: Settings
    resolved: Resolved
    plan: Plan
    destination: Destination
    finish: Finish


def prepare(
    options: GenerateOptions,
    prompt: str | None,
    fetch: Fetch | None = None,
    draw: Callable[[], int] | None = None,
) -> Prepared:
    """Merge options with settings, read the files they name, resolve and plan.

    `fetch` downloads an image from its URL, for providers that take only the image itself. `draw`
    draws a seed if none was given. Without them (when nothing may be sent), the URL stays in place
    of the image, and the seed open. Raises UsageError and ConfigError.
    """
    typed = read_parameters(options)
    side = take_side(typed, options.parameters)
    reuse = _read_like(options, typed)
    settings = load_settings(_overrides(options, reuse), ROWS, preset=options.applied)
    model = find_model(settings.model, folders.model_folders())
    _check_preset(options.applied, model)
    dialect = dialect_of(settings.provider, model)
    reuse = reuse.supported(model, dialect) if reuse else None
    given = {**reuse.parameters, **typed} if reuse else typed
    formats = _typed_formats(options, given)
    destination = _read_destination(settings, formats)
    given = _with_format(given, destination, formats)
    request = read_words(_make_request(options, settings, given, destination, prompt), model)
    asked = reuse.add_images(options.input) if reuse else options.input
    request = _with_images(request, asked, settings, model, dialect, fetch)
    resolved = _resolve(request, model, dialect, reuse, options.input.like)
    resolved = _at_provider(resolved, settings, model, dialect)
    finish = _read_finish(options, resolved, destination, side)
    resolved = _with_origins(_with_finish(resolved, finish), options.applied)
    origin, seed = choose_seed(resolved, settings.provider, options.input, draw)
    return Prepared(settings, resolved, plan(resolved, origin, seed), destination, finish)


def _make_request(
    options: GenerateOptions,
    settings: Settings,
    given: dict[str, Value],
    destination: Destination,
    prompt: str | None,
) -> Request:
    if options.access.no_badge and not settings.provider.hosted:
        given["badge"] = False
    is_format_by_suffix = destination.suffixes and not options.output.output_format
    return Request(
        model=settings.model,
        parameters=given,
        prompt=prompt,
        route=options.access.route,
        output=settings.output if is_format_by_suffix else None,
        named=named_parameters(options.parameters),
        is_served=options.program.is_served,
    )


def draw_seed() -> int:
    """A random seed: the first of a run."""
    from flux_cli.request.seeds import as_first_seed

    return as_first_seed(int.from_bytes(os.urandom(8)))


def _resolve(
    request: Request,
    model: Model | None,
    dialect: Dialect | None,
    reuse: Reuse | None,
    like: str | None,
) -> Resolved:
    """Resolve the request, with the prompt of the image of `--like` unless the user gave one.

    The notes also say which values come from that image, and which model name is similar.
    """
    typed_prompt = request.prompt
    if reuse:
        request = request._replace(reused=tuple(reuse.parameters))
    if reuse and typed_prompt is None:
        request = request._replace(prompt=reuse.prompt)
    resolved = resolve(request, model, dialect)
    if reuse:
        from flux_cli.request.files.like import explain_reuse

        noted = explain_reuse(reuse, like or "", resolved.notes, resolved.request, typed_prompt)
        resolved = resolved._replace(notes=noted)
    hint = "" if model else similar_model(request.model, folders.model_folders())
    if hint:
        notes = tuple(_with_hint(note, hint) for note in resolved.notes)
        resolved = resolved._replace(notes=notes)
    return resolved


def _at_provider(
    resolved: Resolved, settings: Settings, model: Model | None, dialect: Dialect | None
) -> Resolved:
    """The request with the provider's price, the notes of the settings, and those on a sketch.

    For a model that the catalog lacks, also with what the gateway has said about it.

    Raises UsageError for what cannot be the name of a model there.
    """
    row, notes = settings.provider, resolved.notes
    check_model(row, resolved.sent_model)
    if not row.hosted:
        from flux_cli.request.sketch import explain_ignored

        notes = explain_ignored(notes)
    request = resolved.request
    price = unit_price(row, model, dialect, resolved.route, resolved.size, request)
    resolved = resolved._replace(unit_price_usd=price, notes=(*settings.notes, *notes))
    if model or not row.hosted:
        return resolved
    path = folders.saved_schema(settings.base_url, resolved.model_id)
    return explain_schema(resolved, path, settings.base_url)


def _read_like(options: GenerateOptions, given: dict[str, Value]) -> Reuse | None:
    """The values from the image of `--like`; None without the option."""
    if not options.input.like:
        return None
    from flux_cli.request.files.like import read_reuse

    return read_reuse(options, given)


def _check_preset(preset: Preset, model: Model | None) -> None:
    if preset.is_project:
        from flux_cli.request.styles.presets import check_images

        check_images(preset, model)


def _with_origins(resolved: Resolved, preset: Preset) -> Resolved:
    """The request with notes on what its preset gave."""
    if not preset.name:
        return resolved
    from flux_cli.request.styles.origins import explain_preset

    return resolved._replace(notes=explain_preset(preset, resolved.notes))


def _overrides(options: GenerateOptions, reuse: Reuse | None) -> dict[str, Json]:
    """The settings that options override."""
    flags: dict[str, Json] = options.settings._asdict()
    flags["model"] = options.settings.model[0] if options.settings.model else None
    if reuse and "model" not in options.applied.settings:
        flags["model"] = flags["model"] or reuse.model
    return offline_flags(flags) if options.access.offline else flags


def _typed_formats(options: GenerateOptions, given: dict[str, Value]) -> list[str]:
    """The formats of -f, or the one of `-p output_format`. Raises UsageError for both together."""
    by_option = options.output.output_format or []
    by_parameter = given.get("output_format")
    if by_parameter is None:
        return by_option
    if by_option:
        hint = "give it once, as an option or with -p"
        raise UsageError("output_format is given twice", hint=hint)
    return [str(by_parameter)]


def _read_destination(settings: Settings, formats: list[str]) -> Destination:
    """Where the files go. The suffix of a file overrides the default format of the settings."""
    output = settings.output
    is_folder = _is_folder(output)
    destination = read_destination(output, formats, is_folder=is_folder)
    if destination.suffixes or destination.formats or not settings.output_format:
        return destination
    return read_destination(output, [settings.output_format], is_folder=is_folder)


def _with_format(
    given: dict[str, Value], destination: Destination, formats: list[str]
) -> dict[str, Value]:
    """The parameters with the format to request from the provider. flux makes several itself."""
    parameters = {name: value for name, value in given.items() if name != "output_format"}
    is_chosen_by_suffix = destination.suffixes and not formats
    if len(destination.formats) == 1 and not is_chosen_by_suffix:
        parameters["output_format"] = destination.formats[0]
    return parameters


def _is_folder(output: str | None) -> bool:
    if not output or output == "-":
        return False
    from flux_cli.images import files

    return files.is_folder(output)


def _read_finish(
    options: GenerateOptions, resolved: Resolved, destination: Destination, side: str | None
) -> Finish:
    """What flux does with the images. `--fit` needs the size as it was typed."""
    formats = destination.formats
    if not formats and resolved.format:
        formats = (resolved.format,)
    size = resolved.request.parameters.get("size")
    target = str(size) if options.finish.fit and size is not None else None
    finish = read_finish(options.finish, side or target, formats, resolved.quality)
    if not formats:
        check_pad_color(finish, "jpeg")  # which most providers send
    if resolved.request.parameters.get("background") == TRANSPARENT:
        for name in finish.formats:
            check_transparent(name)
    if destination.is_as_received and finish.remakes:
        suffix = next(iter(destination.suffixes.values()))
        message = f"flux cannot make .{suffix} files: they are saved as received"
        raise UsageError(message, hint="drop the options that change images, or name a png file")
    return finish


def _with_finish(resolved: Resolved, finish: Finish) -> Resolved:
    """The request with the formats that flux makes, and notes on how it does. Raises UsageError."""
    if not finish.remakes:
        return resolved
    from flux_cli.request.files.finishing import explain, explain_side

    size = resolved.size
    notes = explain(finish, *size.expected) if size else explain_side(finish)
    return resolved._replace(made=finish.formats, notes=(*resolved.notes, *notes))


def _with_images(
    request: Request,
    given: Input,
    settings: Settings,
    model: Model | None,
    dialect: Dialect | None,
    fetch: Fetch | None,
) -> Request:
    """The request with all images that it names."""
    names = [name for name in request.parameters if _is_image(model, name)]
    if not names and not given.image and not given.mask:
        return request
    from flux_cli.request.references.attaching import attach_all  # most requests name none

    return attach_all(request, names, given, settings, model, dialect, fetch)


def _is_image(model: Model | None, name: str) -> bool:
    param = model.parameters.get(name) if model else None
    return name == "image_prompt" or bool(param and param.kind == "image")


def _with_hint(note: Note, hint: str) -> Note:
    if note.parameter != "model":
        return note
    return note._replace(reason=f"{note.reason}; {hint}")
