"""What belongs to no single command, as plain text: `flux help TOPIC` and the docs print it."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from flux_cli.core.table import table, wrap_words

WIDTH = 98  # of lines that are read with ease
Part: TypeAlias = str | Sequence[tuple[str, ...]]  # a paragraph, or a table


def _sizes() -> tuple[Part, ...]:
    from flux_cli.catalog.find import find_model
    from flux_cli.config.settings import BY_NAME

    model = find_model(str(BY_NAME["model"].default)).model
    listed = " ".join(f"{size.name} ({size.aspect_ratio})" for size in model.sizes) if model else ""
    return (
        ("A size is pixels (--size 1920x1080, 1920*1080) or a shape (--size 16:9, 16/9). Any size is taken: the "
         "model draws the nearest published one, by shape and then by area, and flux says so."),
        ("--aspect-ratio sets the shape alone and --resolution the scale alone (1K, 2K, or megapixels such as "
         "0.25); --size wins over both. 1K is the area of 1024 x 1024."),
        f"{model.id if model else ''}: {listed}",
        ("These are nominal pixels: the model itself draws larger images of the same shape. See flux sizes, and "
         "flux sizes 1920x1080 for the nearest."),
    )  # fmt: skip


def _formats() -> tuple[Part, ...]:
    from flux_cli.images.formats import FORMATS, QUALITY

    rows = [
        (row.name, " ".join(f".{suffix}" for suffix in row.suffixes), "yes" if row.alpha else "no",
         "-" if row.quality is None else str(QUALITY))
        for row in FORMATS.values()
    ]  # fmt: skip
    return (
        [("Format", "suffixes", "transparency", "quality"), *rows],
        ("The suffix of -o chooses the format, or --output-format does. Without either an image is saved as it "
         "was received, byte for byte. What the provider does not make itself is converted here."),
        "--quality (0 to 100) is for the lossy formats; the column shows what holds without it.",
    )  # fmt: skip


def _exit_codes() -> tuple[Part, ...]:
    return (
        [("Exit", "meaning"), *EXIT_CODES],
        ("An error is one line on stderr, `flux: error: ...`, with a `hint: ...` below it. With --json the same "
         "is in the document, with a stable code. Where codes are mixed, see the errors of the document."),
    )  # fmt: skip


EXIT_CODES = (
    ("0", "every image was saved, or there was nothing to do"),
    ("1", "failed: provider, network, deadline or disk"),
    ("2", "the command line or the configuration is wrong; nothing was sent"),
    ("3", "some images were saved, some failed"),
    ("4", "the key is missing or refused, or there is no balance"),
    ("5", "refused by moderation"),
    ("130", "interrupted; what was saved stays and is listed"),
)


def _environment() -> tuple[Part, ...]:
    from flux_cli.config.settings import SETTINGS, VARIABLES
    from flux_cli.providers.rows import ROWS

    settings = [(row.variable, row.help) for row in (*SETTINGS, *VARIABLES)]
    keys: dict[str, str] = {}
    for name, row in ROWS.items():
        for variable in row.key_variables:
            keys.setdefault(variable, name)
    return (
        [("Variable", "sets"), *settings],
        [("Key", "for"), *((variable, f"provider {name}") for variable, name in keys.items())],
        ("A key can also be in a file that only you can read: NAME_FILE holds its path, or credentials.toml in "
         "the folder that flux config path names."),
        ("An option wins over a variable, a variable over flux.toml of the project, that over config.toml of "
         "the user. flux config shows every setting and where it came from."),
        ("XDG_CONFIG_HOME and XDG_STATE_HOME move the folders; HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE and SSL_CERT_DIR "
         "are obeyed. NO_COLOR turns colors off, FORCE_COLOR on, also in pipes; CI stops what moves; GITHUB_ACTIONS "
         "annotates errors; COLUMNS is the width of help."),
    )  # fmt: skip


def _names() -> tuple[Part, ...]:
    from flux_cli.images.names import DEFAULT, DEFAULT_UNSEEDED, FIELDS

    return (
        ("-o names a file (fox.webp), a folder (out/) or a template (out/{slug}-{index:03}.png); - is standard "
              f"output. Without it files are called {DEFAULT}, or {DEFAULT_UNSEEDED} where no seed was given."),
        "Fields: " + " ".join(f"{{{field}}}" for field in FIELDS),
        ("{slug} is the beginning of the prompt, {id} eight random hex digits, {ext} the suffix of what was "
         "received. Where a template names two images alike, -{index} is added. Nothing is overwritten "
         "without --overwrite."),
    )  # fmt: skip


TOPICS: dict[str, tuple[str, Callable[[], tuple[Part, ...]]]] = {
    "sizes": ("sizes, shapes and scales", _sizes),
    "formats": ("formats of images and their quality", _formats),
    "exit-codes": ("what the exit code says", _exit_codes),
    "environment": ("variables, keys and what wins", _environment),
    "names": ("names of files", _names),
}


def explain(topic: str, width: int = WIDTH) -> str:
    """A topic, in lines that are broken between words."""
    return "\n\n".join(
        "\n".join(wrap_words(part.split(), width)) if isinstance(part, str) else table(part, width=width)
        for part in TOPICS[topic][1]()
    )
