"""Every option that commands share, declared once; and how a command takes them all as one value.

Values stay text here: what a parameter accepts is the catalog's business, for every spelling alike.
"""

import inspect
from collections.abc import Callable
from typing import Annotated, NamedTuple, TypeAlias, TypeVar, get_type_hints

import typer

from flux_cli.cli.provenance import Like

SHAPE, MODEL, PARAMETERS, OUTPUT, RUN, PROVIDER = "Shape", "Model", "Parameters", "Output", "Run", "Provider"

Flag: TypeAlias = bool | None

ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="NAME",
        rich_help_panel=MODEL,
        show_default=False,
        help="Model to ask [default: flux1.1-pro-ultra; env: FLUX_MODEL]",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", rich_help_panel=OUTPUT, help="Print one JSON document")]
Overwrite = Annotated[bool, typer.Option("--overwrite", rich_help_panel=OUTPUT, help="Replace existing files")]
Quiet = Annotated[bool, typer.Option("--quiet", rich_help_panel=RUN, help="Say nothing but errors")]


class Options(NamedTuple):
    """What was typed, as it was typed. None: not said."""

    prompt: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PROMPT",
            show_default=False,
            help="What to draw, quoted; - reads standard input, @FILE reads a file",
        ),
    ] = None

    size: Annotated[
        str | None,
        typer.Option(
            "--size",
            "-s",
            metavar="WxH|W:H",
            rich_help_panel=SHAPE,
            help="Pixels (1920x1080) or a shape (16:9); wins over the two below",
        ),
    ] = None
    aspect_ratio: Annotated[
        str | None,
        typer.Option(
            "--aspect-ratio",
            "-a",
            metavar="W:H",
            rich_help_panel=SHAPE,
            help="Shape only; any ratio is mapped to the nearest supported one",
        ),
    ] = None
    resolution: Annotated[
        str | None,
        typer.Option(
            "--resolution",
            "-r",
            metavar="TIER",
            rich_help_panel=SHAPE,
            help="Scale only: 0.5K, 1K, 2K, 4K, or megapixels; mapped to the nearest tier",
        ),
    ] = None

    model: ModelName = None
    route: Annotated[
        str | None,
        typer.Option("--route", metavar="NAME", rich_help_panel=MODEL, help="Force one upstream: fal or replicate"),
    ] = None

    n: Annotated[
        str | None,
        typer.Option(
            "-n",
            "--n",
            metavar="COUNT",
            rich_help_panel=PARAMETERS,
            help="Number of images, made in parallel [default: 1]",
        ),
    ] = None
    seed: Annotated[
        str | None,
        typer.Option(
            "--seed",
            metavar="INTEGER",
            rich_help_panel=PARAMETERS,
            help="Seed for reproducibility; image i of several gets seed + i - 1",
        ),
    ] = None
    raw: Annotated[
        Flag,
        typer.Option("--raw/--no-raw", rich_help_panel=PARAMETERS, help="Less processed, more natural-looking"),
    ] = None
    enhance_prompt: Annotated[
        Flag,
        typer.Option(
            "--enhance-prompt/--no-enhance-prompt",
            rich_help_panel=PARAMETERS,
            help="Let the provider enrich the prompt (fal)",
        ),
    ] = None
    image_prompt: Annotated[
        str | None,
        typer.Option(
            "--image-prompt",
            metavar="FILE|URL",
            rich_help_panel=PARAMETERS,
            help="Image that guides the composition: jpeg, png, gif or webp (replicate)",
        ),
    ] = None
    image_prompt_strength: Annotated[
        str | None,
        typer.Option(
            "--image-prompt-strength",
            metavar="0..1",
            rich_help_panel=PARAMETERS,
            help="How much the image prompt counts",
        ),
    ] = None
    safety_tolerance: Annotated[
        str | None,
        typer.Option("--safety-tolerance", metavar="1..6", rich_help_panel=PARAMETERS, help="1 is the strictest"),
    ] = None
    response_format: Annotated[
        str | None,
        typer.Option(
            "--response-format",
            metavar="url|b64_json",
            rich_help_panel=PARAMETERS,
            help="How the provider hands the image over; the file is the same [default: url]",
        ),
    ] = None
    sync_mode: Annotated[
        Flag,
        typer.Option(
            "--sync-mode/--no-sync-mode",
            rich_help_panel=PARAMETERS,
            help="Return a data URI and keep the image out of the history (fal)",
        ),
    ] = None
    like: Like = None
    param: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            "-p",
            metavar="KEY=VALUE",
            rich_help_panel=PARAMETERS,
            show_default=False,
            help="Any other parameter, passed straight through; typed as JSON where it parses",
        ),
    ] = None

    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            rich_help_panel=OUTPUT,
            help="File (its suffix chooses the format), folder/, template, or - for stdout [env: FLUX_OUTPUT]",
        ),
    ] = None
    output_format: Annotated[
        list[str] | None,
        typer.Option(
            "--output-format",
            "--format",
            "-f",
            metavar="FORMAT",
            rich_help_panel=OUTPUT,
            show_default=False,
            help="png, jpeg, gif, webp, avif; several make several [default: as received; env: FLUX_OUTPUT_FORMAT]",
        ),
    ] = None
    output_compression: Annotated[
        str | None,
        typer.Option(
            "--output-compression",
            "--quality",
            "-q",
            metavar="0..100",
            rich_help_panel=OUTPUT,
            help="Quality; the same number looks the same in jpeg, webp and avif",
        ),
    ] = None
    overwrite: Overwrite = False
    skip_existing: Annotated[
        bool,
        typer.Option("--skip-existing", rich_help_panel=OUTPUT, help="Pay only for images that are not there yet"),
    ] = False
    as_json: AsJson = False

    concurrency: Annotated[
        str | None,
        typer.Option(
            "--concurrency",
            metavar="COUNT",
            rich_help_panel=RUN,
            help="Calls in flight at once [default: 16; env: FLUX_CONCURRENCY]",
        ),
    ] = None
    timeout: Annotated[
        str | None,
        typer.Option(
            "--timeout",
            metavar="SECONDS",
            rich_help_panel=RUN,
            help="Longest wait for one image [default: 300; env: FLUX_TIMEOUT]",
        ),
    ] = None
    retries: Annotated[
        str | None,
        typer.Option(
            "--retries",
            metavar="COUNT",
            rich_help_panel=RUN,
            help="Repetitions of calls that surely did nothing [default: 3; env: FLUX_RETRIES]",
        ),
    ] = None
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", rich_help_panel=RUN, help="Show calls, file names and cost; make nothing"),
    ] = False
    max_cost: Annotated[
        str | None,
        typer.Option(
            "--max-cost",
            metavar="USD",
            rich_help_panel=RUN,
            help="Refuse runs that would cost more [env: FLUX_MAX_COST]",
        ),
    ] = None
    yes: Annotated[
        bool,
        typer.Option("--yes", "-y", rich_help_panel=RUN, help="Go on where --max-cost is set and the price is unknown"),
    ] = False
    quiet: Quiet = False
    verbose: Annotated[
        bool,
        typer.Option(
            "--verbose", "-v", rich_help_panel=RUN, help="Show each step, request ids and the causes behind errors"
        ),
    ] = False
    progress: Annotated[
        str | None,
        typer.Option(
            "--progress",
            metavar="auto|plain|none",
            rich_help_panel=RUN,
            help="How progress is shown: plain is lines, as in a log [default: auto; env: FLUX_PROGRESS]",
        ),
    ] = None
    log_file: Annotated[
        str | None,
        typer.Option(
            "--log-file",
            metavar="PATH",
            rich_help_panel=RUN,
            help="Append every step to a file, one JSON object a line, without keys",
        ),
    ] = None

    provider: Annotated[
        str | None,
        typer.Option(
            "--provider",
            metavar="NAME",
            rich_help_panel=PROVIDER,
            help="Who is asked: lumenfall, bfl, fal, replicate, openai, … see flux providers [env: FLUX_PROVIDER]",
        ),
    ] = None
    base_url: Annotated[
        str | None,
        typer.Option(
            "--base-url",
            metavar="URL",
            rich_help_panel=PROVIDER,
            help="Address of an OpenAI-compatible server, up to and with /v1 [env: FLUX_BASE_URL]",
        ),
    ] = None
    no_key: Annotated[
        bool, typer.Option("--no-key", rich_help_panel=PROVIDER, help="Send no key: for a server that needs none")
    ] = False
    offline: Annotated[
        bool,
        typer.Option("--offline", rich_help_panel=PROVIDER, help="Draw a local sketch: free, no key, not the model"),
    ] = False
    no_badge: Annotated[
        bool, typer.Option("--no-badge", rich_help_panel=PROVIDER, help="Leave the mark out of an offline sketch")
    ] = False


