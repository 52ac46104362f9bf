"""What the log of a CI service acts on: errors it should show, and other people's text, which must not act there.

GitHub's runner reads every line a step writes to either stream. It obeys `::command::` where a line begins, after
blanks, too, and the older `##[command]` anywhere; Azure and TeamCity know `##vso[` and `##teamcity[`.
"""

MARK = r"##(?=\w*\[)"


def annotation(message: str, hint: str = "") -> str:
    """The line that makes GitHub show a failure on the page of the run. It names no file: the fault is in none."""
    return f"::error title=flux::{_escape(message)}{_escape(chr(10) + 'hint: ' + hint) if hint else ''}"


def inert(line: str) -> str:
    """One line of a log that no CI service obeys: a blank breaks what would be a command."""
    line = _without_marks("# #", line)
    return line.replace("::", ": :", 1) if line.lstrip().startswith("::") else line


def inert_json(text: str) -> str:
    """JSON that means the same and that no CI service obeys. `##` can only be inside a string, `::` begins no line."""
    return _without_marks(r"#\\u0023", text)


def _without_marks(harmless: str, text: str) -> str:
    if "##" not in text:
        return text
    import re  # dearer than a lookup, and marks are rare

    return re.sub(MARK, harmless, text)


def _escape(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
