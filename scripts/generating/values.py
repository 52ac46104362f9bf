"""What can stand where a value is asked for, by the name of the value: for the completions."""

from flux_cli import catalogue, cli
from flux_cli.cli.about import SCRIPTS
from flux_cli.cli.topics import TOPICS
from flux_cli.core.formats import FORMATS
from flux_cli.core.schema import COMMANDS
from flux_cli.core.settings import BY_NAME
from flux_cli.providers import ROWS
from generating.app import Argument, Option

NAMES = ("flux", "flux-image")
MADE = "Made by scripts/generate: change that, not this."
FILES = "files"  # in place of words: any file or folder
MODELS = catalogue.models()
DEFAULT = next(model for model in MODELS if model.id == BY_NAME["model"].default)
SIZES = tuple(size.name for size in DEFAULT.sizes)
RATIOS = tuple(dict.fromkeys(size.aspect_ratio for size in DEFAULT.sizes))

KNOWN: dict[tuple[str, str], tuple[str, ...]] = {  # (command, or "" for every one, and name of the value)
    ("", "size"): (*RATIOS, *SIZES),
    ("sizes", "shape"): (*RATIOS, *SIZES),
    ("", "aspect_ratio"): RATIOS,
    ("", "resolution"): tuple(dict.fromkeys(size.resolution for model in MODELS for size in model.sizes)),
    ("", "model"): tuple(name for model in MODELS for name in (model.id, *model.aliases)),
    ("models", "name"): tuple(model.id for model in MODELS),
    ("", "route"): tuple(dict.fromkeys(route.name for model in MODELS for route in model.routes)),
    ("", "provider"): tuple(ROWS),
    ("providers", "name"): tuple(ROWS),
    ("", "output_format"): tuple(FORMATS),
    ("completion", "shell"): tuple(SCRIPTS),
    ("schema", "command"): COMMANDS,
    ("help", "topic"): tuple(dict.fromkeys((*TOPICS, *cli.COMMANDS, "config"))),
}


def values(command: tuple[str, ...], one: Option | Argument) -> tuple[str, ...] | str:
    """The words a value may be, FILES, or nothing where only the person knows."""
    for where in (command[0] if command else "", ""):
        if known := KNOWN.get((where, one.name)):
            return known
    for model in MODELS:
        if one.name in model.parameters and model.parameters[one.name].choices:
            return model.parameters[one.name].choices
    if isinstance(one, Option) and any(word in one.metavar for word in ("FILE", "PATH", "FOLDER", "DIR")):
        return FILES
    return words if (words := tuple(one.metavar.split("|"))) and len(words) > 1 and one.metavar.islower() else ()
