"""The matrix as Markdown, for docs/reliability.md and for people."""

from collections.abc import Mapping

from faults.row import Row

HEAD = ("fault", "what happens", "exit", "images", "POSTs", "bill")
UNKNOWN = "—"


def table(groups: Mapping[str, tuple[Row, ...]], results: Mapping[str, str] | None = None) -> str:
    """One table a group; with `results`, a last column says what became of each row."""
    head = (*HEAD, "result") if results is not None else HEAD
    parts = []
    for group, rows in groups.items():
        lines = [_line(head), _line(["---"] * len(head))]
        lines += [_line((*_cells(row), results[row.name]) if results is not None else _cells(row)) for row in rows]
        parts.append(f"### {group}\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"


def _cells(row: Row) -> tuple[str, ...]:
    codes = row.code if isinstance(row.code, tuple) else (row.code,)
    bill = {True: "said to be possible", False: "none", None: "either"}[row.billed]
    exits = " or ".join(UNKNOWN if code < 0 else str(code) for code in codes)
    return row.name, row.does, exits, _images(row), _span(row.posts), bill


def _images(row: Row) -> str:
    if row.files is None:
        return "all that were paid"
    kept = f"{row.kept} kept in the state folder" if row.kept else ""
    return kept or _span(row.files)


def _span(count: int | range) -> str:
    return str(count) if isinstance(count, int) else f"{count.start} to {count.stop - 1}"


def _line(cells: tuple[str, ...] | list[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|").replace("<", "&lt;") for cell in cells) + " |"
