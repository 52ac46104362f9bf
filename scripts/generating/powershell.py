"""Completion for PowerShell: two tables and what looks into them."""

from generating.app import commands
from generating.values import FILES, MADE, NAMES, values

POWERSHELL = r"""# {made}

Register-ArgumentCompleter -Native -CommandName {names} -ScriptBlock {{
    param($wordToComplete, $commandAst, $cursorPosition)
    $options = @{{
{options}
    }}
    $values = @{{
{values}
    }}
    $words = @($commandAst.CommandElements | Where-Object {{ $_.Extent.EndOffset -lt $cursorPosition }} |
        ForEach-Object {{ $_.ToString() }})
    $command = @($words | Select-Object -Skip 1 | Where-Object {{ $_ -notlike '-*' }})[0]
    if (-not $command) {{ $command = '' }}
    $previous = $words[-1]
    if ($values.ContainsKey("$command $previous")) {{ $found = $values["$command $previous"] }}
    elseif ($wordToComplete -like '-*') {{ $found = $options[$command] }}
    else {{ $found = $values[$command] }}
    foreach ($row in $found) {{
        $word, $about = $row -split "`t"
        if ($word -like "$wordToComplete*") {{
            if (-not $about) {{ $about = $word }}
            [System.Management.Automation.CompletionResult]::new($word, $word, 'ParameterValue', $about)
        }}
    }}
}}
"""


def powershell() -> str:
    """`completions/flux.ps1`. Where nothing is found PowerShell completes files itself."""
    rows = [command for command in commands() if len(command.path) < 2]
    options = [f"        {_ps(' '.join(row.path))} = {_ps_list(row.flags)}" for row in rows]
    top = [(row.path[0], row.summary) for row in rows if row.path]
    known = [f"        '' = {_ps_list(top)}"]
    for row in rows:
        for option in row.options:
            words = values(row.path, option) if option.metavar else ()
            if words and words != FILES:
                known_words = _ps_list([(word, "") for word in words])
                known += [f"        {_ps(f'{row.path[0]} {flag}')} = {known_words}" for flag in option.flags]
        below = [(command.path[1], command.summary) for command in commands() if command.path[:-1] == row.path != ()]
        listed = [(word, "") for one in row.arguments for word in values(row.path, one)]
        if below or listed:
            known.append(f"        {_ps(' '.join(row.path))} = {_ps_list([*below, *listed])}")
    return POWERSHELL.format(made=MADE, names=", ".join(NAMES), options="\n".join(options), values="\n".join(known))


def _ps(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _ps_list(rows: list[tuple[str, str]]) -> str:
    return f"@({', '.join(_ps_row(word, about) for word, about in rows)})"


def _ps_row(word: str, about: str) -> str:
    """Word, tabulator, explanation, in the quotes in which only these three characters mean something."""
    text = f"{word}\t{about}" if about else word
    for char in '`"$':
        text = text.replace(char, f"`{char}")
    return '"' + text.replace("\t", "`t") + '"'
