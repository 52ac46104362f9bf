"""A project's flux.toml: whose file is trusted, and what it may decide.

It comes with a folder that somebody else may have written. It may be stricter than the user's own
settings about money and privacy, never less strict, and its files stay in the project.
"""

from __future__ import annotations

import os
import re

from flux_cli.config.settings import BY_NAME, parse_setting
from flux_cli.core.errors import ConfigError
from flux_cli.core.request import Note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from flux_cli.config.load import Value
    from flux_cli.core.model import Json

# What a project can only make stricter: a rank of each value, and what the rule is.
MORE_PRIVATE = "a project's flux.toml can only make it more private"
STRICTNESS = {
    "metadata": ({"full": 0, "no-prompt": 1, "none": 2}, MORE_PRIVATE),
    "journal_prompts": ({True: 0, False: 1}, MORE_PRIVATE),
}
COSTS = ("max_cost", "confirm_cost")
CHEAPER = "a project's flux.toml can only lower it"
STRANGER = "it belongs to another user, who is not trusted"


def ignored_note(path: str) -> Note:
    """The note that the flux.toml of another user is ignored."""
    return Note("project", path, None, "ignored", STRANGER, warning=True)


def check_table(path: str, table: Mapping[str, Json]) -> None:
    """Raise ConfigError for a setting that a project must not decide, and for an unsafe output."""
    for name in table:
        if name == "providers" or not BY_NAME[name].project:
            hint = "use the option, the environment variable, or your config.toml"
            message = f"{path}: {name} cannot be set in a project's flux.toml"
            raise ConfigError(message, hint=hint)
    if "output" in table:
        check_output(path, str(parse_setting(BY_NAME["output"], table["output"], path)))


def merge(values: dict[str, Value], asked: Mapping[str, Value]) -> tuple[Note, ...]:
    """Add what a project asks for to the values, unless it is less strict than the user's own.

    Returns a note on each value that was not added.
    """
    notes = []
    for name, value in asked.items():
        own = values[name]
        reason = _loosens(name, value.value, own.value)
        if reason:
            values[name] = own._replace(source=f"{own.source}, not flux.toml: {reason}")
            notes.append(Note(name, value.value, own.value, "ignored", reason, warning=True))
        else:
            values[name] = value
    return tuple(notes)


def _loosens(name: str, asked: Json, own: Json) -> str:
    """Why a project's value does not replace the user's own; "" if it may."""
    if name in COSTS and isinstance(own, int | float) and isinstance(asked, int | float):
        return CHEAPER if asked > own else ""
    if name == "keep_prompts":
        from flux_cli.config.ages import seconds_to_keep  # few projects set it

        return MORE_PRIVATE if seconds_to_keep(str(asked)) > seconds_to_keep(str(own)) else ""
    if name not in STRICTNESS:
        return ""
    ranks, reason = STRICTNESS[name]
    return reason if ranks[asked] < ranks[own] else ""  # type: ignore[index] # checked values


def check_inside(paths: Iterable[str], root: str) -> None:
    """Raise ConfigError if a file would be outside of the project, or in its .git folder.

    Symbolic links are followed.
    """
    top = os.path.realpath(root)
    checked = set()
    for path in paths:
        folder = os.path.dirname(path)
        if folder in checked and not os.path.islink(path):
            continue
        checked.add(folder)
        if _leaves(_relative(os.path.realpath(path), top)):
            message = "output in flux.toml leads out of the project or into .git"
            raise ConfigError(message, hint="name another place with -o")


def _relative(path: str, folder: str) -> str:
    """The path as seen from the folder. On another drive of Windows, it stays absolute."""
    try:
        return os.path.relpath(path, folder)
    except ValueError:
        return path


def check_output(path: str, output: str) -> None:
    """Raise ConfigError for an output that could act on a terminal, or leave the project."""
    hint = "name another place with -o"
    if not output.isprintable() or "::" in output or "##" in output:
        message = f"{path}: output has control characters or commands to CI services"
        raise ConfigError(message, hint=hint)
    if output.startswith("~") or _leaves(output):
        message = f"{path}: output must be inside the project and not in .git"
        raise ConfigError(message, hint=hint)


def _leaves(path: str) -> bool:
    """Whether a relative path leads out of its folder, or into .git, however that is spelled."""
    if os.path.isabs(path) or path[:1] in ("/", "\\") or path[1:2] == ":":
        return True
    parts = [part.rstrip(". ").lower() for part in re.split(r"[/\\]", path)]
    return ".." in re.split(r"[/\\]", path) or ".git" in parts or "git~1" in parts
