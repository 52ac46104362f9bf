"""Generates the completion for PowerShell: three tables, and the code that uses them."""

from collections.abc import Iterable

from generating.app import Words, commands
from generating.values import (
    AT_FILES,
    FILES,
    JOURNALS,
    MADE,
    NAMES,
    RUNS,
    awaits,
    bare,
    joined,
    names,
    places,
    taken,
)

POWERSHELL = r"""# {made}

Register-ArgumentCompleter -Native -CommandName {names} -ScriptBlock {{
    param($wordToComplete, $commandAst, $cursorPosition)
    $values = @{{
{values}
    }}
    $options = @{{
{options}
    }}
    $arguments = @{{
{arguments}
    }}
    $commands = @({commands})
    $awaits = {awaits}
    $joined = {joined}
    $result = [System.Management.Automation.CompletionResult]
    $command, $count, $flag, $dashes = '', 0, '', $false
    foreach ($element in @($commandAst.CommandElements | Select-Object -Skip 1)) {{
        if ($element.Extent.EndOffset -ge $cursorPosition) {{ break }}
        $word = $element.ToString().Trim("'", '"')
        if ($flag) {{ $flag = '' }}
        elseif (-not $dashes -and $word -ceq '--') {{ $dashes = $true }}
        elseif (-not $dashes -and $word -like '-?*') {{
            if ($word -cmatch $awaits) {{ $flag = $word }}
        }}
        elseif ($commands -ccontains "$command/$count/$word") {{
            $command = "$command $word".Trim()
        }}
        else {{ $count++ }}
    }}
    $typed, $glue = $wordToComplete.TrimStart("'", '"'), ''
    if (-not $flag -and -not $dashes -and $typed -cmatch $joined) {{
        if ($typed.EndsWith('=') -or $typed -cne $Matches[0]) {{
            $glue, $flag = $Matches[0], $Matches[0].TrimEnd('=')
        }}
    }}
    if ($flag -like '--*') {{ $found = $values[$flag] }}
    elseif ($flag) {{ $found = $values["-$($flag[-1])"] }}
    elseif (-not $dashes -and $typed -like '-*') {{ $found = $options[$command] }}
    else {{
        $found = @($arguments["$command/$count"]) + @($arguments["$command/*"])
        $found = $found | Where-Object {{ $_ }}
    }}
    if ($found -ccontains {runs}) {{
        $folder = $env:FLUX_STATE
        if (-not $folder) {{
            $base = if ($IsMacOS) {{ Join-Path $HOME 'Library/Application Support' }}
            elseif ($IsLinux -and $env:XDG_STATE_HOME) {{ $env:XDG_STATE_HOME }}
            elseif ($IsLinux) {{ Join-Path $HOME '.local/state' }}
            else {{ $env:LOCALAPPDATA }}
            $folder = Join-Path $base '{app}'
        }}
        $runs = Join-Path $folder 'runs'
        $journals = Get-ChildItem $runs -Filter '*{suffix}' -ErrorAction SilentlyContinue
        $found = @($found | Where-Object {{ $_ -cne {runs} }})
        $found += @($journals | Sort-Object Name -Descending | ForEach-Object BaseName)
    }}
    if ($found -ccontains {at_files} -and $typed -like '@*') {{ $glue, $found = '@', {files} }}
    $typed = $typed.Substring($glue.Length)
    if ($glue -and $found -ccontains {files}) {{
        $completers = [System.Management.Automation.CompletionCompleters]
        foreach ($file in $completers::CompleteFilename($typed)) {{
            $word, $about = $file.CompletionText.Trim("'"), $file.ToolTip
            $result::new("'$glue$word'", $word, $file.ResultType, $about)
        }}
        return
    }}
    $pattern = [WildcardPattern]::Escape($typed) + '*'
    foreach ($row in $found) {{
        $word, $about = $row -split "`t"
        if ($word -like '*<files>' -or $word -notlike $pattern) {{ continue }}
        if (-not $about) {{ $about = $word }}
        $result::new("$glue$word", $word, 'ParameterValue', $about)
    }}
}}
"""


def powershell() -> str:
    """`completions/flux.ps1`. If nothing matches, PowerShell itself completes files."""
    values = [(flag, bare(words)) for flag, words in taken().items() if words]
    options = [(" ".join(row.path), row.flags) for row in commands()]
    return POWERSHELL.format(
        made=MADE,
        names=", ".join(NAMES),
        values=_ps_table(values),
        options=_ps_table(options),
        arguments=_ps_table(places()),
        awaits=_ps(awaits()),
        joined=_ps(joined()),
        commands=", ".join(map(_ps, names())),
        files=_ps(*FILES),
        at_files=_ps(*AT_FILES),
        runs=_ps(RUNS),
        **JOURNALS,
    )


def _ps_table(rows: Iterable[tuple[str, Words]]) -> str:
    return "\n".join(f"        {_ps(name)} = {_ps_list(words)}" for name, words in rows)


def _ps(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _ps_list(rows: Words) -> str:
    return f"@({', '.join(_ps_row(word, about) for word, about in rows)})"


def _ps_row(word: str, about: str) -> str:
    """A word, a tab and a description in double quotes; only three characters need escaping."""
    text = f"{word}\t{about}" if about else word
    for char in '`"$':
        text = text.replace(char, f"`{char}")
    return '"' + text.replace("\t", "`t") + '"'
