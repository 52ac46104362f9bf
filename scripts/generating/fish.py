"""Generates the completion for fish: one line per option, with its values."""

from generating.app import Option, Words, commands
from generating.values import (
    AT_FILES,
    FILES,
    JOURNALS,
    MADE,
    NAMES,
    RUNS,
    arguments,
    awaits,
    names,
    values,
)

FISH = r"""# {made}

# Whether this command is before the cursor, followed by this number of arguments, if one is given.
function __flux_at
    set -l words (commandline -opc)
    set -e words[1]
    set -l command ''
    set -l count 0
    set -l awaited no
    set -l dashes no
    for word in $words
        if test $awaited = yes
            set awaited no
        else if test $dashes = no; and string match -q -- -- $word
            set dashes yes
        else if test $dashes = no; and string match -qr -- '^-.' $word
            string match -qr -- {awaits} $word; and set awaited yes
        else if contains -- $command/$count/$word {commands}
            set command (string trim -- "$command $word")
        else
            set count (math $count + 1)
        end
    end
    test "$command" = "$argv[1]"; and contains -- "$argv[2]" '' $count
end

# Files after a prefix that matches the expression, such as @. Each is printed after the second
# argument.
function __flux_files
    set -l parts (string match -r "^([\"']?)$argv[1](.*)" -- (commandline -ct)); or return
    printf "$argv[2]%s\t\n" (complete -C "__fish_command_without_completions $parts[2]$parts[3]")
end

# The names of earlier runs, the newest first.
function __flux_runs
    set -l folder $HOME/.local/state/{app}
    test -n "$XDG_STATE_HOME"; and set folder $XDG_STATE_HOME/{app}
    set -l mac "$HOME/Library/Application Support/{app}"
    test -d $mac; and set folder $mac
    test -n "$FLUX_STATE"; and set folder (string replace -r '^~/' $HOME/ -- $FLUX_STATE)
    set -l paths $folder/runs/*{suffix}
    set -q paths[1]; and string replace -r '^.*/(.*)\{suffix}$' '$1' -- $paths[-1..1]
end

complete -c {name} -f
{lines}
complete -c {alias} -w {name}
"""


def fish() -> str:
    """`completions/flux.fish`."""
    lines = []
    for command in commands():
        name = " ".join(command.path)
        for option in command.options:
            lines += _fish_option(name, option, values(command, option))
        for place, listed in arguments(command):
            where = name if place == "*" else f"{name}' '{place}"
            lines += [_fish_line(where, rest) for rest in _fish_listed(listed)]
    return FISH.format(
        made=MADE,
        awaits=_fish_text(awaits()),
        commands=" ".join(_fish_text(name) for name in names()),
        lines="\n".join(lines),
        name=NAMES[0],
        alias=NAMES[1],
        **JOURNALS,
    )


def fish_alias() -> str:
    """`completions/flux-image.fish`: fish looks for a file under the name of the command."""
    return f"# {MADE}\ncomplete -c {NAMES[1]} -w {NAMES[0]}\n"


def _fish_line(where: str, rest: str) -> str:
    return f"""complete -c {NAMES[0]} -n "__flux_at '{where}'" {rest}"""


def _fish_option(where: str, option: Option, words: tuple[str, ...]) -> list[str]:
    flags = " ".join(map(_fish_flag, option.flags))
    about = f" -d {_fish_text(option.short)}" if option.help else ""
    value = " -x" if option.metavar else ""
    if words == FILES:
        # fish itself finds no files in one word with a short option.
        value = """ -r -F -a '(__flux_files "-[^-]")'"""
    elif words:  # a tab, so that fish does not show the option's description beside its values
        value += " -a '" + " ".join(f"{word}\\t" for word in words) + "'"
    lines = [_fish_line(where, f"{flags}{value}{about}")]
    return lines + [_fish_line(where, f"-l {flag[2:]}{about}") for flag in option.negatives]


def _fish_flag(flag: str) -> str:
    return f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}"


def _fish_listed(rows: Words) -> list[str]:
    words = tuple(word for word, _ in rows)
    if words == FILES:
        return ["-F"]
    if words == AT_FILES:
        return ["-a '(__flux_files @ @)'"]
    return [_fish_word(word, about) for word, about in rows]


def _fish_word(word: str, about: str) -> str:
    if word == RUNS:
        return "-k -a '(__flux_runs)'"
    return f"-a {word} -d {_fish_text(about)}" if about else f"-a {word}"


def _fish_text(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
