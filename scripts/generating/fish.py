"""Completion for fish: one line an option."""

from generating.app import Option, commands
from generating.values import MADE, NAMES, values


def fish() -> str:
    """`completions/flux.fish`."""
    rows = commands()[1:]
    lines = [f"# {MADE}", "", "complete -c flux -f"]
    lines += [_fish("__fish_use_subcommand", option, ()) for option in commands()[0].options]
    for command in rows:
        where = f"__fish_seen_subcommand_from {command.path[0]}"
        if len(command.path) == 1:
            lines.append(
                f"complete -c flux -n __fish_use_subcommand -a {command.path[0]} -d {_fish_text(command.summary)}"
            )
        else:
            lines.append(f"complete -c flux -n '{where}' -a {command.path[1]} -d {_fish_text(command.summary)}")
            continue
        lines += [_fish(where, option, command.path) for option in command.options]
        for argument in command.arguments:
            if words := values(command.path, argument):
                lines.append(f"complete -c flux -n '{where}' -a {_fish_text(' '.join(words))}")
    return "\n".join([*lines, f"complete -c {NAMES[1]} -w {NAMES[0]}", ""])


def _fish(where: str, option: Option, path: tuple[str, ...]) -> str:
    flags = " ".join(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags)
    about = f" -d {_fish_text(option.short)}" if option.help else ""
    value = ""
    if option.metavar:
        words = values(path, option)
        value = " -r -F" if isinstance(words, str) else f" -x -a {_fish_text(' '.join(words))}" if words else " -x"
    lines = [f"complete -c flux -n '{where}' {flags}{value}{about}"]
    lines += [f"complete -c flux -n '{where}' -l {flag[2:]}{about}" for flag in option.negatives]
    return "\n".join(lines)


def _fish_text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
