"""The options of a command, by subject: what was said, as it was said. None or empty means not said.

Typer fills these nouns, and so does the front door (`main.py`); neither is known here. A field of `Parameters` is a
parameter that goes to the provider, and a field of `Settings` is a setting of `config/settings.py`: nothing has to be
listed a second time to take effect. How an option is spelled and explained is in `cli/options.py`.
"""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar

    Noun = TypeVar("Noun")


class Input(NamedTuple):
    """What to generate: a prompt, as words of the command line, or an image whose record says it."""

    prompt: list[str] | None = None
    like: str | None = None


class Parameters(NamedTuple):
    """The parameters of a model, by the gateway's names. All of them are sent; `param` are further KEY=VALUE pairs."""

    size: str | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    n: str | None = None
    seed: str | None = None
    raw: bool | None = None
    enhance_prompt: bool | None = None
    image_prompt: str | None = None
    image_prompt_strength: str | None = None
    safety_tolerance: str | None = None
    response_format: str | None = None
    sync_mode: bool | None = None
    output_compression: str | None = None
    param: list[str] | None = None


class Settings(NamedTuple):
    """Options that stand in for settings: each has the name of the setting it overrides for one command."""

    model: str | None = None
    provider: str | None = None
    base_url: str | None = None
    output: str | None = None
    concurrency: str | None = None
    timeout: str | None = None
    retries: str | None = None
    max_cost: str | None = None
    progress: str | None = None


class Access(NamedTuple):
    """How the model is reached: through which upstream, with or without a key, or not at all."""

    route: str | None = None
    offline: bool = False
    no_key: bool = False
    no_badge: bool = False


class Output(NamedTuple):
    """Which files are written, whatever they are called."""

    output_format: list[str] | None = None
    overwrite: bool = False
    skip_existing: bool = False


class Finish(NamedTuple):
    """How an image becomes files."""

    fit: str | None = None
    focus: str | None = None
    upscale: bool = False
    width: list[str] | None = None
    max_bytes: str | None = None
    lossless: bool = False
    effort: str | None = None
    keep_original: bool = False
    html: bool = False


class Metadata(NamedTuple):
    """What is written into the files, and beside them."""

    no_metadata: bool = False
    no_prompt_metadata: bool = False
    sidecar: bool = False


class Viewing(NamedTuple):
    """How the images are looked at."""

    preview: bool | None = None
    sheet: bool = False
    sheet_output: str | None = None


class Run(NamedTuple):
    """How a run is carried out."""

    dry_run: bool = False
    yes: bool = False
    log_file: str | None = None


class Reporting(NamedTuple):
    """What a command says, and in which form."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False


class GenerateOptions(NamedTuple):
    """Everything that can be said to `flux generate` and `flux resolve`."""

    input: Input = Input()
    parameters: Parameters = Parameters()
    settings: Settings = Settings()
    access: Access = Access()
    output: Output = Output()
    finish: Finish = Finish()
    metadata: Metadata = Metadata()
    viewing: Viewing = Viewing()
    run: Run = Run()
    reporting: Reporting = Reporting()


class Conversion(NamedTuple):
    """What `flux convert` is to do with which files."""

    files: list[str] | None = None
    size: str | None = None
    output: str | None = None
    output_compression: str | None = None
    alt: str | None = None


class ConvertOptions(NamedTuple):
    """Everything that can be said to `flux convert`."""

    conversion: Conversion = Conversion()
    output: Output = Output()
    finish: Finish = Finish()
    reporting: Reporting = Reporting()


def fill(kind: type[Noun], values: Mapping[str, Any]) -> Noun:
    """A noun of options from flat values by the names of its fields; nouns inside of it are filled the same way.

    Values of other fields are left alone, and a field without a value keeps its default.
    """
    defaults: dict[str, Any] = kind._field_defaults  # type: ignore[attr-defined] # of any NamedTuple
    filled = {}
    for field, default in defaults.items():
        if hasattr(default, "_field_defaults"):
            filled[field] = fill(type(default), values)
        elif field in values:
            filled[field] = values[field]
    return kind(**filled)


def fields_of(kind: type) -> dict[str, Any]:
    """The fields of a noun of options with their defaults, flat: those of nouns inside of it in their place."""
    flat: dict[str, Any] = {}
    for field, default in kind._field_defaults.items():  # type: ignore[attr-defined] # of any NamedTuple
        if hasattr(default, "_field_defaults"):
            flat |= fields_of(type(default))
        else:
            flat[field] = default
    return flat
