"""Generates the completion for bash, which splits lines and compares words in the shell itself."""

from collections.abc import Iterable
from shlex import quote

from generating.app import Words, commands
from generating.values import (
    AT_FILES,
    FILES,
    JOURNALS,
    MADE,
    NAMES,
    RUNS,
    bare,
    letters,
    names,
    places,
    taken,
)

BASH = r"""# {made}
# For bash 3.2 and newer. Starts no process: the shell itself compares words.

_flux_values() {{  # the possible values of an option; fails if the option takes no value
    case $1 in
{values}
        *) return 1 ;;
    esac
}}

_flux_options() {{  # the options of a command
    case $1 in
{options}
    esac
}}

_flux_arguments() {{  # the possible arguments at this position of a command
    case $1 in
{arguments}
    esac
}}

_flux_runs() {{  # adds the names of earlier runs that begin with a text to `listed`
    local folder=${{FLUX_STATE-}} name
    if [[ -z $folder ]]; then
        case ${{OSTYPE-}} in
            darwin*) folder="$HOME/Library/Application Support/{app}" ;;
            *) folder=${{XDG_STATE_HOME:-$HOME/.local/state}}/{app} ;;
        esac
    fi
    while IFS= read -r name; do
        name=${{name##*/}}
        listed+=("${{name%{suffix}}}")
    done < <(compgen -f -X '!*{suffix}' -- "${{folder/#\~\//$HOME/}}/runs/$1")
}}

_flux_option() {{  # sets `flag` to the option in a word, and `glue` to everything before its value
    flag='' glue=''
    case $1 in
        --*=*) flag=${{1%%=*}} glue=${{1%%=*}}= ;;
        --*) flag=$1 glue=$1 ;;
        -*[{letters}]*) glue=${{1%%[{letters}]*}} flag=-${{1:${{#glue}}:1}} glue+=${{flag#-}} ;;
    esac
}}

_flux_split() {{  # splits a line into `words` without quotes; `quote` is a quote that is still open
    # Readline replaces only what it considers the word; the part of the last word before that
    # goes into `before`.
    # `into` is the redirection operator, if the last word is the target of a redirection.
    local rest=${{1#"${{1%%[![:space:]]*}}"}} run char last=0 outside=''
    while true; do
        run=${{rest%%[\\\"\'\<\>[:space:]"${{COMP_WORDBREAKS-}}"]*}}
        words[last]+=$run rest=${{rest#"$run"}}
        [[ -n $rest ]] || return 0
        char=${{rest:0:1}} rest=${{rest:1}}
        case $quote$char in
            \\ | \"\\ | \$\\) words[last]+=${{rest:0:1}} rest=${{rest:1}} ;;
            \' | \")
                quote=$char outside=$before before=${{words[last]}}
                if [[ $char == \' && $run == *\$ ]]; then quote=\$; fi ;;
            \'\' | \"\" | \$\') quote='' before=$outside ;;
            [[:space:]])
                [[ $before == "${{words[last]}}" ]] || into=''
                last=$((last + 1)) rest=${{rest#"${{rest%%[![:space:]]*}}"}} before=''
                words[last]='' ;;
            @ | \$) before=${{words[last]}} into='' words[last]+=$char ;;
            ?) words[last]+=$char before=${{words[last]}} into=${{char//[!<>]/}} ;;
            *) words[last]+=$char ;;
        esac
    done
}}

_flux() {{
    local words=('') quote='' before='' into=''
    COMPREPLY=()
    _flux_split "${{COMP_LINE:0:COMP_POINT}}"

    local last=$((${{#words[@]}} - 1))
    local place word command='' count=0 flag='' glue='' dashes='' listed=()
    for ((place = 1; place < last; place++)); do
        word=${{words[place]}}
        if [[ -n $flag ]]; then
            flag=''
        elif [[ -z $dashes && $word == -- ]]; then
            dashes=$word
        elif [[ -z $dashes && $word == -?* ]]; then
            _flux_option "$word"
            [[ $glue == "$word" && $word != *= ]] && _flux_values "$flag" || flag=''
        else
            case $command/$count/$word in
                {commands}) command=${{command:+$command }}$word ;;
                *) count=$((count + 1)) ;;
            esac
        fi
    done

    local typed=${{words[last]}}
    listed=()
    if [[ -n $flag$dashes ]]; then
        glue=''
    else
        _flux_option "$typed"
        if [[ $glue == "$typed" && $typed != *= ]]; then flag='' glue=''; fi
    fi
    if [[ -n $into ]]; then
        listed=({files}) glue=$before
    elif [[ -n $flag ]]; then
        _flux_values "$flag"
    elif [[ -z $dashes && $typed == -* ]]; then
        if [[ -z $quote ]]; then _flux_options "$command"; fi
    else
        _flux_arguments "$command/$count"
    fi

    if [[ ${{listed[0]-}} == {at_files} ]]; then
        [[ $typed == @* ]] || return 0
        glue+=@ listed=({files})
    fi
    typed=${{typed#"$glue"}}
    if [[ ${{listed[0]-}} == {files} ]]; then
        # If readline's word is the whole name, its own file completion works best.
        if [[ $glue == "$before" ]]; then
            compopt -o bashdefault -o default 2> /dev/null || true
            return 0
        fi
        listed=()
        while IFS= read -r word; do
            if [[ -d $word ]]; then
                word+=/
                compopt -o nospace 2> /dev/null || true
            fi
            listed+=("$word")
        done < <(compgen -f -- "$typed")
    fi

    local row
    for row in "${{listed[@]-}}"; do
        if [[ $row == {runs} ]]; then _flux_runs "$typed"; fi
    done
    for row in "${{listed[@]-}}"; do
        [[ $row == "$typed"* && -n $row && $row != {runs} ]] || continue
        word=$glue${{row%%$'\t'*}}
        word=${{word#"$before"}}
        if [[ -z $quote ]]; then
            if [[ $word == *[!0-9A-Za-z:=./@_-]* ]]; then printf -v word %q "$word"; fi
        elif [[ $word == *[\"\'\`\$\\]* ]]; then
            continue
        fi
        # A second TAB only lists the words and inserts nothing, so descriptions can be added.
        if [[ ${{COMP_TYPE-}} == 63 && $row == *$'\t'* ]]; then word+="  (${{row#*$'\t'}})"; fi
        COMPREPLY+=("$word")
    done
}}

if type compopt > /dev/null 2>&1; then
    complete -F _flux {names}
else  # before bash 4: complete files if nothing else matches
    complete -o bashdefault -o default -F _flux {names}
fi
"""


