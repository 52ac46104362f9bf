"""Applies presets: what `[presets.NAME]` of a settings file says where nothing was typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flux_cli.config.presets import preset_tables
from flux_cli.config.project import check_output
from flux_cli.core.errors import ConfigError, ManifestError, UsageError, did_you_mean
from flux_cli.core.lite import json_text
from flux_cli.core.options import Preset
from flux_cli.core.ratio import parse_side
from flux_cli.images.destination import read_destination
from flux_cli.request.command_line import named_parameters
from flux_cli.request.styles import keys
from flux_cli.request.styles.tables import read_table
from flux_cli.request.styles.values import as_option

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from flux_cli.config.presets import PresetTable
    from flux_cli.core.model import Json, Model
    from flux_cli.core.options import GenerateOptions

SETTINGS = ("model", "output")  # keys that are settings: a project's ones have limits
# Keys that are no options of `generate`.
ONLY_BUILD = ("prompt", "alt", "candidates", "frozen", "image", "mask")
# What a typed option overrides besides the key of its name: what would contradict it.
OVERRIDES = {
    "size": ("aspect_ratio", "resolution"),
    "aspect_ratio": ("size",),
    "resolution": ("size",),
    "fit": ("focus", "pad_color"),
    "lossless": ("output_compression",),
    "output_compression": ("lossless",),
    "no_metadata": ("no_prompt_metadata",),
    "no_prompt_metadata": ("no_metadata",),
    "image_prompt": ("image_prompt_strength",),
}


def read_presets() -> dict[str, tuple[PresetTable, dict[str, Any]]]:
    """All presets by name, with their checked values. Raises ConfigError."""
    tables = preset_tables()
    return {name: (table, _values(name, table)) for name, table in tables.items()}


def apply(options: GenerateOptions) -> GenerateOptions:
    """The options with the values of their preset where nothing was typed.

    Raises ConfigError for a preset that is wrong, and UsageError if there is none of that name.
    """
    name, tables = options.input.preset or "", preset_tables()
    if name not in tables:
        hint = did_you_mean(name, tables) or f"add a table [presets.{name or 'hero'}] to flux.toml"
        if tables and not name:
            hint = f"presets: {', '.join(tables)}"
        raise UsageError(f"there is no preset {name!r}", hint=hint)
    values = _values(name, tables[name])
    covered = _covered(options, values)
    ignored = {key: values.pop(key) for key in ONLY_BUILD if key in values}
    param = values.pop("param", {}).items()
    named = {key: value for key, value in param if key not in covered}
    taken = {key: value for key, value in values.items() if key not in covered}
    settings = {key: as_option(taken[key]) for key in SETTINGS if key in taken}
    applied = Preset(
        name=name,
        is_project=tables[name].is_project,
        prefix=taken.get("prompt_prefix", ""),
        suffix=taken.get("prompt_suffix", ""),
        settings=settings,
        taken={**taken, **named},
        ignored=ignored,
    )
    return _fill(options, taken, named)._replace(applied=applied)


def _values(name: str, found: PresetTable) -> dict[str, Any]:
    """The checked values of a preset, by key. Raises ConfigError."""
    place = f"{found.path}: presets.{name}"
    try:
        values = read_table(found.table, keys.STYLE_KEYS, place)
    except ManifestError as error:
        raise ConfigError(error.message, hint=error.hint) from error
    if "param" in values:
        param = values["param"].items()
        values["param"] = {key.replace("-", "_"): value for key, value in param}
    if found.is_project:
        _check_project(values, place)
    return values


def _check_project(values: Mapping[str, Any], place: str) -> None:
    """Raise ConfigError for what would read files or URLs, or write outside of the project.

    The file comes with a folder that somebody else may have written.
    """
    for name, value in {**values, **values.get("param", {})}.items():
        is_parameter = name == "image_prompt" or name in values.get("param", {})
        if is_parameter and names_source(name, value):
            raise refuse_source(place, name)
    if "output" in values:
        check_output(place, values["output"])


def check_images(preset: Preset, model: Model | None) -> None:
    """Raise ConfigError if a project's preset names an image, which would be read and sent."""
    known = model.parameters if model else {}
    for name in preset.taken:
        if name in known and known[name].kind == "image":
            raise refuse_source(f"preset {preset.name}", name)


