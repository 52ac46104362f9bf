"""Generates the completion for zsh, as specifications for `_arguments`."""

from flux_cli.runs.records.listing import LAST
from generating.app import Argument, Command, Option, commands
from generating.values import AT_FILES, FILES, JOURNALS, MADE, NAMES, RUNS, everywhere, values

# Where a word may be the name of a run, and commands below one that has arguments of its own.
RUN_NAMES = r"""__flux_runs() {{
  local folder=${{XDG_STATE_HOME:-$HOME/.local/state}}/{app}
  [[ $OSTYPE == darwin* ]] && folder="$HOME/Library/Application Support/{app}"
  [[ -n $FLUX_STATE ]] && folder=${{FLUX_STATE/#\~\//$HOME/}}
  local -a found=( $folder/runs/*{suffix}(NOn:t:r) )
  compadd "$@" {last}
  compadd "$@" -V runs -a found
}}
"""
BELOW = """  if (( CURRENT > 2 && $+functions[{name}_$words[2]] )); then
    shift words
    (( CURRENT-- ))
    {name}_$words[1]
    return
  fi"""
NOTHING = "'*: :()'"  # so that nothing is offered before a dash is typed
END = (  # found on fpath, the file is the body of _flux; with `source`, it is only registered
    "if [[ $funcstack[1] == _flux ]]; then",
    '  _flux "$@"',
    "else",
    f"  compdef _flux {' '.join(NAMES)}",
    "fi",
)


def zsh() -> str:
    """`completions/_flux`."""
    top, *rows = commands()
    parts = [
        f"#compdef {' '.join(NAMES)}",
        f"# {MADE}",
        "",
        RUN_NAMES.format(last=LAST, **JOURNALS),
    ]
    for command in (*rows, top):
        below = [row for row in rows if row.path[:-1] == command.path]
        parts += _zsh_function(command, below)
    return "\n".join([*parts, *END, ""])


def _zsh_function(command: Command, below: list[Command]) -> list[str]:
    specs = [_zsh_option(command, option) for option in command.options]
    for number, one in enumerate(command.arguments, 1):
        place = "*" if everywhere(one, values(command, one)) else str(number)
        specs.append(f"'{place}:{_zsh_value(command, one)}'")
    name = "_".join(("_flux", *command.path))
    if below and command.arguments:
        specs[-1:] = [f"'1: :_{name}_words'", NOTHING]
        first = [f"_{name}_words() {{", *_zsh_listed(below), "  __flux_runs", "}", ""]
        return [*first, *_zsh_plain(name, specs, BELOW.format(name=name))]
    if not below and not specs[-1].startswith("'*:"):
        specs.append(NOTHING)
    if not below:
        return _zsh_plain(name, specs)
    return [
        f"{name}() {{",
        "  local curcontext=$curcontext state line",
        "  _arguments -C -s -S : \\",
        *(f"    {spec} \\" for spec in specs),
        "    '1: :->command' '*:: :->rest' && return",
        "  case $state in",
        "    command)",
        *_zsh_listed(below),
        "      ;;",
        "    rest)",
        '      curcontext="${curcontext%:*:*}:flux-$words[1]:"',
        f"      (( $+functions[{name}_$words[1]] )) && {name}_$words[1] ;;",
        "  esac",
        "}",
        "",
    ]


def _zsh_plain(name: str, specs: list[str], *before: str) -> list[str]:
    """A function that completes the arguments and options of one command."""
    return [
        f"{name}() {{",
        *before,
        "  _arguments -s -S : \\",
        *(f"    {spec} \\" for spec in specs[:-1]),
        f"    {specs[-1]}",
        "}",
        "",
    ]


def _zsh_listed(below: list[Command]) -> list[str]:
    """Lines that offer commands with their summaries."""
    rows = [f"    {_quoted(f'{row.path[-1]}:{row.summary}')}" for row in below]
    return ["  local -a listed=(", *rows, "  )", "  _describe -t commands command listed"]


def _zsh_option(command: Command, option: Option) -> str:
    every = (*option.flags, *option.negatives)
    value = f":{_zsh_value(command, option)}" if option.metavar else ""
    flags = [_zsh_flag(flag, option) for flag in every]
    about = f"[{_zsh_text(option.short)}]{value}"
    again = "*" if option.many else f"({' '.join(every)})"  # not offered again once given
    if len(flags) == 1:
        return _quoted(f"{again}{flags[0]}{about}")
    return f"{_quoted(again)}{{{','.join(flags)}}}{_quoted(about)}"


def _zsh_flag(flag: str, option: Option) -> str:
    """The flag, and how its value may follow."""
    if not option.metavar:
        return flag
    return f"{flag}=" if flag.startswith("--") else f"{flag}+"


def _zsh_value(command: Command, one: Option | Argument) -> str:
    words, label = values(command, one), _zsh_text(one.metavar.strip("[]").lower() or one.name)
    if words == FILES:
        return f"{label}:_files"
    if RUNS in words:
        return f"{label}:__flux_runs"
    if words == AT_FILES:
        return f"{label}:{{compset -P @ && _files}}"
    if isinstance(one, Option) and not words:
        return f"{label}: "  # for an argument, this message would hide the options
    escaped = [word.replace(":", "\\:") for word in words]
    return f"{label}:({' '.join(escaped)})"


def _zsh_text(text: str) -> str:
    for char in "\\[]:":
        text = text.replace(char, f"\\{char}")
    return text


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