def bash() -> str:
    """`completions/flux.bash`."""
    flags: dict[tuple[str, ...], list[str]] = {}
    for flag, words in taken().items():
        flags.setdefault(words, []).append(flag)
    values = [("|".join(group), bare(words)) for words, group in flags.items()]
    options = [(quote(" ".join(row.path)), row.flags) for row in commands()]
    arguments = [(_escape(place), listed) for place, listed in places()]
    return BASH.format(
        made=MADE,
        values=_cases(values),
        options=_cases(options),
        arguments=_cases(arguments),
        letters=letters(),
        commands=" | ".join(map(_escape, names())),
        files=quote(*FILES),
        at_files=quote(*AT_FILES),
        runs=quote(RUNS),
        **JOURNALS,
        names=" ".join(NAMES),
    )


def bash_alias() -> str:
    """`completions/flux-image.bash`: bash-completion looks for a file named like the command."""
    comment = "# installed it is called flux-image, beside flux"
    return f'# {MADE}\nsource "${{BASH_SOURCE[0]%-image}}"  {comment}\n'


def _cases(rows: Iterable[tuple[str, Words]]) -> str:
    return "\n".join(f"        {pattern}) listed=({_listed(words)}) ;;" for pattern, words in rows)


def _listed(words: Words) -> str:
    rows = ["\t".join(filter(None, row)) for row in words]
    return " ".join(map(quote, rows))


def _escape(text: str) -> str:
    """A text as a pattern of `case`, where blanks would separate words."""
    return text.replace(" ", "\\ ")