def names_source(name: str, value: object) -> bool:
    """Whether a parameter of a preset may name a file or a URL."""
    is_file = isinstance(value, str) and value.startswith("@") and not value.startswith("@@")
    return name == "image_prompt" or is_file or "://" in json_text(value)


def refuse_source(place: str, name: str) -> ConfigError:
    """The error for a parameter of a project's preset that names a file or a URL."""
    hint = "give it as an option, or put the preset into your config.toml"
    message = f"{place}: {name} cannot name a file or a URL in a project's flux.toml"
    return ConfigError(message, hint=hint)


def _covered(options: GenerateOptions, values: Mapping[str, Any]) -> set[str]:
    """The keys of a preset that the typed options override."""
    typed = _typed(options)
    covered = {*typed}
    for name in typed:
        covered.update(OVERRIDES.get(name, ()))
    if "fit" in typed and options.finish.fit == values.get("fit"):
        covered = covered.difference(OVERRIDES["fit"]) | typed
    covered = _without_sides(covered, typed, options.parameters.size, values.get("size"))
    has_size = "size" in typed or ("size" in values and "size" not in covered)
    if not (has_size or options.input.like):  # nothing to fit to
        covered.update(("fit", *OVERRIDES["fit"]))
    output = options.settings.output
    if output and read_destination(output, ()).suffixes:
        covered.add("output_format")
    return covered


def _without_sides(
    covered: set[str], typed: set[str], size: str | None, own: Json | None
) -> set[str]:
    """What is covered if a size with one side, which is about the files, leaves the shape alone."""
    if size and parse_side(size):
        shape = {"aspect_ratio", "resolution"} - typed
        return (covered - shape) | {"fit", *OVERRIDES["fit"]}
    is_own_side = isinstance(own, str) and parse_side(own)
    return covered - {"size"} if is_own_side and "size" not in typed else covered


def _typed(options: GenerateOptions) -> set[str]:
    """The names of all options and parameters that were typed."""
    groups = (
        options.parameters,
        options.settings,
        options.access,
        options.output,
        options.finish,
        options.metadata,
    )
    names = set(named_parameters(options.parameters))
    for group in groups:
        defaults = group._field_defaults
        given = group._asdict().items()
        names.update(name for name, value in given if value not in (defaults[name], []))
    return names | ({"seed"} if options.input.no_seed else set())


def _fill(
    options: GenerateOptions, taken: Mapping[str, Any], named: Mapping[str, Any]
) -> GenerateOptions:
    """The options with values of a preset, as if they had been typed."""
    pairs = [_pair(name, value) for name, value in named.items()]
    if pairs:
        typed = options.parameters.param or []
        parameters = options.parameters._replace(param=[*typed, *pairs])
        options = options._replace(parameters=parameters)
    return options._replace(
        parameters=_with(options.parameters, taken),
        access=_with(options.access, taken),
        output=_with(options.output, taken),
        finish=_with(options.finish, taken),
        metadata=_with(options.metadata, taken),
    )


def _with(group: Any, taken: Mapping[str, Any]) -> Any:  # noqa: ANN401 - any group of options
    """A group of options with the values of a preset."""
    fields = {}
    for name, annotation in group.__annotations__.items():
        if name in taken:
            value = as_option(taken[name])
            is_single = annotation.startswith("list") and not isinstance(value, list)
            fields[name] = [value] if is_single else value
    return group._replace(**fields)


def _pair(name: str, value: object) -> str:
    """A parameter as KEY=VALUE. As JSON, text stays text; `@FILE` names a file."""
    is_file = isinstance(value, str) and value.startswith("@")
    return f"{name}={value}" if is_file else f"{name}={json_text(value)}"
