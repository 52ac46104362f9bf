"""Prints the matrix of faults as Markdown, and writes it into docs/reliability.md."""

from collections.abc import Mapping
from pathlib import Path

from faults.row import Row
from faults.rows import GROUPS

PAGE = Path(__file__).parents[2] / "docs/reliability.md"
BEGIN, END = "<!-- matrix: made by python -m tests.faults -->\n", "<!-- end of matrix -->"

HEAD = ("fault", "what happens", "exit", "images", "POSTs", "billed")
UNKNOWN = "—"


def table(groups: Mapping[str, tuple[Row, ...]], results: Mapping[str, str] | None = None) -> str:
    """One table per group. With `results` (by name of the row), the last column shows them."""
    head = (*HEAD, "result") if results is not None else HEAD
    parts = []
    for group, rows in groups.items():
        lines = [_line(head), _line(["---"] * len(head))]
        for row in rows:
            cells = _cells(row)
            lines.append(_line(cells if results is None else (*cells, results[row.name])))
        parts.append(f"### {group}\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def renewed(page: str) -> str:
    """The text of the page, with the tables as they are now between the two marks."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n{table(GROUPS)}\n{end}{after}"


def _cells(row: Row) -> tuple[str, ...]:
    codes = row.code if isinstance(row.code, tuple) else (row.code,)
    bill = {True: "possible", False: "no", None: "either"}[row.billed]
    exits = " or ".join(str(code) if code >= 0 else UNKNOWN for code in codes)
    return row.name, row.does, exits, _images(row), _span(row.posts), bill


def _images(row: Row) -> str:
    if row.files is None:
        return "all that were paid for"
    kept = f"{row.kept} kept in the state folder" if row.kept else ""
    return kept or _span(row.files)


def _span(count: int | range) -> str:
    return str(count) if isinstance(count, int) else f"{count.start} to {count.stop - 1}"


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return f"| {' | '.join(map(_escaped, cells))} |"


def _escaped(cell: str) -> str:
    """The text of a cell on one line, as Markdown."""
    return " ".join(cell.split()).replace("|", "\\|").replace("<", "&lt;")
