"""The options of a command as typed, grouped by subject. None or empty means not given.

Both Typer and the front door (`main.py`) fill these groups. A field of `Parameters` is a parameter
that is sent to the provider, and a field of `Settings` overrides the setting of that name in
`config/settings.py`: nothing has to be listed a second time to take effect. Names and help texts of
options are in `cli/spellings/`.
"""

from __future__ import annotations

from flux_cli.core.lite import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, TypeVar

    from flux_cli.core.model import Json

    Group = TypeVar("Group")


class Input(NamedTuple):
    """What to generate: a prompt, as words as typed, or an image whose record is reused.

    `prompts` names a file of them, and `var` holds NAME=VALUES pairs for their fields. `image` are
    images as input, in the order in which the prompt means them, and `mask` is the mask of the
    first. `no_seed`: no seed is sent, unless the server needs one. `preset` names a preset of a
    settings file.
    """

    prompt: list[str] | None = None
    prompts: str | None = None
    var: list[str] | None = None
    like: str | None = None
    image: list[str] | None = None
    mask: str | None = None
    no_seed: bool = False
    preset: str | None = None


class Parameters(NamedTuple):
    """The parameters of a model, under the gateway's names.

    All are sent; `param` holds more KEY=VALUE pairs.
    """

    size: str | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    n: str | None = None
    seed: list[str] | None = None
    raw: bool | None = None
    enhance_prompt: bool | None = None
    image_prompt: str | None = None
    image_prompt_strength: str | None = None
    safety_tolerance: str | None = None
    background: str | None = None
    response_format: str | None = None
    sync_mode: bool | None = None
    output_compression: str | None = None
    param: list[str] | None = None


class Settings(NamedTuple):
    """Options that override settings for one command. Each has the name of its setting.

    Several models are requests of one run; each of these requests is prepared with one.
    """

    model: list[str] | None = None
    provider: str | None = None
    base_url: str | None = None
    output: str | None = None
    concurrency: str | None = None
    timeout: str | None = None
    retries: str | None = None
    max_cost: str | None = None
    progress: str | None = None


class Access(NamedTuple):
    """How to reach the model: through which upstream, with or without a key, or offline."""

    route: str | None = None
    offline: bool = False
    no_key: bool = False
    no_badge: bool = False


class Output(NamedTuple):
    """The formats of files, and what happens to existing files."""

    output_format: list[str] | None = None
    overwrite: bool = False
    skip_existing: bool = False


class Finish(NamedTuple):
    """How an image becomes files."""

    fit: str | None = None
    focus: str | None = None
    pad_color: str | None = None
    upscale: bool = False
    width: list[str] | None = None
    max_bytes: str | None = None
    lossless: bool = False
    effort: str | None = None
    keep_original: bool = False
    html: bool = False


class Metadata(NamedTuple):
    """What is written into the files and beside them about how they were made."""

    no_metadata: bool = False
    no_prompt_metadata: bool = False
    sidecar: bool = False


class Run(NamedTuple):
    """How a run is carried out, what it replaces, and how its images are shown."""

    update: bool = False
    dry_run: bool = False
    estimate: bool = False
    yes: bool = False
    log_file: str | None = None
    preview: bool | None = None
    sheet: bool = False
    sheet_output: str | None = None


class Reporting(NamedTuple):
    """What a command prints, and in which form."""

    as_json: bool = False
    quiet: bool = False
    verbose: bool = False


class Program(NamedTuple):
    """What a program gives in place of options. None of it can be typed.

    `text` is the prompt, which is sent as it is, and `values` are parameters with their values.
    `is_served`: they come from a client of a server, which must not make flux read files or URLs.
    """

    text: str | None = None
    values: Mapping[str, Json] | None = None
    is_served: bool = False


class Preset(NamedTuple):
    """What a preset gave where nothing was typed. None of it can be typed.

    `taken` are its values by key. They are in the other groups, too, but for the texts around
    prompts, and `settings`, which rank below options. `ignored` are the keys that only builds use.
    `is_project`: it is from a flux.toml, perhaps a stranger's.
    """

    name: str = ""
    is_project: bool = False
    prefix: str = ""
    suffix: str = ""
    settings: Mapping[str, str] = {}
    taken: Mapping[str, Json] = {}
    ignored: Mapping[str, Json] = {}


NOT_TYPED = (Program, Preset)  # groups that are no options


class GenerateOptions(NamedTuple):
    """All options of `flux generate` and `flux resolve`, and what programs and presets give."""

    input: Input = Input()
    parameters: Parameters = Parameters()
    settings: Settings = Settings()
    access: Access = Access()
    output: Output = Output()
    finish: Finish = Finish()
    metadata: Metadata = Metadata()
    run: Run = Run()
    reporting: Reporting = Reporting()
    program: Program = Program()
    applied: Preset = Preset()


def fill(kind: type[Group], values: Mapping[str, Any]) -> Group:
    """A group of options, filled from flat values by field name, including the groups inside it.

    Other values are ignored, and a field without a value keeps its default.
    """
    defaults: dict[str, Any] = kind._field_defaults  # type: ignore[attr-defined] # of any NamedTuple
    filled = {}
    for field, default in defaults.items():
        if isinstance(default, NOT_TYPED):
            continue
        if hasattr(default, "_field_defaults"):
            filled[field] = fill(type(default), values)
        elif field in values:
            filled[field] = values[field]
    return kind(**filled)


def fields_of(kind: type) -> dict[str, Any]:
    """The fields of a group of options with their defaults, and those of the groups inside it.

    What only programs and presets give is no option.
    """
    flat: dict[str, Any] = {}
    for field, default in kind._field_defaults.items():  # type: ignore[attr-defined] # of any NamedTuple
        if isinstance(default, NOT_TYPED):
            continue
        if hasattr(default, "_field_defaults"):
            flat |= fields_of(type(default))
        else:
            flat[field] = default
    return flat
