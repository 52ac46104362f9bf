"""Flags and help of the options in `core/options.py`, and a decorator that hands them to a command as one value.

Values stay text here; `request` checks them against the catalog.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, NamedTuple, TypeVar, get_type_hints

import typer

from flux_cli.core.options import fields_of, fill
from flux_cli.images.formats import EFFORTS, FORMATS
from flux_cli.images.outputs import FITS, FOCUSES

Result = TypeVar("Result")
FORMAT_NAMES = ", ".join(FORMATS)


class Spelling(NamedTuple):
    """One option on the command line: its flags, the placeholder of its value ("" for a switch), its help."""

    flags: str
    metavar: str
    help: str


# The panels of `--help` and the options in each, in the order in which help shows them.
PANELS: dict[str, dict[str, Spelling]] = {
    "Shape": {
        "size": Spelling(
            "--size -s", "WxH|W:H", "Pixels (1920x1080) or a ratio (16:9); overrides the next two"
        ),
        "aspect_ratio": Spelling(
            "--aspect-ratio -a", "W:H", "Ratio only; the model's closest ratio is used"
        ),
        "resolution": Spelling(
            "--resolution -r",
            "TIER",
            "Scale only: 0.5K, 1K, 2K, 4K or megapixels; the closest tier is used",
        ),
    },
    "Model": {
        "model": Spelling(
            "--model -m", "NAME", "Model [default: flux1.1-pro-ultra; env: FLUX_MODEL]"
        ),
        "route": Spelling("--route", "NAME", "Force one upstream of the gateway: fal or replicate"),
    },
    "Parameters": {
        "n": Spelling("-n --n", "COUNT", "Number of images, generated in parallel [default: 1]"),
        "seed": Spelling(
            "--seed",
            "INTEGER",
            "Seed for reproducible images; further images use seed + 1, seed + 2, …",
        ),
        "raw": Spelling("--raw/--no-raw", "", "Less processed, more natural-looking images"),
        "enhance_prompt": Spelling(
            "--enhance-prompt/--no-enhance-prompt", "", "Let the provider enhance the prompt (fal)"
        ),
        "image_prompt": Spelling(
            "--image-prompt",
            "FILE|URL",
            "Image that guides the composition: jpeg, png, gif or webp (replicate)",
        ),
        "image_prompt_strength": Spelling(
            "--image-prompt-strength", "0..1", "How strongly the image prompt guides the result"
        ),
        "safety_tolerance": Spelling(
            "--safety-tolerance", "1..6", "Moderation level; 1 is the strictest"
        ),
        "response_format": Spelling(
            "--response-format",
            "url|b64_json",
            "How the provider returns the image; files are the same [default: url]",
        ),
        "sync_mode": Spelling(
            "--sync-mode/--no-sync-mode",
            "",
            "Return a data URI and keep the image out of the request history (fal)",
        ),
        "like": Spelling(
            "--like",
            "FILE",
            "Reuse prompt, model, seed, size and parameters of an image; other options override them",
        ),
        "param": Spelling(
            "--param -p",
            "KEY=VALUE",
            "Any other parameter, passed through; parsed as JSON where possible; repeatable",
        ),
    },
    "Output": {
        "output": Spelling(
            "--output -o",
            "PATH",
            "File (its suffix selects the format), folder/, template, or - for stdout [env: FLUX_OUTPUT]",
        ),
        "output_format": Spelling(
            "--output-format --format -f",
            "FORMAT",
            f"{FORMAT_NAMES}; repeatable [default: as received; env: FLUX_OUTPUT_FORMAT]",
        ),
        "output_compression": Spelling(
            "--output-compression --quality -q",
            "0..100",
            "Quality of lossy files; the same number looks alike in every format [default: 85]",
        ),
        "overwrite": Spelling("--overwrite", "", "Replace existing files"),
        "skip_existing": Spelling(
            "--skip-existing", "", "Keep existing files and make only the missing ones"
        ),
        "as_json": Spelling("--json", "", "Print one JSON document"),
        "preview": Spelling(
            "--preview/--no-preview",
            "",
            "Show images in the terminal [default: if it is interactive and can show them; env: FLUX_PREVIEW]",
        ),
        "sheet": Spelling("--sheet", "", "Also save a contact sheet of all images: NAME-sheet"),
        "sheet_output": Spelling(
            "--sheet-output", "PATH", "Save the contact sheet under this name"
        ),
        "plain": Spelling("--plain", "", "Print only sizes, such as 1365x768"),
        "curl": Spelling("--curl", "", "Print the request as a curl command"),
    },
    "Run": {
        "concurrency": Spelling(
            "--concurrency",
            "COUNT",
            "Requests in flight at once [default: 16; env: FLUX_CONCURRENCY]",
        ),
        "timeout": Spelling(
            "--timeout", "SECONDS", "Longest wait for one image [default: 300; env: FLUX_TIMEOUT]"
        ),
        "retries": Spelling(
            "--retries",
            "COUNT",
            "Retries of requests that certainly had no effect [default: 3; env: FLUX_RETRIES]",
        ),
        "dry_run": Spelling(
            "--dry-run", "", "Show requests, file names and cost; generate nothing"
        ),
        "max_cost": Spelling(
            "--max-cost", "USD", "Refuse to start a run that would cost more [env: FLUX_MAX_COST]"
        ),
        "yes": Spelling("--yes -y", "", "With --max-cost: proceed even if the price is unknown"),
        "quiet": Spelling("--quiet", "", "Print nothing but results and errors"),
        "verbose": Spelling(
            "--verbose -v", "", "Show each step, request ids and the causes of errors"
        ),
        "progress": Spelling(
            "--progress",
            "auto|plain|none",
            "How progress is shown; plain prints lines, as in a log [default: auto; env: FLUX_PROGRESS]",
        ),
        "log_file": Spelling(
            "--log-file", "PATH", "Append every step to a file, one JSON object per line"
        ),
    },
    "Provider": {
        "provider": Spelling(
            "--provider",
            "NAME",
            "Provider: lumenfall, bfl, fal, replicate, openai, … see flux providers [env: FLUX_PROVIDER]",
        ),
        "base_url": Spelling(
            "--base-url",
            "URL",
            "Base URL of an OpenAI-compatible server, including /v1 [env: FLUX_BASE_URL]",
        ),
        "no_key": Spelling("--no-key", "", "Send no API key, for servers that need none"),
        "offline": Spelling(
            "--offline",
            "",
            "Draw a local sketch instead: free, needs no key, not made by the model",
        ),
        "no_badge": Spelling("--no-badge", "", "Leave the badge out of an offline sketch"),
    },
    "Finish": {
        "fit": Spelling(
            "--fit",
            "|".join(FITS),
            "Make files of exactly --size: cover crops, contain stays inside, exact distorts",
        ),
        "focus": Spelling(
            "--focus", "PLACE", f"What --fit cover keeps: {', '.join(FOCUSES)} [default: center]"
        ),
        "upscale": Spelling("--upscale", "", "Allow files larger than the image"),
        "width": Spelling(
            "--width", "PIXELS", "Write a variant of this width: NAME-WIDTH.EXT; repeatable"
        ),
        "max_bytes": Spelling(
            "--max-bytes",
            "SIZE",
            "Reduce quality until the file fits SIZE, such as 200kB, 1.5MB, 2MiB",
        ),
        "lossless": Spelling("--lossless", "", "Keep every pixel unchanged: png or webp"),
        "effort": Spelling(
            "--effort", "|".join(EFFORTS), "Time spent on reducing file size [default: balanced]"
        ),
        "keep_original": Spelling(
            "--keep-original", "", "Also save the image as received: NAME-original.EXT"
        ),
        "html": Spelling("--html", "", "Print a <picture> element instead of the paths"),
        "alt": Spelling("--alt", "TEXT", "Alternative text for --html"),
    },
    "Metadata": {
        "no_metadata": Spelling(
            "--no-metadata",
            "",
            "Write no metadata; the received bytes stay unchanged [env: FLUX_METADATA=none]",
        ),
        "no_prompt_metadata": Spelling(
            "--no-prompt-metadata",
            "",
            "Write metadata without the prompt [env: FLUX_METADATA=no-prompt]",
        ),
        "sidecar": Spelling(
            "--sidecar", "", "Write the metadata into a .json file beside the image"
        ),
    },
}
PANEL_OF = {field: panel for panel, options in PANELS.items() for field in options}
ORDER = list(PANEL_OF)  # of options in help and usage
ARGUMENTS = {
    "prompt": ("PROMPT", "The prompt, quoted; - reads standard input, @FILE reads a file"),
    "files": ("FILE…", "Image files; - reads one from standard input"),
}
# Options of `flux convert` that differ from those of `flux generate`.
CONVERT = {
    "size": Spelling("--size -s", "WxH|W:H", "Pixels, or a ratio, for --fit"),
    "output": Spelling(
        "--output -o",
        "PATH",
        "File, folder/, template ('{name}-small.{avif,webp}'), or - for stdout [default: beside FILE]",
    ),
    "output_format": Spelling(
        "--output-format --format -f",
        "FORMAT",
        f"{FORMAT_NAMES}; repeatable [default: format of FILE]",
    ),
    "verbose": Spelling("--verbose -v", "", "Show the causes of errors"),
}


def argument(field: str) -> Any:  # noqa: ANN401 - what Typer takes in annotations
    """The Typer argument of a field of `core/options.py`."""
    metavar, text = ARGUMENTS[field]
    return typer.Argument(metavar=metavar, show_default=False, help=text)


def option(field: str, special: Mapping[str, Spelling] | None = None) -> Any:  # noqa: ANN401 - as above
    """The Typer option of a field, in its panel. `special` overrides the spelling for one command."""
    panel = PANEL_OF[field]
    spelling = (special or {}).get(field) or PANELS[panel][field]
    return typer.Option(
        *spelling.flags.split(),
        metavar=spelling.metavar or None,
        rich_help_panel=panel,
        show_default=False,
        help=spelling.help,
    )


AsJson = Annotated[bool, option("as_json")]
ModelName = Annotated[str | None, option("model")]
Verbose = Annotated[bool, option("verbose", CONVERT)]


def takes_options(
    special: Mapping[str, Spelling] | None = None,
) -> Callable[[Callable[..., Result]], Callable[..., Result]]:
    """Let a command declare `options: GenerateOptions`, although Typer passes each option separately.

    Typer reads signatures. `spell_out` makes the signature it needs, and only for the command that is run, because
    that takes longer than a lookup.
    """

    def decorate(command: Callable[..., Result]) -> Callable[..., Result]:
        hints = get_type_hints(command, include_extras=True)
        kind = hints["options"]
        own = [
            parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
            for name, parameter in inspect.signature(command).parameters.items()
            if name != "options"
        ]

        def run(**values: object) -> Result:
            own_values = {parameter.name: values[parameter.name] for parameter in own}
            return command(options=fill(kind, values), **own_values)

        run.__doc__, run.__name__ = command.__doc__, command.__name__
        run.options = kind  # type: ignore[attr-defined] # functions take attributes
        run.own = tuple(parameter.name for parameter in own)  # type: ignore[attr-defined]
        run.parameters = lambda: [*_parameters(kind, special or {}), *own]  # type: ignore[attr-defined]
        return run

    return decorate


def spell_out(command: Callable[..., Result]) -> Callable[..., Result]:
    """Give the command a signature with every option, for Typer to read, and return it.

    Raises KeyError or ValueError for a field of its options that is in no panel: every option must be explained.
    """
    if hasattr(command, "parameters"):
        parameters = command.parameters()
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _parameters(kind: type, special: Mapping[str, Spelling]) -> list[inspect.Parameter]:
    """One parameter for every field of an options type: arguments first, then options in the order of the help."""
    defaults, hints = fields_of(kind), _hints(kind)
    arguments = [field for field in defaults if field in ARGUMENTS]
    options = sorted(defaults.keys() - arguments, key=ORDER.index)
    return [
        inspect.Parameter(
            field,
            inspect.Parameter.KEYWORD_ONLY,
            default=defaults[field],
            annotation=Annotated[
                hints[field], argument(field) if field in ARGUMENTS else option(field, special)
            ],
        )
        for field in (*arguments, *options)
    ]


@cache
def _hints(kind: type) -> dict[str, Any]:
    """The types of the fields of an options type, including those of nested options types."""
    found: dict[str, Any] = {}
    for field, hint in get_type_hints(kind).items():
        found |= _hints(hint) if hasattr(hint, "_field_defaults") else {field: hint}
    return found
