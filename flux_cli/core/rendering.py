"""Values as people and programs read them: columns, cells and JSON, without the price of the `json` module."""

from __future__ import annotations

from flux_cli.core.text import plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from flux_cli.core.model import Json

SCHEMA = 1  # of every document; it changes when a key changes its meaning or goes away
ENDLESS = 1_000_000  # columns of what is no terminal
ESCAPES = {code: f"\\u{code:04x}" for code in range(32)} | {
    ord(char): f"\\{letter}" for char, letter in zip('"\\\b\f\n\r\t', '"\\bfnrt', strict=True)
}


def json_text(value: Json | Mapping[str, Json] | Sequence[Json], indent: int | None = None) -> str:
    """What `json.dumps(value, indent=indent, ensure_ascii=False)` gives for a value that JSON can say."""
    return _json(value, "" if indent is None else "\n", " " * (indent or 0))


def _json(value: object, line: str, step: str) -> str:
    """`line` begins a line at the depth of this value, and is empty where everything stays on one."""
    if isinstance(value, str):
        return f'"{value.translate(ESCAPES)}"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int | float):
        return (int if isinstance(value, int) else float).__repr__(value)
    inner = line and line + step
    if isinstance(value, dict):
        items = [f"{_json(name, '', '')}: {_json(item, inner, step)}" for name, item in value.items()]
        return _enclosed("{", items, "}", line, inner)
    if isinstance(value, list | tuple):
        return _enclosed("[", [_json(item, inner, step) for item in value], "]", line, inner)
    raise TypeError(f"JSON cannot say {type(value).__name__}")


def _enclosed(left: str, items: list[str], right: str, line: str, inner: str) -> str:
    if not items:
        return left + right
    return left + inner + ("," + (inner or " ")).join(items) + line + right


def cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if _is_latin(text):
        return len(text)
    from flux_cli.core.wide import cell_count

    return cell_count(text)


def _is_latin(text: str) -> bool:
    """Whether every character takes one column, as far as that can be told without looking any up."""
    text = text.replace("…", "")
    return len(text.encode("latin-1", "ignore")) == len(text)


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = (), width: int | None = None) -> str:
    """Columns two blanks apart, the first row as heading. `right` names columns of numbers, `width` is all there is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    if (width and sum(widths) + 2 * len(widths) - 2 > width) or not _is_latin("".join(map("".join, rows))):
        from flux_cli.core.narrow import flowed  # who has room does not pay for it

        return flowed(rows, right, width or ENDLESS)
    lines = []
    for row in rows:
        placed = [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(placed).rstrip())
    return "\n".join(lines)


def shown(value: Json) -> str:
    """A value in a table: text as it is, nothing as a dash, the rest as JSON."""
    if value is None:
        return "-"
    return plain(value) if isinstance(value, str) else json_text(value)
