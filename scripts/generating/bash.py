"""Completion for bash: the shell itself compares words, in one function."""

from generating.app import commands
from generating.values import MADE, NAMES, values

BASH = r"""# {made}
# bash 3.2 and newer. Nothing is started: words are compared by the shell itself.

_flux() {{
    local globs=on
    [[ $- == *f* ]] && globs=off
    set -f  # words are split below, and none of them is a pattern
    _flux_find
    if [[ $globs == on ]]; then set +f; fi
}}

_flux_find() {{
    local line=${{COMP_LINE:0:COMP_POINT}} cur prev='' command='' below='' word about listed='' IFS=$' \t\n'
    cur=${{line##*[[:space:]]}}
    for word in ${{line%"$cur"}}; do
        prev=$word
        if [[ $word == -* ]]; then continue
        elif [[ -z $command ]]; then command=/
        elif [[ $command == / ]]; then command=$word
        elif [[ -z $below ]]; then below=$word; fi
    done
    command=${{command#/}}
    if [[ $cur == --*=* ]]; then
        prev=${{cur%%=*}} cur=${{cur#*=}}
    fi
    COMPREPLY=()
    case $command,$prev in
{values}
        *,*)
            if [[ $cur == -* ]]; then
                case $command in
{options}
                    *) listed={top_options} ;;
                esac
            else
                case $command,$below in
{arguments}
                esac
            fi ;;
    esac
    if [[ $listed == files ]]; then
        compopt -o default 2> /dev/null
        return
    fi
    IFS=$'\n'
    for word in $listed; do
        [[ $word == "$cur"* ]] || continue
        about=${{word#*$'\t'}} word=${{word%%$'\t'*}}
        # A second TAB lists; what is listed is not typed, so it can explain itself.
        [[ $COMP_TYPE == 63 && $about != "$word" ]] && word="$word  ($about)"
        COMPREPLY+=("$word")
    done
    if [[ $COMP_TYPE == 63 && ${{#COMPREPLY[@]}} == 1 ]]; then COMPREPLY=("${{COMPREPLY[0]%%  (*}}"); fi
    # Readline breaks words at colons: what stands before the last one is on the line already.
    if [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]]; then
        local before=${{cur%"${{cur##*:}}"}} place
        for place in "${{!COMPREPLY[@]}}"; do COMPREPLY[place]=${{COMPREPLY[place]#"$before"}}; done
    fi
}}

complete -F _flux {names}
"""


def bash() -> str:
    """`completions/flux.bash`."""
    rows = commands()[1:]
    cases = []
    for command in rows:
        for option in command.options:
            if option.metavar:
                patterns = "|".join(f"{command.path[0]},{flag}" for flag in option.flags)
                cases.append(f"        {patterns}) listed={_bash_words(values(command.path, option))} ;;")
    options = [
        f"                    {command.path[0]}) listed={_bash_list(command.flags)} ;;"
        for command in rows
        if len(command.path) == 1
    ]
    top = [(command.path[0], command.summary) for command in rows if len(command.path) == 1]
    arguments = [f"                    ,) listed={_bash_list(top)} ;;"]
    for command in rows:
        below = [(row.path[1], row.summary) for row in rows if len(row.path) == 2 and row.path[0] == command.path[0]]
        if len(command.path) == 1 and below:
            arguments.append(f"                    {command.path[0]},) listed={_bash_list(below)} ;;")
        for argument in command.arguments:
            words = values(command.path, argument)
            if words:
                arguments.append(f"                    {command.path[0]},*) listed={_bash_words(words)} ;;")
    return BASH.format(
        made=MADE,
        values="\n".join(cases),
        options="\n".join(options),
        arguments="\n".join(arguments),
        top_options=_bash_list(commands()[0].flags),
        names=" ".join(NAMES),
    )


def _bash_words(words: tuple[str, ...] | str) -> str:
    return words if isinstance(words, str) else _bash_list([(word, "") for word in words])


def _bash_list(rows: list[tuple[str, str]]) -> str:
    text = "\\n".join(f"{word}\\t{about}" if about else word for word, about in rows)
    return "$'" + text.replace("'", "\\'") + "'"
