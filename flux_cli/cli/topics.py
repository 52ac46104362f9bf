"""Help topics as plain text, for `flux help TOPIC`, the man page and docs/cli.md."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from flux_cli.terminal.table import table, wrap_words

WIDTH = 98  # columns
Part: TypeAlias = str | Sequence[tuple[str, ...]]  # a paragraph, to be wrapped, or a table


def _sizes() -> tuple[Part, ...]:
    return (
        """
        A size is given in pixels (--size 1920x1080, 1920*1080) or as a ratio (--size 16:9, 16/9).
        Any size is accepted: flux uses the closest one that the model has, by ratio and then by
        area, and prints a note. Words with one meaning are understood, such as square and 1080p.
        """,
        """
        --aspect-ratio sets only the ratio and --resolution only the scale (1K, 2K, or megapixels
        such as 0.25); --size overrides both. 1K is the area of 1024 x 1024 pixels.
        """,
        _sizes_of_the_default_model(),
        """
        These sizes are nominal: the model generates larger images of the same ratio. flux sizes
        lists them, and flux sizes 1920x1080 shows the closest one.
        """,
        """
        FLUX.2 makes any size in pixels, in steps of 16 or 32, at bfl, fal and replicate. flux sizes
        -m flux.2-pro shows the limits.
        """,
        """
        Exact pixels are made after the image has arrived. --size 320x or x300 gives one side: the
        request has the default shape, or that of --aspect-ratio, and the files are resized in
        proportion. --fit makes files of exactly --size, and --width adds files beside the full
        image. Nothing is enlarged without --upscale.
        """,
    )


def _sizes_of_the_default_model() -> str:
    from flux_cli.catalog.find import find_model
    from flux_cli.config.settings import BY_NAME

    model = find_model(str(BY_NAME["model"].default))
    if model is None:
        return ""
    listed = " ".join(f"{size.name} ({size.aspect_ratio})" for size in model.sizes)
    return f"{model.id}: {listed}"


def _formats() -> tuple[Part, ...]:
    from flux_cli.images.formats import FORMATS, QUALITY

    rows = []
    for row in FORMATS.values():
        suffixes = " ".join(f".{suffix}" for suffix in row.suffixes)
        quality = "-" if row.quality is None else str(QUALITY)
        rows.append((row.name, suffixes, "yes" if row.alpha else "no", quality))
    return (
        [("Format", "suffixes", "transparency", "quality"), *rows],
        """
        The suffix of -o selects the format, or --output-format does. Without either, an image is
        saved as received, byte for byte. flux converts to formats that the provider does not make.
        """,
        """
        Images in formats that flux does not make, such as svg, tiff, bmp, heic and jxl, are also
        saved as received; -o logo.svg asks for one.
        """,
        "--quality (0 to 100) is for lossy formats; the table shows the default.",
    )


def _cost() -> tuple[Part, ...]:
    from flux_cli.config.settings import BY_NAME
    from flux_cli.runs.spending.limits import MOST_UNPRICED

    return (
        """
        --dry-run shows requests, file names and cost. It checks what the run checks, the budget
        included, except the key. Neither it nor flux resolve opens a connection; --estimate asks
        the Lumenfall gateway for the price. Other providers have no estimates.
        """,
        """
        --max-cost USD refuses a run that would cost more, and holds during the run. If the catalog
        has no price, the gateway is asked first; without any price, the run needs --yes.
        """,
        f"""
        A run of more than {BY_NAME["confirm_cost"].default} USD (the setting confirm_cost), or of
        more than {MOST_UNPRICED} images of unknown price from another machine, must be confirmed.
        On a terminal, flux asks once; in a pipe, add --max-cost or --yes. --yes answers every
        question and never lifts --max-cost.
        """,
    )


def _exit_codes() -> tuple[Part, ...]:
    return (
        [("Exit", "meaning"), *EXIT_CODES],
        """
        An error is printed to stderr as `flux: error: ...`, followed by a line `hint: ...`. With
        --json the document contains it, too, with a stable code. If several requests failed,
        `errors` lists each of them.
        """,
    )


EXIT_CODES = (
    ("0", "success: every image was saved, or there was nothing to do"),
    ("1", "failure: provider, network, deadline or disk"),
    ("2", "invalid command line or configuration; nothing was sent"),
    ("3", "partial success: some images were saved, some failed"),
    ("4", "the key is missing or was refused, or there is no balance"),
    ("5", "refused by moderation"),
    ("130", "interrupted; saved images stay and are listed"),
)


def _environment() -> tuple[Part, ...]:
    from flux_cli.config.settings import SETTINGS, VARIABLES
    from flux_cli.providers.rows import ROWS

    settings = [(row.variable, row.help) for row in (*SETTINGS, *VARIABLES)]
    keys: dict[str, str] = {}
    for name, row in ROWS.items():
        if row.key_variables:
            first, *others = row.key_variables
            also = f", also as {' or '.join(others)}" if others else ""
            keys.setdefault(first, f"provider {name}{also}")
    return (
        [("Variable", "meaning"), *settings],
        [("Key", "for"), *keys.items()],
        """
        A key can be in a private file: NAME_FILE, or credentials.toml beside config.toml. Clients
        of flux serve send FLUX_SERVE_KEY. FLUX_SHARDS is the number of shards in Kubernetes.
        Highest first: options, environment, flux.toml, config.toml, defaults. flux config shows
        all.
        """,
        """
        XDG_CONFIG_HOME, XDG_STATE_HOME, XDG_CACHE_HOME, HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE,
        SSL_CERT_DIR, NO_COLOR and FORCE_COLOR are honored. CI stops moving progress,
        FORCE_HYPERLINK=0 links. GITHUB_ACTIONS adds annotations. COLUMNS is the width of help,
        SOURCE_DATE_EPOCH the time.
        """,
    )


def _names() -> tuple[Part, ...]:
    from flux_cli.images.names import DEFAULT, DEFAULT_UNSEEDED, FIELDS

    return (
        f"""
        -o names a file (lighthouse.webp), a folder (out/) or a template
        (out/{{slug}}-{{index:03}}.png); - is standard output. The default is {DEFAULT}, or
        {DEFAULT_UNSEEDED} without a seed. An offline sketch has {{seed}} in its name only if you
        name one.
        """,
        "Fields: " + " ".join(f"{{{field}}}" for field in FIELDS),
        """
        {slug} and {prompt} are the beginning of the prompt, {id} eight random hex digits, {ext} the
        suffix of the format that was received. If a template gives two images the same name,
        -{index} is added. A name whose prompt is cut ends with a digest of it. With several models,
        -{model} is added unless the template has it. --var NAME=VALUES and keys in lines of
        --prompts are fields, too.
        """,
        """
        Nothing is overwritten by default. --overwrite replaces every file. --skip-existing keeps a
        file if its record matches the prompt, model, size, seed and parameters that you ask for,
        and refuses to run if it does not. --update replaces only what does not match or is damaged.
        A file without a record is kept, with a note. While a run pays for a file, no other run
        does.
        """,
    )


TOPICS: dict[str, tuple[str, Callable[[], tuple[Part, ...]]]] = {
    "sizes": ("sizes, ratios and scales", _sizes),
    "formats": ("image formats and their quality", _formats),
    "cost": ("prices, limits and confirmation", _cost),
    "exit-codes": ("what each exit code means", _exit_codes),
    "environment": ("variables, keys and precedence", _environment),
    "names": ("file names and templates", _names),
}


def explain(topic: str, width: int = WIDTH) -> str:
    """The text of a topic, wrapped between words."""
    _, make_parts = TOPICS[topic]
    return "\n\n".join(_wrap(part, width) for part in make_parts())


def _wrap(part: Part, width: int) -> str:
    if isinstance(part, str):
        return "\n".join(wrap_words(part.split(), width))
    return table(part, width=width)