NAMED = (
    "size", "aspect_ratio", "resolution", "n", "seed", "raw", "enhance_prompt", "image_prompt",
    "image_prompt_strength", "safety_tolerance", "response_format", "sync_mode", "output_compression",
)  # fmt: skip

Result = TypeVar("Result")


def takes_options(command: Callable[..., Result]) -> Callable[..., Result]:
    """Let a command declare `options: Options` and be called by Typer with every option on its own.

    Typer reads signatures; this one is made of the fields of Options and of any other tuple of options, followed by the
    command's own parameters.
    """
    hints = get_type_hints(command, include_extras=True)
    groups = {name: kind for name, kind in hints.items() if hasattr(kind, "_field_defaults")}  # NamedTuples
    own = [
        parameter.replace(annotation=hints[name], kind=inspect.Parameter.KEYWORD_ONLY)
        for name, parameter in inspect.signature(command).parameters.items()
        if name not in groups
    ]
    shared = [
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=kind._field_defaults[name], annotation=hint)
        for kind in groups.values()
        for name, hint in get_type_hints(kind, include_extras=True).items()
    ]

    def run(**values: object) -> Result:
        filled = {name: kind(**{field: values.pop(field) for field in kind._fields}) for name, kind in groups.items()}
        return command(**filled, **values)

    run.__signature__ = inspect.Signature([*shared, *own])  # type: ignore[attr-defined]
    run.__annotations__ = {parameter.name: parameter.annotation for parameter in (*shared, *own)}
    run.__doc__, run.__name__ = command.__doc__, command.__name__
    run.groups, run.own = tuple(groups), tuple(one.name for one in own)  # type: ignore[attr-defined] # for the front door
    return run
