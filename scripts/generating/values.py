"""What can stand where a value is asked for, and which words ask for one: for the completions."""

import re

from flux_cli.catalog.find import list_models
from flux_cli.cli import app
from flux_cli.cli.about import SCRIPTS
from flux_cli.cli.topics import TOPICS
from flux_cli.commands.schema import COMMANDS
from flux_cli.config.settings import BY_NAME, SETTINGS
from flux_cli.images.formats import EFFORTS, FORMATS
from flux_cli.images.outputs import FITS, FOCUSES
from flux_cli.providers.rows import ROWS
from generating.app import Argument, Command, Option, Words, commands

NAMES = ("flux", "flux-image")
MADE = "Made by scripts/generate: change that, not this."
FILES = ("<files>",)  # in place of words: any file or folder
AT_FILES = ("@<files>",)  # the same, behind an @
MODELS = list_models()
DEFAULT = next(model for model in MODELS if model.id == BY_NAME["model"].default)
SIZES = tuple(size.name for size in DEFAULT.sizes)
RATIOS = tuple(dict.fromkeys(size.aspect_ratio for size in DEFAULT.sizes))

KNOWN: dict[tuple[str, str], tuple[str, ...]] = {  # (command, or "" for every one, and name of the value)
    **{("", row.name): row.choices for row in SETTINGS if row.choices},
    ("", "size"): (*RATIOS, *SIZES),
    ("sizes", "shape"): (*RATIOS, *SIZES),
    ("", "aspect_ratio"): RATIOS,
    ("", "resolution"): ("0.5K", "1K", "2K", "4K"),  # any number is taken; the help names these
    ("", "model"): tuple(name for model in MODELS for name in (model.id, *model.aliases)),
    ("models", "name"): tuple(model.id for model in MODELS),
    ("", "route"): tuple(dict.fromkeys(route.name for model in MODELS for route in model.routes)),
    ("", "provider"): tuple(ROWS),
    ("providers", "name"): tuple(ROWS),
    ("", "output_format"): tuple(FORMATS),
    ("", "fit"): FITS,
    ("", "focus"): FOCUSES,
    ("", "effort"): EFFORTS,
    ("completion", "shell"): tuple(SCRIPTS),
    ("schema", "command"): COMMANDS,
    ("help", "topic"): tuple(dict.fromkeys((*TOPICS, *app.COMMANDS, "config"))),
}


def values(command: Command, one: Option | Argument) -> tuple[str, ...]:
    """The words a value may be, FILES, AT_FILES, or nothing where only the person knows."""
    for where in (*command.path[:1], ""):
        if known := KNOWN.get((where, one.name)):
            return known
    for model in MODELS:
        if one.name in model.parameters and model.parameters[one.name].choices:
            return model.parameters[one.name].choices
    if re.search(r"\b(FILE|PATH|FOLDER)\b", one.metavar):
        return FILES
    return AT_FILES if "@FILE" in one.help else ()


def arguments(command: Command) -> list[tuple[str, Words]]:
    """What can stand in the places of a command without a dash: the number of the place ("*": every one), and words.

    The names of the commands below it stand in the first.
    """
    below = [(row.path[-1], row.summary) for row in commands() if row.path and row.path[:-1] == command.path]
    listed = [("0", below)] if below else []
    for place, one in enumerate(command.arguments):
        if words := values(command, one):
            listed.append(("*" if everywhere(one, words) else str(place), bare(words)))
    return listed


def everywhere(one: Argument, words: tuple[str, ...]) -> bool:
    """Whether an argument can be said again. Where the words are known, many words make one value: 1183 × 887."""
    return one.many and words in ((), FILES, AT_FILES)


def bare(words: tuple[str, ...]) -> Words:
    """Words of which there is nothing to say."""
    return [(word, "") for word in words]


def taken() -> dict[str, tuple[str, ...]]:
    """Of every flag that takes a value what it can be: flags mean the same in all commands."""
    found: dict[str, tuple[str, ...] | None] = {}
    for command in commands():
        for option in command.options:
            words = values(command, option) if option.metavar else None
            for flag in (*option.flags, *option.negatives):
                if found.setdefault(flag, words) != words:
                    raise ValueError(f"{flag} of {' '.join(command.path)} means something else in another command")
    return {flag: words for flag, words in found.items() if words is not None}


def awaits() -> str:
    """What matches words behind which a value comes, such as --output and -yo, in every dialect of expressions."""
    return f"^(--({'|'.join(flag[2:] for flag in taken() if flag.startswith('--'))})|{_short()})$"


def joined() -> str:
    """What matches the beginning of words with a value in them, such as --output=fox and -yofox, up to the value."""
    return f"^(--[^=]+=|{_short()})"


def places() -> list[tuple[str, Words]]:
    """The arguments of all commands, behind the names of the commands."""
    rows = commands()
    return [(f"{' '.join(row.path)}/{place}", listed) for row in rows for place, listed in arguments(row)]


def names() -> list[str]:
    """Every command as it is come upon: what stands before it, no arguments, its own word."""
    return [f"{' '.join(row.path[:-1])}/0/{row.path[-1]}" for row in commands() if row.path]


def letters() -> str:
    """The short flags that take a value. Short flags stand together; the first of these takes what follows."""
    return "".join(flag[1:] for flag in taken() if not flag.startswith("--"))


def _short() -> str:
    return f"-[^-{letters()}]*[{letters()}]"
